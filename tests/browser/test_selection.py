"""Several cards chosen: by key, click, tick, range and menu; moved together by menu and by hand, undone together; what stays and why."""

import contextlib
import json
import sqlite3

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import faults
from tests.browser.board import by_menu, card, column, expect_in, expect_toast, messages
from tests.browser.conftest import Site, Visits

DESIGN, READY, PREPAID, PAID = "Разработка проекта", "Проект готов", "Предоплата", "Оплачен"


@pytest.fixture
def undo_window_s() -> int:
    return 60


def chosen(page: Page) -> list[str]:
    return page.locator(".card[data-selected] .card-number").all_inner_texts()


def click(page: Page, number: str, *modifiers: str) -> None:
    card(page, number).click(modifiers=list(modifiers))  # type: ignore[arg-type]


def move_to(page: Page, status: str) -> None:
    page.locator("#bulk [data-menu]").click()
    page.locator("#menu").get_by_role("menuitem", name=status, exact=True).click()


def test_cards_are_chosen_in_every_way_and_let_go(visit: Visits) -> None:
    page = visit("melnikov")
    expect(page.locator("#bulk")).to_be_hidden()
    card(page, "К-0038").locator(".card-link").focus()
    messages(page, "ч", "KeyX")  # where X is on a Russian keyboard
    click(page, "К-0036", "Control")
    card(page, "К-0034").locator("[data-tick]").click(modifiers=["Shift"])
    card(page, "К-0030").locator("[data-tick]").click()
    assert chosen(page) == ["К-0038", "К-0036", "К-0035", "К-0034", "К-0030"]
    expect(page.locator("#bulk")).to_contain_text("Выбрано: 5")
    expect(page.locator("#bulk [data-sum]")).to_have_text("2 702 100 ₽")
    assert faults(page) == []
    click(page, "К-0035", "Control")
    assert len(chosen(page)) == 4
    page.keyboard.press("Escape")
    expect(page.locator("#bulk")).to_be_hidden()
    assert chosen(page) == [] and "data-selecting" not in (page.locator(".board").get_attribute("class") or "")
    moving = card(page, "К-0033")
    moving.hover()
    moving.locator("[data-menu]").click()
    page.locator("#menu [data-choose]").click()
    assert chosen(page) == ["К-0033"]


def test_they_move_together_with_one_toast_and_one_undo(visit: Visits) -> None:
    page, other = visit("melnikov"), visit("belova")
    for number in ("К-0038", "К-0037", "К-0030"):
        click(page, number, "Control")
    move_to(page, PREPAID)
    expect_toast(page, f"3 заказа → «{PREPAID}»")
    for seen in (page, other):
        for number in ("К-0038", "К-0037", "К-0030"):
            expect_in(seen, number, PREPAID)
    expect(page.locator("#bulk")).to_be_hidden()
    assert column(page, PREPAID).locator(".card-number").all_inner_texts()[:3] == ["К-0038", "К-0037", "К-0030"]
    page.keyboard.press("Control+z")
    for seen in (page, other):
        expect_in(seen, "К-0038", DESIGN)
        expect_in(seen, "К-0030", READY)
    expect_toast(page, "3 заказа снова на месте")


def test_they_are_dragged_together(visit: Visits) -> None:
    page = visit("melnikov")
    for number in ("К-0038", "К-0036"):
        click(page, number, "Control")
    here = card(page, "К-0036").bounding_box()
    there = column(page, PAID).locator(".cards").bounding_box()
    assert here and there
    page.mouse.move(here["x"] + 60, here["y"] + 30)
    page.mouse.down()
    page.mouse.move(here["x"] + 70, here["y"] + 40, steps=3)
    page.mouse.move(there["x"] + 60, there["y"] + 30, steps=10)
    page.mouse.up()
    expect_toast(page, f"2 заказа → «{PAID}»")
    expect(column(page, PAID).locator(".card-number").nth(1)).to_have_text("К-0036")
    assert column(page, PAID).locator(".card-number").all_inner_texts()[:2] == ["К-0038", "К-0036"]


def test_what_was_refused_is_named_stays_chosen_and_can_be_filled_in(visit: Visits, site: Site) -> None:
    with contextlib.closing(sqlite3.connect(site.log.parent / "instance" / "potok.db", timeout=20)) as connection, connection:
        gate = json.dumps({"all": [{"field": "paid_percent", "op": "at_least", "value": 50}]})
        connection.execute("UPDATE status SET gate = ? WHERE name = ?", (gate, PAID))
    page = visit("melnikov")
    for number in ("К-0038", "К-0023"):  # nothing is paid of the first
        click(page, number, "Control")
    move_to(page, PAID)
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("1 заказ остался")
    expect(dialog).to_contain_text("К-0038")
    assert faults(page) == []
    expect_in(page, "К-0023", PAID)
    expect_in(page, "К-0038", DESIGN)
    assert chosen(page) == ["К-0038"]
    with visit.expects("422 /orders/*/move"):
        dialog.get_by_role("button", name="Дополнить").click()
        page.locator("dialog[open] [name=paid]").fill("300000")
    page.locator("dialog[open] [data-kind=primary]").click()
    expect_in(page, "К-0038", PAID)
    expect(page.locator("dialog")).to_have_count(0)


def test_a_choice_outlasts_what_others_do(visit: Visits) -> None:
    page, other = visit("melnikov"), visit("belova")
    for number in ("К-0038", "К-0037"):
        click(page, number, "Control")
    by_menu(other, "К-0037", READY)
    expect_in(page, "К-0037", READY)
    assert sorted(chosen(page)) == ["К-0037", "К-0038"]
    move_to(page, PREPAID)
    expect_toast(page, f"2 заказа → «{PREPAID}»")
