"""What a person does at a board, in a browser."""

import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError, expect


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
    """«Move to…» on the card, until it is answered: the card itself is there at once."""
    moving = card(page, number)
    for is_last in (False, False, False, True):
        moving.scroll_into_view_if_needed()
        moving.hover()  # shows the button, until others' moves push the card away from under the pointer
        try:
            moving.locator("[data-menu]").click(timeout=20_000 if is_last else 2_000)
            break
        except TimeoutError:
            if is_last:
                raise
    with page.expect_response(re.compile("/orders/[0-9]+/move")):
        page.locator("#menu").get_by_role("menuitem", name=to, exact=True).click()


def by_keys(page: Page, number: str, key: str) -> None:
    """Ctrl+arrow on the focused card."""
    card(page, number).locator(".card-link").focus()
    page.keyboard.press(f"Control+{key}")


def messages(page: Page, text: str, code: str = "") -> None:
    """Keys as a Russian layout gives them; Playwright's own keyboard knows but the American one. code: the key, where it matters."""
    session = page.context.new_cdp_session(page)
    for message in text:
        session.send("Input.dispatchKeyEvent", {"type": "keyDown", "key": message, "code": code, "text": message})
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": message, "code": code})
    session.detach()


def open_menu(page: Page, number: str) -> Locator:
    """The card's menu, by keyboard alone."""
    card(page, number).locator(".card-link").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    menu = page.locator("#menu:popover-open [role=menu]")
    expect(menu).to_be_visible()
    return menu


def quick_add(page: Page, customer: str) -> None:
    """One order by the quick add, which stays open for the next."""
    if not page.locator("#quick-customer").is_visible():
        page.locator("[data-opens]:visible").click()
    page.locator("#quick-customer").fill(customer)
    page.locator("#quick-add button[type=submit]").click()


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


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
