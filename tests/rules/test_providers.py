"""The table of mail providers: whole, without contradictions, and found by an address or by MX hosts."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.mail.providers import PROVIDERS, Provider, find_by_mx, find_provider

HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
SMTP = {(465, "tls"), (587, "starttls")}
IMAP = {(993, "tls"), (143, "starttls")}

every_provider = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.smtp.host + "".join(provider.mx[:1]))


def service(provider: Provider | None) -> str | None:
    return provider and (provider.hosted_name or provider.name)


def test_a_domain_leads_to_one_provider_only() -> None:
    count = Counter(domain for provider in PROVIDERS for domain in provider.domains)
    assert not [domain for domain, times in count.items() if times > 1]


def test_an_mx_suffix_leads_to_one_provider_only_and_none_hides_another() -> None:
    suffixes = [suffix for provider in PROVIDERS for suffix in provider.mx]
    assert len(suffixes) == len(set(suffixes))
    assert not [(one, other) for one in suffixes for other in suffixes if one.endswith("." + other)]


@every_provider
def test_servers_are_plausible(provider: Provider) -> None:
    assert HOST.fullmatch(provider.smtp.host)
    assert HOST.fullmatch(provider.imap.host)
    assert (provider.smtp.port, provider.smtp.security) in SMTP
    assert (provider.imap.port, provider.imap.security) in IMAP


@every_provider
def test_a_row_can_be_found_and_says_what_to_do(provider: Provider) -> None:
    assert provider.domains or provider.mx
    assert all(HOST.fullmatch(name) for name in provider.domains + provider.mx)
    assert all(find_provider(f"ivan@{domain}") is provider for domain in provider.domains)
    assert all(find_by_mx([f"a.{suffix}."]) is provider for suffix in provider.mx)
    assert provider.hint
    assert provider.help_url.startswith("https://")
    assert all(step.endswith(".") for step in (provider.hint, *provider.steps))


@every_provider
def test_limits_agree_with_each_other(provider: Provider) -> None:
    assert min(provider.per_hour, provider.per_day, provider.per_letter) >= 0
    assert not provider.per_day or max(provider.per_hour, provider.per_letter) <= provider.per_day
    assert provider.oauth in {"", "google", "microsoft"}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("ivan@yandex.ru", "Яндекс"),
        ("IVAN@YA.RU", "Яндекс"),
        (" olga@bk.ru ", "Mail.ru"),
        ("Ольга <olga@list.ru>", "Mail.ru"),
        ("olga@gmail.com.", "Gmail"),
        ("a@b@rambler.ru", "Rambler"),
        ("ivan@hotmail.com", "Outlook"),
        ("ivan@zohomail.eu", "Zoho"),
    ],
)
def test_an_address_leads_to_its_provider(address: str, name: str) -> None:
    assert service(find_provider(address)) == name


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "ivan@",
        "ivan",
        "ivan@notyandex.ru",
        "ivan@mail.yandex.ru",
        "ivan@yandex.ru.example",
        "иван@почта.рф",
        "ivan@xn--80a1acny.xn--p1ai",
    ],
)
def test_an_address_of_nobody_we_know_leads_nowhere(address: str) -> None:
    assert find_provider(address) is None


@pytest.mark.parametrize(
    ("hosts", "name"),
    [
        (["mx.yandex.net."], "Яндекс 360"),
        (["mx.yandex.ru"], "Яндекс 360"),
        (["emx.mail.ru"], "VK WorkSpace"),
        (["ASPMX.L.GOOGLE.COM"], "Google Workspace"),
        (["alt1.aspmx.l.google.com."], "Google Workspace"),
        (["aspmx2.googlemail.com."], "Google Workspace"),
        (["smtp.google.com."], "Google Workspace"),
        (["firma-ru.mail.protection.outlook.com."], "Microsoft 365"),
        (["firma-ru.o-v1.mx.microsoft."], "Microsoft 365"),
        (["mx01.mail.icloud.com."], "iCloud+"),
        (["mx2.zoho.com"], "Zoho Workplace"),
        (["in1-smtp.messagingengine.com."], "Fastmail"),
        (["mx1.timeweb.ru."], "Timeweb"),
        (["mx2.beget.com."], "Beget"),
        (["mx1.hosting.reg.ru."], "REG.RU"),
        (["mx02.nicmail.ru."], "RU-CENTER"),
        (["mx1.spaceweb.ru."], "SpaceWeb"),
        (["filter.example", "mx.yandex.net."], "Яндекс 360"),
        (["emx.mail.ru", "mx.yandex.net"], "VK WorkSpace"),
    ],
)
def test_mx_hosts_lead_to_the_service_for_own_domains(hosts: list[str], name: str) -> None:
    assert service(find_by_mx(hosts)) == name


@pytest.mark.parametrize(
    "host",
    [
        "notyandex.net",
        "notmx.yandex.net",
        "mx.yandex.net.evil.example",
        "google.com",
        "mail.ru",
        "",
        ".",
        "..",
        "яндекс.рф",
        "mx.yandex.net evil",
    ],
)
def test_look_alikes_do_not_match(host: str) -> None:
    assert find_by_mx([host]) is None


def test_no_mx_hosts_lead_nowhere() -> None:
    assert find_by_mx([]) is None


def test_own_domains_have_servers_of_their_own_where_the_provider_says_so() -> None:
    microsoft, zoho = find_by_mx(["a.mail.protection.outlook.com"]), find_by_mx(["mx.zoho.eu"])
    assert microsoft
    assert zoho
    assert microsoft.smtp.host == "smtp.office365.com"
    assert zoho.smtp.host == "smtppro.zoho.eu"


@given(st.text())
def test_odd_input_never_raises(text: str) -> None:
    find_provider(text)
    find_provider("ivan@" + text)
    find_by_mx([text, text + "."])
