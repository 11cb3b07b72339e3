"""The reference case's steps 1, 2 and 4 in Russian, by somebody who knows nothing but addresses and passwords: from there to
the letters in the mailboxes of a real Postfix and Dovecot, found by fake DNS and autoconfig."""

import shutil
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import Page, expect

from tests.browser.board import by_menu, card, expect_toast
from tests.browser.conftest import Ending, Site, Visits, started
from tests.fakenet import FakeDns, HttpsServer, autoconfig_xml
from tests.mailhost import IS_HERE, MailHost

pytestmark = [
    pytest.mark.mailhost,
    pytest.mark.skipif(not IS_HERE, reason="Postfix and Dovecot 2.3 are needed, and root: tests/install_mail.sh"),
]

DOMAIN = "melnikov.example"
HOST = f"mail.{DOMAIN}"
PEOPLE = ("potok", "melnikov", "belova", "kim", "novoseltsev", "guseva", "lisitsyna")
WORDS = {name: f"app password of {name}" for name in PEOPLE}


@pytest.fixture
def mail_host() -> Iterator[MailHost]:
    """The firm's domain on a loopback address: mail, DNS, and a description of itself."""
    ca = trustme.CA()
    users = {f"{name}@{DOMAIN}": word for name, word in WORDS.items()}
    with MailHost(ca, domain=DOMAIN, users=users, names=(HOST,)) as host, HttpsServer(ca, (f"autoconfig.{DOMAIN}",)) as web:
        web.pages[f"autoconfig.{DOMAIN}", "/mail/config-v1.1.xml"] = autoconfig_xml(DOMAIN, HOST)
        records = {(HOST, "A"): [host.address], (f"autoconfig.{DOMAIN}", "A"): [web.address], (DOMAIN, "MX"): [f"10 {HOST}."]}
        with FakeDns(records):
            yield host


@pytest.fixture
def site(tmp_path: Path, demo: Path, mail_host: MailHost, ending: Ending) -> Iterator[Site]:
    """No mail account is set; the firm's server has a certificate of an own authority."""
    shutil.copytree(demo, tmp_path / "instance")
    settings = {"DNS_SERVERS": mail_host.address, "SMTP_CA_FILE": mail_host.ca_file, "UNDO_WINDOW_S": "1"}
    with started(tmp_path, settings, ending) as (url, people, log):
        yield Site(url, mail_host, people, log)


def set_up(page: Page, address: str, word: str) -> None:
    """Address and password; the rest finds itself."""
    page.get_by_label("Адрес", exact=True).fill(address)
    page.locator("#sending-fields").get_by_label("Пароль").fill(word)
    page.get_by_role("button", name="Найти настройки").click()
    found = page.locator("#find-steps .verdict[data-verdict=true]")
    expect(found).to_contain_text(f"autoconfig.{DOMAIN}")
    expect(page.get_by_label("Сервер отправки")).to_have_value(HOST)
    page.get_by_role("button", name="Сохранить и проверить").click()
    verdicts = page.locator("#check-steps .verdict[data-verdict=true]")
    expect(verdicts).to_have_count(6, timeout=20_000)
    expect(verdicts.last).to_contain_text("Письмо в ящике")
    expect(page.locator("#account-health")).to_contain_text("работает")


def sender(message: EmailMessage) -> str:
    return str(message["From"]).split("<")[-1].rstrip(">")


def messages_to(site: Site, name: str, count: int) -> list[EmailMessage]:
    """What rules sent to somebody; letters of checks are left out."""
    arrived = site.mail.arrived(f"{name}@{DOMAIN}", count, within_s=20)
    return [one for one in arrived if one["X-Potok-Event"]]


