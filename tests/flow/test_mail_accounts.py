"""Mail accounts over HTTP, against a real Postfix and Dovecot: searched for, saved, checked, used, and closed to others."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import trustme
from flask import Flask
from sqlalchemy import select

from kanban.db import db
from rules.models import Delivery, MailAccount
from rules.seal import unseal
from rules.worker import Worker
from tests import rfc2047
from tests.cast import Cast, Signed
from tests.fakenet import FakeDns, HttpsServer, autoconfig_xml
from tests.mailhost import IS_HERE, MailHost
from tests.mailserver import USER, WORD, Certificates, DrippingServer, MailServer, free_port
from tests.rules.test_worker import drain

pytestmark = pytest.mark.one_database

DOMAIN = "melnikov.example"
HOST = f"mail.{DOMAIN}"
needs_mail_host = pytest.mark.skipif(not IS_HERE, reason="Postfix and Dovecot 2.3 are needed, and root: tests/install_mail.sh")


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


@pytest.fixture
def manager(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("manager"))


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def host(ca: trustme.CA) -> Iterator[MailHost]:
    users = {f"{name}@{DOMAIN}": f"word-{name}" for name in ("potok", "owner", "manager", "info")}
    with MailHost(ca, domain=DOMAIN, users=users, names=(HOST, "xn--80a1acny.example")) as running:
        yield running


@pytest.fixture
def names(app: Flask, host: MailHost) -> Iterator[FakeDns]:
    """The name servers the application asks; the mail host is known by its name."""
    records = {(HOST, "A"): [host.address], (DOMAIN, "MX"): [f"10 {HOST}."]}
    with FakeDns(records, port=0) as running:
        configure(app, dns_servers=f"{running.address}:{running.port}", smtp_ca_file=host.ca_file)
        yield running


def configure(app: Flask, **values: Any) -> None:
    app.config["POTOK"] = replace(app.config["POTOK"], **values)


def form(at: int = 465, **changed: str) -> dict[str, str]:
    return {
        "address": f"potok@{DOMAIN}",
        "password": "word-potok",
        "sender_name": "Кухни",
        "host": HOST,
        "port": str(at),
        "security": "tls",
        "username": f"potok@{DOMAIN}",
        "timeout_s": "5",
    } | changed


def found(**changed: str) -> dict[str, str]:
    """What a search adds."""
    return {
        "found": "1",
        "receive_host": HOST,
        "receive_port": "993",
        "receive_security": "tls",
        "per_hour": "0",
        "per_day": "0",
        "per_letter": "0",
    } | changed


def stored(**which: Any) -> MailAccount:
    db.session.rollback()
    return db.session.scalars(select(MailAccount).filter_by(**which or {"kind": "system"})).one()


def steps(page: str) -> list[str]:
    return re.findall(r'<li class="verdict" data-verdict="(\w+)"', page)


def test_a_known_provider_fills_servers_and_limits(owner: Signed, cast: Cast) -> None:
    page = owner.post("/settings/mail/system/find/table", {"address": "firma@yandex.ru"}).text
    assert 'value="smtp.yandex.ru"' in page and 'value="imap.yandex.ru"' in page and "паролем приложения" in page
    assert 'name="per_day" type="hidden" value="500"' in page and 'name="per_letter" type="hidden" value="35"' in page


def test_the_search_goes_on_stage_by_stage_and_each_can_be_skipped(owner: Signed, cast: Cast, app: Flask) -> None:
    records = {("firma.example", "MX"): ["10 mx.yandex.net."]}
    with FakeDns(records, port=0) as running:
        configure(app, dns_servers=f"{running.address}:{running.port}")
        first = owner.post("/settings/mail/system/find/table", {"address": "a@firma.example"}, htmx=True).text
        assert steps(first) == ["later", "running"] and "/find/mx" in first and "/find/autoconfig?skipped=mx" in first
        skipped = owner.post("/settings/mail/system/find/autoconfig?skipped=mx", {"address": "a@firma.example"}, htmx=True).text
        assert steps(skipped) == ["later", "running"] and "пропущено" in skipped and not running.asked
        second = owner.post("/settings/mail/system/find/mx", {"address": "a@firma.example"}, htmx=True).text
        assert steps(second) == ["true"] and "Яндекс 360" in second and 'value="smtp.yandex.ru"' in second
    last = owner.post("/settings/mail/system/find/end?skipped=probe", {"address": "a@firma.example"}, htmx=True).text
    assert steps(last) == ["later", "unknown"]


@pytest.mark.parametrize("address", ["", "нет", "a@-b", "a@firma.example\r\nBcc: x@y.ru,", "a@" + "x" * 300 + ".ru"])
def test_a_search_needs_an_address(owner: Signed, cast: Cast, address: str) -> None:
    answer = owner.post("/settings/mail/system/find/table", {"address": address}, htmx=True)
    assert answer.status_code == 422 and "адрес целиком" in answer.text
    assert "hx-swap-oob" not in answer.text and 'id="host"' in answer.text  # the servers come with it, and stay where they are
    assert re.search(r'<input aria-describedby="address-error-1" aria-invalid="true" autocomplete="off" autofocus', answer.text)


def test_hints_belong_to_their_fields(owner: Signed, cast: Cast) -> None:
    page = owner.get("/settings/mail/system/sending").text
    assert 'aria-describedby="username-hint"' in page and '<p id="username-hint">' in page and "autofocus" not in page


@needs_mail_host
def test_autoconfig_then_srv_then_probing_find_a_firms_own_host(
    owner: Signed, cast: Cast, app: Flask, names: FakeDns, host: MailHost, ca: trustme.CA
) -> None:
    address = {"address": f"potok@{DOMAIN}"}
    with HttpsServer(ca, (f"autoconfig.{DOMAIN}", "autoconfig.thunderbird.net")) as web:
        names.records |= {(f"autoconfig.{DOMAIN}", "A"): [web.address], ("autoconfig.thunderbird.net", "A"): [web.address]}
        web.pages[f"autoconfig.{DOMAIN}", "/mail/config-v1.1.xml"] = autoconfig_xml(DOMAIN, HOST)
        page = owner.post("/settings/mail/system/find/table", address).text
        assert steps(page) == ["later", "later", "true"] and f'value="{HOST}"' in page and f'value="potok@{DOMAIN}"' in page
        web.pages[f"autoconfig.{DOMAIN}", "/mail/config-v1.1.xml"] = b'<!DOCTYPE a [<!ENTITY b "c">]><clientConfig/>'
        web.pages["autoconfig.thunderbird.net", f"/v1.1/{DOMAIN}"] = autoconfig_xml(DOMAIN, "evil host/../x")
        names.records[f"_submissions._tcp.{DOMAIN}", "SRV"] = [f"0 1 465 {HOST}."]
        names.records[f"_imaps._tcp.{DOMAIN}", "SRV"] = [f"0 1 993 {HOST}."]
        page = owner.post("/settings/mail/system/find/autoconfig", address).text
        assert steps(page) == ["later", "true"] and f'value="{HOST}"' in page
    page = owner.post("/settings/mail/system/find/probe", address).text
    assert steps(page) == ["true"] and f'value="{HOST}"' in page and 'value="465"' in page and f"{HOST}:993" in page


@needs_mail_host
def test_a_checked_account_has_its_message_in_its_mailbox(owner: Signed, cast: Cast, names: FakeDns, host: MailHost) -> None:
    before = len(host.mailbox(f"potok@{DOMAIN}"))
    answer = owner.post("/settings/mail/system/sending", form() | found())
    assert answer.status_code == 303
    page = owner.get("/settings/mail/system/sending").text
    assert 'hx-trigger="load"' in page  # saved, so it's checked
    page = owner.post("/settings/mail/system/check/sign-in").text
    assert steps(page) == ["true"] * 6 and "работает" in page
    message = host.arrived(f"potok@{DOMAIN}", before + 1)[-1]
    assert message["Message-ID"].startswith("<potok.test.") and message["From"] == f"Кухни <potok@{DOMAIN}>"


@needs_mail_host
def test_a_check_by_htmx_shows_each_stage_as_it_ends(owner: Signed, cast: Cast, names: FakeDns, host: MailHost) -> None:
    owner.post("/settings/mail/system/sending", form() | found())
    first = owner.post("/settings/mail/system/check/sign-in", htmx=True).text
    assert steps(first) == ["true", "true", "true", "running"]
    second = owner.post("/settings/mail/system/check/email", htmx=True).text
    message = re.search(r"(potok\.test\.[0-9.]+@127\.0\.0\.1)", second)
    assert steps(second) == ["true", "running"] and message
    third = owner.post("/settings/mail/system/check/mailbox", {"email": f"<{message[1]}>"}, htmx=True).text
    assert steps(third) == ["true", "true"] and 'id="accounts" hx-swap-oob' in third
    assert owner.post("/settings/mail/system/check/mailbox", {"email": '<x@y>" OR ALL'}, htmx=True).status_code == 404


@needs_mail_host
@pytest.mark.parametrize(
    ("changed", "verdicts", "sentence"),
    [
        ({"password": "wrong"}, ["true", "true", "false"], "535"),
        ({"password": "пароль"}, ["true", "true", "false"], "русская раскладка"),
        ({"host": "nothing.melnikov.example"}, ["false", "later", "later"], "Сервера с таким именем нет"),
        ({"port": "587"}, ["true", "false", "later"], "не говорит по TLS"),
        ({"host": "127.0.0.1"}, ["false", "later", "later"], "никто не отвечает"),
    ],
)
def test_what_stands_against_an_account_is_said_with_what_to_do(
    owner: Signed, cast: Cast, names: FakeDns, host: MailHost, changed: dict[str, str], verdicts: list[str], sentence: str
) -> None:
    owner.post(
        "/settings/mail/system/sending", form(**{"port": str(free_port()) if changed.get("host") == "127.0.0.1" else "465"} | changed)
    )
    answer = owner.post("/settings/mail/system/check/sign-in")
    assert answer.status_code == 422 and steps(answer.text) == verdicts and sentence in answer.text
    assert "не работает" in answer.text and stored().last_error


@needs_mail_host
def test_a_certificate_of_an_own_authority_is_trusted_once_it_is_pasted(
    owner: Signed, cast: Cast, app: Flask, names: FakeDns, host: MailHost, ca: trustme.CA
) -> None:
    configure(app, smtp_ca_file="")
    owner.post("/settings/mail/system/sending", form())
    answer = owner.post("/settings/mail/system/check/sign-in")
    assert steps(answer.text) == ["true", "false", "later"] and "неизвестным центром" in answer.text
    limits = {"per_hour": "0", "per_day": "0", "per_letter": "0"}
    assert owner.post("/settings/mail/system/other", limits | {"ca_pem": "-----BEGIN NONSENSE"}).status_code == 422
    trusted = {"ca_pem": ca.cert_pem.bytes().decode(), "password": "word-potok"}
    assert owner.post("/settings/mail/system/other", limits | trusted).status_code == 303
    assert steps(owner.post("/settings/mail/system/check/sign-in").text) == ["true"] * 4
    names.records["other.melnikov.example", "A"] = [host.address]
    owner.post("/settings/mail/system/sending", form(host="other.melnikov.example"))
    assert "выдан на другое имя" in owner.post("/settings/mail/system/check/sign-in").text


@needs_mail_host
def test_a_full_mailbox_and_receiving_that_fails(owner: Signed, cast: Cast, names: FakeDns, host: MailHost) -> None:
    owner.post("/settings/mail/system/sending", form() | found(receive_port="995"))
    answer = owner.post("/settings/mail/system/check/sign-in")
    assert steps(answer.text) == ["true"] * 4 + ["false", "later"]
    host.set_full(f"potok@{DOMAIN}")
    try:
        answer = owner.post("/settings/mail/system/check/sign-in")
        assert steps(answer.text) == ["true"] * 3 + ["false"] and "Ящик переполнен" in answer.text
    finally:
        host.set_full(f"potok@{DOMAIN}", False)


@needs_mail_host
def test_the_part_before_the_at_is_tried_as_user_name(owner: Signed, cast: Cast, app: Flask, ca: trustme.CA) -> None:
    users = {f"potok@{DOMAIN}": "word-potok"}
    host = MailHost(ca, domain=DOMAIN, users=users, names=(HOST,), login="local", address="127.0.0.26")
    with host as local, FakeDns({(HOST, "A"): [local.address]}, port=0) as running:
        configure(app, dns_servers=f"{running.address}:{running.port}", smtp_ca_file=local.ca_file)
        owner.post("/settings/mail/system/sending", form() | found())
        page = owner.post("/settings/mail/system/check/sign-in").text
        assert steps(page) == ["true"] * 6 and "принят как «potok»" in page
    account = stored()
    assert account.username == "potok" and account.receive_username in ("potok", "")


@needs_mail_host
def test_an_idn_domain_is_reached(owner: Signed, cast: Cast, names: FakeDns, host: MailHost) -> None:
    names.records["xn--80a1acny.example", "A"] = [host.address]
    owner.post("/settings/mail/system/sending", form(host="почта.example"))
    assert steps(owner.post("/settings/mail/system/check/sign-in").text)[:3] == ["true"] * 3


def test_a_server_that_drips_or_offers_no_encryption(
    owner: Signed, cast: Cast, app: Flask, mail_server: MailServer, certificates: Certificates
) -> None:
    configure(app, smtp_ca_file=certificates.ca_file)
    local = {"address": USER, "password": WORD, "username": USER, "host": "127.0.0.1", "timeout_s": "1"}
    with MailServer(certificates, security="none") as bare:
        owner.post("/settings/mail/system/sending", form(bare.port, **local, security="starttls"))
        assert "не предлагает STARTTLS" in owner.post("/settings/mail/system/check/sign-in").text
    with DrippingServer() as slow:
        owner.post("/settings/mail/system/sending", form(slow.port, **local))
        answer = owner.post("/settings/mail/system/check/sign-in")
        assert answer.status_code == 422 and steps(answer.text)[-1] in ("false", "later")


def test_a_password_is_sealed_never_shown_and_sent_to_its_server_only(owner: Signed, cast: Cast, app: Flask) -> None:
    assert owner.post("/settings/mail/system/sending", form()).status_code == 303
    account = stored()
    assert "word-potok" not in account.sealed_password
    for tab in ("sending", "receiving", "other"):
        page = owner.get(f"/settings/mail/system/{tab}").text
        assert "word-potok" not in page and account.sealed_password not in page
    owner.post("/settings/mail/system/sending", form(587, password=""))  # another port of the same server: it stays
    assert unseal(stored().sealed_password, app.config["POTOK"].seal_key) == "word-potok"
    for url, values in (
        ("sending", form(password="", host="evil.example")),
        ("sending", form(password="", security="none")),
        ("sending", form(password="") | found(receive_host="evil.example")),
        ("receiving", {"host": "evil.example", "port": "993", "security": "tls", "username": "", "password": ""}),
    ):
        answer = owner.post(f"/settings/mail/system/{url}", values)
        assert answer.status_code == 422 and "введите пароль ещё раз" in answer.text
    assert (stored().host, stored().receive_host) == (HOST, "")


@pytest.mark.parametrize(
    "changed",
    [
        {"address": "нет"},
        {"address": ""},
        {"host": ""},
        {"host": "http://x/"},
        {"host": "a b"},
        {"port": "0"},
        {"port": "99999"},
        {"port": "x"},
        {"security": "magic"},
        {"timeout_s": "0"},
        {"address": "a@b.ru\r\nBcc: c@d.ru"},
        {"host": "x" * 300},
    ],
)
def test_bad_accounts_are_refused(owner: Signed, cast: Cast, changed: dict[str, str]) -> None:
    assert owner.post("/settings/mail/system/sending", form(25, **changed)).status_code == 422
    assert db.session.scalar(select(MailAccount)) is None


@pytest.mark.parametrize("changed", [{"per_day": "-1"}, {"per_hour": "x"}, {"per_letter": "9999999999"}, {"keep_sent": "y"}])
def test_bad_limits_are_refused(owner: Signed, cast: Cast, changed: dict[str, str]) -> None:
    owner.post("/settings/mail/system/sending", form())
    values = {"per_hour": "0", "per_day": "0", "per_letter": "0"} | changed
    assert owner.post("/settings/mail/system/other", values).status_code == 422


def test_an_employee_has_the_own_account_and_no_other(owner: Signed, manager: Signed, cast: Cast) -> None:
    own, others = cast.people["manager"], cast.people["designer"]
    assert manager.post("/me/mail/sending", form(address=f"manager@{DOMAIN}")).status_code == 303
    assert stored(kind="person").person_id == own
    for url in ("/settings/mail", "/settings/mail/system/sending", f"/settings/mail/person-{others}/sending"):
        assert manager.get(url).status_code == 403
    for url in (
        f"person-{others}/sending",
        "system/sending",
        "named-new/sending",
        "system/find/table",
        f"person-{others}/check/sign-in",
        f"person-{others}/remove",
        "system/oauth/google",
        "system/wake",
    ):
        assert manager.post(f"/settings/mail/{url}", form()).status_code in (403, 404)
    assert manager.post("/me/mail/sending", form(22, address=f"manager@{DOMAIN}")).status_code == 422  # no port of mail
    page = owner.get(f"/settings/mail/person-{own}/sending").text
    assert "Ольга Белова" in page and "word-potok" not in page
    assert owner.post(f"/settings/mail/person-{own}/remove").status_code == 303
    db.session.rollback()
    assert db.session.scalar(select(MailAccount)) is None


@pytest.mark.parametrize("which", ["person-0", "person-999999", "named-999999", "nobody", "person-99999999999999999", "environment", "me2"])
def test_accounts_there_are_not(owner: Signed, cast: Cast, which: str) -> None:
    assert owner.get(f"/settings/mail/{which}/sending").status_code == 404


def test_a_named_account_is_added_and_removed(owner: Signed, cast: Cast) -> None:
    answer = owner.post("/settings/mail/named-new/sending", form(address=f"info@{DOMAIN}"))
    account = stored(kind="named")
    assert answer.headers["Location"].endswith(f"/settings/mail/named-{account.id}/sending")
    assert f"info@{DOMAIN}" in owner.get("/settings/mail").text
    assert owner.post(f"/settings/mail/named-{account.id}/remove").status_code == 303


@needs_mail_host
def test_messages_leave_by_it_with_a_copy_in_the_sent_folder(owner: Signed, cast: Cast, app: Flask, names: FakeDns, host: MailHost) -> None:
    configure(app, retry_first_s=3600)
    owner.post("/settings/mail/system/sending", form() | found())
    limits = {"per_hour": "0", "per_day": "0", "per_letter": "0"}
    assert owner.post("/settings/mail/system/other", limits | {"keep_sent": "y", "copy_to_self": "y"}).status_code == 303
    before = {folder: len(host.mailbox(f"potok@{DOMAIN}", folder)) for folder in ("INBOX", "Sent")}
    cast.place()  # to the manager, and to the designer, who has no mailbox
    drain(Worker(app))
    sent = host.arrived(f"potok@{DOMAIN}", before["Sent"] + 1, "Sent")[-1]
    assert sent["To"] == f"Ольга Белова <manager@{DOMAIN}>"
    assert host.arrived(f"manager@{DOMAIN}")[-1]["Message-ID"] == sent["Message-ID"]
    assert host.arrived(f"potok@{DOMAIN}", before["INBOX"] + 1)[-1]["Message-ID"] == sent["Message-ID"]
    copy, arrived = (host.files(f"{who}@{DOMAIN}", folder)[-1] for who, folder in (("potok", "Sent"), ("manager", "INBOX")))
    assert (
        copy.replace(b"\r\n", b"\n").rstrip() == arrived[arrived.index(b"Content-Type: multipart") :].rstrip()
    )  # after what the host adds
    assert rfc2047.fields(copy.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))["message-id"] == sent["Message-ID"]
    answers = db.session.scalars(select(Delivery.answer).order_by(Delivery.id)).all()
    assert any(answer.startswith("250") for answer in answers) and any("550 5.1.1" in answer for answer in answers)
    assert "Марина Лисицына" in owner.get("/settings/messages?state=failed").text


@needs_mail_host
def test_a_copy_that_cannot_be_kept_harms_no_message(owner: Signed, cast: Cast, app: Flask, names: FakeDns, host: MailHost) -> None:
    owner.post("/settings/mail/system/sending", form() | found(receive_port="995"))
    owner.post("/settings/mail/system/other", {"per_hour": "0", "per_day": "0", "per_letter": "0", "keep_sent": "y"})
    before = len(host.mailbox(f"manager@{DOMAIN}"))
    cast.place()
    drain(Worker(app))
    host.arrived(f"manager@{DOMAIN}", before + 1)
    sent = db.session.scalars(select(Delivery.answer).where(Delivery.outcome == "sent")).one()
    assert sent.startswith("250") and "no copy" in sent
