"""Gates in the browser: the dialog asks for what is missing, whatever the way of moving; what is left goes back; undo takes all back."""

import contextlib
import json
import sqlite3

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import faults
from tests.browser.board import by_keys, by_menu, card, column, drag, expect_in, expect_toast
from tests.browser.conftest import Site, Visits

DESIGN, READY, PREPAID = "Разработка проекта", "Проект готов", "Предоплата"
PAID_HALF = {"field": "paid_percent", "op": "at_least", "value": 50}
ASKS = "422 /orders/*/move"


@pytest.fixture(autouse=True)
def guarded(site: Site) -> None:
    with contextlib.closing(sqlite3.connect(site.log.parent / "instance" / "potok.db", timeout=20)) as connection, connection:
        gate = json.dumps({"all": [PAID_HALF, {"field": "ship_on", "op": "filled"}]})
        connection.execute("UPDATE status SET gate = ? WHERE name = ?", (gate, PREPAID))


@pytest.fixture
def undo_window_s() -> int:
    return 30


def fill(page: Page, paid: str, comment: str = "") -> None:
    dialog = page.locator("dialog[open]")
    expect(dialog.locator("[name=paid]")).to_be_focused()
    dialog.locator("[name=paid]").fill(paid)
    dialog.locator("[name=comment]").fill(comment)
    dialog.locator("[data-kind=primary]").click()


def test_each_way_of_moving_is_asked_and_let_through_with_what_it_says(visit: Visits) -> None:
    page = visit("melnikov")
    with visit.expects(ASKS):
        drag(page, "К-0038", PREPAID)
        expect(page.locator("dialog[open]")).to_contain_text("К-0038")
        expect(card(page, "К-0038")).to_have_attribute("data-waiting", "")
        expect_in(page, "К-0038", PREPAID)  # where it is to go, until the answer
        assert faults(page) == []
        fill(page, "400 000", "Договор в салоне")
    expect(page.locator("dialog")).to_have_count(0)
    expect_toast(page, f"К-0038 → «{PREPAID}»")
    expect(card(page, "К-0038")).not_to_have_attribute("data-waiting", "")
    with visit.expects(ASKS):
        by_menu(page, "К-0037", PREPAID)
        fill(page, "372500")
    expect_in(page, "К-0037", PREPAID)
    expect(page.locator("dialog")).to_have_count(0)
    by_keys(page, "К-0036", "ArrowRight")
    expect_in(page, "К-0036", READY)
    expect_toast(page, f"К-0036 → «{READY}»")
    with visit.expects(ASKS):
        by_keys(page, "К-0036", "ArrowRight")
        fill(page, "800000")
    expect_in(page, "К-0036", PREPAID)
    expect(page.locator("dialog")).to_have_count(0)
    card(page, "К-0038").locator(".card-link").click()
    expect(page.locator("#history")).to_contain_text("Договор в салоне")
    expect(page.locator("#history")).to_contain_text("400 000 ₽")


def test_what_does_not_do_is_said_and_stays_typed_and_esc_leaves_the_order_where_it_was(visit: Visits) -> None:
    page = visit("melnikov")
    with visit.expects(ASKS):
        drag(page, "К-0038", PREPAID)
        fill(page, "100", "Задаток")
        expect(page.locator("dialog[open] [role=alert]")).to_contain_text("доля оплаты")
    expect(page.locator("dialog[open] [name=paid]")).to_have_value("100")
    expect(page.locator("dialog[open] [name=comment]")).to_have_value("Задаток")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect_in(page, "К-0038", DESIGN)
    drag(page, "К-0038", READY)  # the page goes on
    expect_in(page, "К-0038", READY)
    expect_toast(page, f"К-0038 → «{READY}»")


def test_the_card_finds_its_place_again_though_its_neighbours_have_left(visit: Visits) -> None:
    page, other = visit("melnikov"), visit("belova")
    with visit.expects(ASKS):
        drag(page, "К-0037", PREPAID)
        expect(page.locator("dialog[open]")).to_be_visible()
    by_menu(other, "К-0036", READY)  # it stood below
    expect_in(page, "К-0036", READY)
    page.keyboard.press("Escape")
    expect_in(page, "К-0037", DESIGN)
    assert column(page, DESIGN).locator(".card-number").all_inner_texts()[:3] == ["К-0038", "К-0037", "К-0035"]


def test_undo_takes_back_the_move_and_what_was_filled_in(visit: Visits) -> None:
    page = visit("melnikov")
    with visit.expects(ASKS):
        drag(page, "К-0038", PREPAID)
        fill(page, "486000")
    expect(card(page, "К-0038").locator(".paid")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect_in(page, "К-0038", DESIGN)
    expect(card(page, "К-0038").locator(".paid")).to_have_count(0)


def test_somebody_moves_it_while_the_dialog_stands_open(visit: Visits) -> None:
    page, other = visit("melnikov"), visit("belova")
    with visit.expects(ASKS, "409 /orders/*/move"):
        drag(page, "К-0038", PREPAID)
        expect(page.locator("dialog[open]")).to_be_visible()
        by_menu(other, "К-0038", READY)
        expect_in(other, "К-0038", READY)
        fill(page, "486000")
    expect(page.locator("dialog")).to_have_count(0)
    expect_in(page, "К-0038", READY)
    expect_toast(page, "Ольга Белова")


def test_a_second_device_of_the_same_person_moves_too(visit: Visits) -> None:
    one, two = visit("belova"), visit("belova")
    by_menu(one, "К-0037", READY)
    by_menu(two, "К-0036", READY)
    for page in (one, two):
        expect_in(page, "К-0037", READY)
        expect_in(page, "К-0036", READY)
