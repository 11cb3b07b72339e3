"""What a person does at a board, in a browser."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect


def card(page: Page, number: str) -> Locator:
    return page.locator(".card").filter(has=page.locator(".card-number", has_text=number))


def column(page: Page, name: str) -> Locator:
    return (
        page.locator(".column")
        .filter(has=page.locator("h2, h3", has_text=name).filter(has_not=page.locator(".card *")))
        .filter(has=page.locator(f'.column-name :text-is("{name}")'))
    )


def drag(page: Page, number: str, to: str) -> None:
    """By the mouse, in steps, as a hand does."""
    moving = card(page, number)
    moving.scroll_into_view_if_needed()
    here = moving.bounding_box()
    cards = column(page, to).locator(".cards")
    cards.scroll_into_view_if_needed()
    here = moving.bounding_box()
    there = cards.bounding_box()
    assert here and there
    page.mouse.move(here["x"] + 40, here["y"] + 12)
    page.mouse.down()
    page.mouse.move(here["x"] + 60, here["y"] + 20, steps=3)
    page.mouse.move(there["x"] + 60, there["y"] + 30, steps=10)
    page.mouse.move(there["x"] + 62, there["y"] + 32, steps=2)
    page.mouse.up()


def by_menu(page: Page, number: str, to: str) -> None:
    """«Move to…» on the card."""
    moving = card(page, number)
    moving.scroll_into_view_if_needed()
    moving.hover()
    moving.locator("[data-menu]").click()
    page.locator("#menu").get_by_role("menuitem", name=to, exact=True).click()


def by_keys(page: Page, number: str, key: str) -> None:
    """Ctrl+arrow on the focused card."""
    card(page, number).locator(".card-link").focus()
    page.keyboard.press(f"Control+{key}")


def expect_in(page: Page, number: str, status: str) -> None:
    expect(column(page, status).locator(".card-number", has_text=number)).to_be_visible()


def expect_toast(page: Page, text: str) -> None:
    expect(page.locator(".toast").last).to_contain_text(text)


def quiet_bell(page: Page, url: str) -> int:
    """All notices read, those of the demo's past too. How many there are."""
    page.goto(url + "/bell/all")
    if page.locator(".notice[data-unread]").count():
        page.locator(".page-head button").click()
    expect(page.locator(".notice[data-unread]")).to_have_count(0)
    return page.locator(".notice").count()


def until(condition: Callable[[], Any], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