def test_from_address_and_password_to_the_messages_in_the_mailboxes(visit: Visits, site: Site) -> None:
    # 1. The firm's account: found, seen, corrected, proved.
    admin = visit("melnikov")
    admin.goto(site.url + "/settings/mail")
    set_up(admin, f"potok@{DOMAIN}", WORDS["potok"])
    assert [one["Subject"] for one in site.mail.arrived(f"potok@{DOMAIN}")] == ["Поток: проверочное письмо"]
    admin.get_by_role("link", name="Получение писем").click()
    expect(admin.get_by_label("Сервер получения")).to_have_value(HOST)
    admin.get_by_role("link", name="Прочие настройки").click()
    admin.get_by_label("Писем в сутки, не больше").fill("500")
    admin.get_by_label("Класть копию в папку «Отправленные»").check()
    admin.get_by_role("button", name="Сохранить", exact=True).click()
    expect(admin.locator("#account-health")).to_contain_text("из 500 за сутки")

    # 2. Employees' accounts: one's own from one's own page, another's by the administrator, who never sees a password again.
    manager = visit("belova")
    manager.goto(site.url + "/me")
    manager.get_by_role("link", name="Настроить").click()
    set_up(manager, f"belova@{DOMAIN}", WORDS["belova"])
    admin.get_by_role("link", name="Тамара Гусева").click()
    set_up(admin, f"guseva@{DOMAIN}", WORDS["guseva"])
    admin.get_by_role("link", name="Ольга Белова").click()
    expect(admin.locator("#sending-fields #password")).to_have_value("")
    assert WORDS["belova"] not in admin.content()

    # 4. Who gets a rule's message: a named employee, the responsible, the author; from the responsible's own account.
    admin.goto(site.url + "/settings/rules/new")
    admin.get_by_label("Название правила").fill("Проект готов: всем, кто при деле")
    admin.get_by_label("Статус", exact=True).select_option(label="Проект готов")
    admin.get_by_label("С какой учётной записи").select_option(label="собственная ответственного")
    admin.get_by_label("Кому приходят ответы").select_option(label="тому, кто это сделал")
    admin.get_by_label("Шаблон сообщения").select_option(label="Автору — статус изменён")
    for who in ("responsible", "author"):
        admin.locator(f"input[name=to-0][value={who}]").check()
    admin.get_by_text("Указанные сотрудники и другие адреса").first.click()
    admin.locator(".action-to").first.get_by_label("Виктор Новосельцев").check()
    expect(admin.locator(".sentence")).to_contain_text("с собственной записи ответственного")
    admin.get_by_role("button", name="Сохранить").click()
    expect(admin.get_by_text("Проект готов: всем, кто при деле").locator("visible=true").first).to_be_visible()

    author = visit("kim")
    author.locator("#quick-add summary").click()
    author.get_by_label("Заказчик").fill("Проверкина Вера")
    author.get_by_label("Изделие").fill("Кухня с островом")
    author.get_by_role("button", name="Добавить").click()
    expect_toast(author, "К-0039")
    card(author, "К-0039").locator(".card-link").click()
    author.get_by_role("link", name="Изменить").first.click()
    author.get_by_label("Ответственный").select_option(label="Ольга Белова")
    author.get_by_role("button", name="Сохранить").first.click()
    expect(author.get_by_text("Ольга Белова").locator("visible=true").first).to_be_visible()

    admin.goto(site.url + "/boards/1")
    by_menu(admin, "К-0039", "Проект готов")
    for name in ("kim", "novoseltsev"):
        (message,) = messages_to(site, name, 1)
        assert sender(message) == f"belova@{DOMAIN}" and message["Reply-To"] == f"melnikov@{DOMAIN}"
    # the responsible has both: this rule's from her own account, and the matrix's from the firm's, with a copy kept there
    got = messages_to(site, "belova", 4)
    assert sorted(sender(one) for one in got if "Проект готов" in str(one["Subject"])) == [f"belova@{DOMAIN}", f"potok@{DOMAIN}"]
    assert "К-0039" in str(site.mail.arrived(f"potok@{DOMAIN}", 2, "Sent")[-1]["Subject"])
