"""Toasts on one page that stays open: one after the other, several at once, closed by hand; each undo while its window lives."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.board import by_keys, by_menu, card, column, expect_in, expect_toast
from tests.browser.conftest import Visits

DESIGN, READY, PREPAID, PAID = "Разработка проекта", "Проект готов", "Предоплата", "Оплачен"


@pytest.fixture
def undo_window_s() -> int:
    return 5


def _undo(page: Page, number: str) -> None:
    page.locator(".toast").filter(has_text=f"{number} →").locator("[data-undo]").click()


def test_a_toast_follows_the_first_one_that_has_gone(visit: Visits) -> None:
    page = visit("melnikov")
    for number in ("К-0036", "К-0037"):
        by_menu(page, number, READY)
        expect_toast(page, f"{number} → «{READY}»")
        expect(page.locator(".toast")).to_have_count(0)  # its window is over
    by_menu(page, "К-0038", PREPAID)
    page.locator(".toast [data-close]").click()
    expect(page.locator(".toast")).to_have_count(0)
    by_menu(page, "К-0038", READY)
    _undo(page, "К-0038")
    expect_in(page, "К-0038", PREPAID)
    expect_toast(page, f"К-0038 снова в «{PREPAID}»")


@pytest.mark.parametrize("undo_window_s", [60])
def test_each_of_several_moves_can_be_taken_back_the_newest_first_by_key(visit: Visits) -> None:
    page = visit("melnikov")
    for number in ("К-0036", "К-0037", "К-0038"):
        by_menu(page, number, PREPAID)
        expect_in(page, number, PREPAID)
    expect(page.locator("[data-undo]")).to_have_count(3)
    page.locator("body").click(position={"x": 5, "y": 5})
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    for number in ("К-0037", "К-0038"):
        expect_in(page, number, DESIGN)
    expect_in(page, "К-0036", PREPAID)
    _undo(page, "К-0036")
    expect_in(page, "К-0036", DESIGN)


@pytest.mark.parametrize("undo_window_s", [60])
def test_a_later_move_of_the_same_order_takes_the_place_of_its_toast(visit: Visits) -> None:
    page = visit("melnikov")
    by_keys(page, "К-0038", "ArrowRight")
    expect_in(page, "К-0038", READY)
    by_keys(page, "К-0038", "ArrowRight")
    expect_toast(page, f"К-0038 → «{PREPAID}»")
    expect(page.locator(".toast")).to_have_count(1)
    _undo(page, "К-0038")
    expect_in(page, "К-0038", READY)


@pytest.mark.parametrize("undo_window_s", [60])
def test_a_refusal_leaves_the_undo_of_another_order_standing(visit: Visits) -> None:
    page = visit("melnikov")
    by_menu(page, "К-0037", PAID)
    expect_toast(page, "К-0037")
    card(page, "К-0038").evaluate("(card) => (card.dataset.version = '99')")
    with visit.expects("409 /orders/*/move"):
        by_keys(page, "К-0038", "ArrowRight")
        expect(page.locator('.toast[data-kind="refused"]')).to_be_visible()
    _undo(page, "К-0037")
    expect_in(page, "К-0037", DESIGN)


def test_what_is_lost_on_the_way_is_said_each_time(visit: Visits) -> None:
    page = visit("melnikov")
    by_menu(page, "К-0037", PAID)
    expect(page.locator(".toast")).to_have_count(1)
    expect(page.locator(".toast")).to_have_count(0)
    with visit.allows("failed /*"):
        for _ in range(2):
            page.context.set_offline(True)
            by_keys(page, "К-0038", "ArrowRight")
            expect(page.locator('.toast[data-kind="refused"]')).to_contain_text("Нет связи")
            page.context.set_offline(False)
            expect(column(page, DESIGN).locator(".card-number", has_text="К-0038")).to_be_visible()
            page.locator(".toast [data-close]").last.click()
    by_keys(page, "К-0038", "ArrowRight")
    expect_toast(page, "К-0038 →")


def test_two_messages_of_one_page_load_stand_beside_each_other(visit: Visits) -> None:
    page = visit("melnikov")
    for text in ("Первое сообщение", "Второе сообщение", "Первое сообщение"):
        page.evaluate(
            """text => {
              const toast = document.createElement("div")
              toast.className = "toast"
              toast.dataset.seconds = "30"
              toast.textContent = text
              document.getElementById("toasts").append(toast)
            }""",
            text,
        )
    expect(page.locator(".toast")).to_have_text(["Второе сообщение", "Первое сообщение"])
