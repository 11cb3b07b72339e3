"""The reference case whole, in Russian, against a real SMTP server with AUTH and STARTTLS."""

import re
from collections import Counter
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from tests.browser.board import by_keys, by_menu, card, column, drag, expect_in, expect_toast, until
from tests.browser.conftest import Site, Visits

TABLE = {
    "Разработка проекта": ["belova", "lisitsyna"],
    "Проект готов": ["belova"],
    "Предоплата": ["belova", "guseva"],
    "В производстве": ["belova", "novoseltsev"],
    "Сборка": ["belova", "novoseltsev"],
    "Готов к установке": ["belova"],
    "Оплачен": ["belova", "guseva"],
    "Оплачен и готов к установке": ["belova", "guseva"],
    "Установка": ["belova"],
    "Закрыт": ["belova"],
}
CUSTOMER = "Проверкина Вера"


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def status_of(message: EmailMessage) -> str:
    """The status a letter tells of, from its first line: «before → after» or «after»."""
    return text_of(message).splitlines()[0].split(" → ")[-1].strip()


def place(page: Page) -> str:
    """A new order by the quick add; its number."""
    page.locator("#quick-add summary").click()
    page.get_by_label("Заказчик").fill(CUSTOMER)
    page.get_by_label("Телефон").fill("+7 900 111-22-33")
    page.get_by_label("Изделие").fill("Кухня с островом")
    page.get_by_label("Сумма").fill("500 000")
    page.get_by_label("Дата отгрузки").fill("2026-12-24")
    page.get_by_role("button", name="Добавить").click()
    expect_toast(page, "через")
    return str(card(page, "К-0039").locator(".card-number").text_content())


def walk(page: Page, number: str) -> None:
    """The order through all statuses of both documents: by drag, menu, keyboard and the page's buttons."""
    drag(page, number, "Проект готов")
    expect_toast(page, f"{number} → «Проект готов»")
    by_menu(page, number, "Предоплата")
    expect_toast(page, f"{number} → «Предоплата»")
    # the production order is made from the card, and goes its way on its own board
    moving = card(page, number)
    moving.hover()
    moving.locator("[data-menu]").click()
    page.locator("#menu").get_by_role("menuitem", name=re.compile("Создать: заказ на производство")).click()
    expect_toast(page, "в «В производстве»")
    page.get_by_role("link", name="Производство", exact=True).click()
    work = column(page, "В производстве").locator(".card").filter(has_text=CUSTOMER).locator(".card-number").text_content()
    assert work is not None
    by_keys(page, work, "ArrowRight")
    expect_toast(page, f"{work} → «Сборка»")
    drag(page, work, "Готов к установке")
    expect_toast(page, f"{work} → «Готов к установке»")
    page.get_by_role("link", name="Заказы покупателей", exact=True).click()
    by_keys(page, number, "ArrowRight")
    expect_toast(page, f"{number} → «Оплачен и готов к установке»")  # by itself: its production order is ready
    expect_in(page, number, "Оплачен и готов к установке")
    card(page, number).locator(".card-link").click()
    page.locator(".stepper").get_by_role("button", name="Установка", exact=True).click()
    expect(page.locator(".status-button")).to_contain_text("Установка")
    page.get_by_role("link", name="Заказы покупателей", exact=True).first.click()
    by_menu(page, number, "Закрыт")
    expect_toast(page, f"{number} → «Закрыт»")
    expect_in(page, number, "Закрыт")


@pytest.mark.from_nothing
def test_moved_by_an_owner_exactly_the_sixteen_messages_arrive(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    number = place(page)
    walk(page, number)
    expected = Counter((status, who) for status, people in TABLE.items() for who in people)
    until(lambda: len(site.mail.mail) >= 16)
    page.wait_for_timeout(1500)
    arrived = Counter((status_of(one), str(one["To"]).split("<")[-1].split("@")[0]) for one in site.mail.mail)
    assert arrived == expected
    assert len({one["Message-ID"] for one in site.mail.mail}) == 16
    for message in site.mail.mail:
        who, text = str(message["To"]), text_of(message)
        if "belova" in who:
            assert "Ожидаемая установка: 24\u00a0декабря\u00a02026" in text
        elif "lisitsyna" in who:
            assert "Нужен проект" in text and "+7 900 111-22-33" in text and "Сумма" not in text
        elif "guseva" in who:
            assert "Сумма: 500\u00a0000\u00a0₽" in text and "Телефон" not in text
        else:
            assert "Дата отгрузки: 24\u00a0декабря\u00a02026" in text and "Сумма" not in text


def test_moved_by_the_manager_she_gets_none_of_her_own(visit: Visits, site: Site) -> None:
    page = visit("belova", by_form=True)
    number = place(page)
    walk(page, number)
    until(lambda: len(site.mail.mail) >= 7)
    page.wait_for_timeout(1500)
    arrived = Counter(str(one["To"]).split("<")[-1].split("@")[0] for one in site.mail.mail)
    assert arrived == {"lisitsyna": 1, "guseva": 3, "novoseltsev": 2, "belova": 1}  # the last: what the rule did was not her doing


class TestUndo:
    @pytest.fixture
    def undo_window_s(self) -> int:
        return 4

    def test_undo_within_the_window_sends_nothing(self, visit: Visits, site: Site) -> None:
        page = visit("melnikov")
        drag(page, "К-0038", "Предоплата")
        expect_toast(page, "2 письма через 4 с")
        page.get_by_role("button", name="Отменить").click()
        expect_toast(page, "К-0038 снова в «Разработка проекта»")
        expect_in(page, "К-0038", "Разработка проекта")
        by_menu(page, "К-0030", "Оплачен")
        expect_toast(page, "К-0030 → «Оплачен»")
        page.keyboard.press("Escape")
        page.locator("body").press("Control+z")
        expect_toast(page, "К-0030 снова в «Проект готов»")
        page.wait_for_timeout(6000)
        assert site.mail.mail == []

    def test_the_messages_can_be_read_in_the_log(self, visit: Visits, site: Site) -> None:
        page = visit("melnikov")
        by_menu(page, "К-0038", "Предоплата")
        until(lambda: len(site.mail.mail) == 2)
        page.goto(site.url + "/settings/messages")
        expect(page.locator(".messages-table")).to_contain_text("Тамара Гусева")
        page.get_by_role("link", name=re.compile("К-0038: Предоплата, осталось")).click()
        expect(page.locator(".attempts")).to_contain_text("принято")
        frame = page.frame_locator(".message-frame")
        expect(frame.locator("h1")).to_contain_text("К-0038: Предоплата")
        expect(frame.get_by_text("Осталось оплатить")).to_be_visible()
