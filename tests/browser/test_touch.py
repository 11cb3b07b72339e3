"""By thumb: targets of 44 px, the move button where nothing hovers, dragging beyond the edge of the screen, an order's page."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.board import card, column, expect_in, expect_toast
from tests.browser.conftest import Site, Visits

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
TABLET: dict[str, Any] = {"viewport": {"width": 1024, "height": 768}, "is_mobile": True, "has_touch": True}
THUMB = 44


def too_small(found: Locator) -> list[str]:
    """Those that are smaller than a thumb."""
    sizes: list[tuple[str, float, float]] = found.evaluate_all(
        "all => all.filter(one => one.checkVisibility()).map(one => [one.outerHTML.slice(0, 120), one.offsetWidth, one.offsetHeight])"
    )
    assert sizes
    return [f"{width}×{height} {html}" for html, width, height in sizes if min(width, height) < THUMB]


class Finger:
    """One finger on the screen, as the browser gets it."""

    def __init__(self, page: Page) -> None:
        self.page, self.session = page, page.context.new_cdp_session(page)
        self.x = self.y = 0.0

    def down(self, x: float, y: float) -> None:
        self._send("touchStart", x, y)
        self.page.wait_for_timeout(350)  # held, it lifts the card; a shorter touch scrolls

    def to(self, x: float, y: float, steps: int = 10) -> None:
        here = (self.x, self.y)
        for step in range(1, steps + 1):
            self._send("touchMove", here[0] + (x - here[0]) * step / steps, here[1] + (y - here[1]) * step / steps)
            self.page.wait_for_timeout(20)

    def up(self) -> None:
        self.session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def _send(self, kind: str, x: float, y: float) -> None:
        self.x, self.y = x, y
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})


@pytest.mark.parametrize("screen", [PHONE, TABLET], ids=["phone", "tablet"])
def test_a_thumb_finds_its_targets(visit: Visits, screen: dict[str, Any]) -> None:
    page = visit("belova", **screen)
    buttons = page.locator(".card .card-move [data-menu]")
    expect(buttons.first).to_be_visible()
    assert not too_small(buttons)
    assert not too_small(page.locator(".topbar :is(.icon-button, .phone-title, .topnav a, .search)"))
    assert not too_small(page.locator(".filterbar .chip"))
    card(page, "К-0038").locator("[data-menu]").tap()
    expect(page.locator("#menu [role=menu]")).to_be_visible()
    assert not too_small(page.locator("#menu .menu-item"))
    page.locator("#menu").get_by_role("menuitem", name="Проект готов", exact=True).tap()
    expect_toast(page, "К-0038 → «Проект готов»")
    page.locator("#bell").tap()
    expect(page.locator("#menu [role=dialog]")).to_be_visible()
    assert not too_small(page.locator("#menu :is(a, button)"))
    page.keyboard.press("Escape")
    page.locator("[data-opens]:visible").tap()
    expect(page.locator("#quick-customer")).to_be_visible()
    assert not too_small(page.locator("#quick-add :is(input:not([type=hidden]), select, button)"))


@pytest.mark.parametrize("screen", [PHONE, TABLET], ids=["phone", "tablet"])
def test_dragging_by_touch_scrolls_at_the_edge(visit: Visits, screen: dict[str, Any]) -> None:
    page = visit("melnikov", **screen)
    wide = screen["viewport"]["width"]
    box = card(page, "К-0037").bounding_box()
    assert box
    finger = Finger(page)
    finger.down(box["x"] + 60, box["y"] + 30)
    finger.to(wide - 12, box["y"] + 40)
    place = None
    for step in range(300):
        place = column(page, "Закрыт").bounding_box()
        if place and place["x"] + place["width"] / 2 < wide - 70:  # out of reach of the edge
            break
        finger.to(wide - 12 + step % 2, box["y"] + 40, steps=1)
    assert place
    finger.to(place["x"] + place["width"] / 2, box["y"] + 40)
    finger.up()
    expect_toast(page, "К-0037 → «Закрыт»")
    expect_in(page, "К-0037", "Закрыт")


def test_an_order_s_page_on_a_phone_has_no_button_without_a_word(visit: Visits, site: Site) -> None:
    page = visit("belova", **PHONE)
    card(page, "К-0038").locator(".card-link").tap()
    buttons = page.locator(".order-top :is(button, a, [role=button])")
    buttons.last.wait_for()
    for button in buttons.all():
        if button.is_visible():
            assert button.inner_text().strip(), button.evaluate("one => one.outerHTML")
    way = page.locator("#way")
    expect(way.get_by_role("listitem")).to_have_count(7)
    expect(way.get_by_role("button")).to_have_count(0)
    page.locator("#status-button").tap()
    page.locator("#menu").get_by_role("menuitem", name="Предоплата", exact=True).tap()
    expect(page.locator("#status-button")).to_contain_text("Предоплата")
    plain = visit("belova", java_script_enabled=False, **PHONE)
    plain.goto(page.url)
    plain.locator("#way").get_by_role("button", name="Оплачен", exact=True).tap()
    expect(plain.locator(".status-button")).to_contain_text("Оплачен")


def test_who_only_looks_sees_nothing_to_move_with(visit: Visits) -> None:
    for screen in ({}, TABLET):
        page = visit("lebedev", **screen)
        first = page.locator(".card").first
        first.hover()
        first.locator(".card-link").focus()
        expect(page.locator(".card-move:visible")).to_have_count(0)
        expect(page.locator("[data-opens]")).to_have_count(0)
    first.locator(".card-link").tap()
    expect(page.locator(".status-button")).to_be_visible()
    expect(page.locator(".order-top").get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("undo_window_s", [20])
def test_a_move_without_a_line_waits_for_it_and_happens_once(visit: Visits) -> None:
    page, other = visit("belova", **PHONE), visit("melnikov")
    card(page, "К-0038").locator("[data-menu]").tap()
    expect(page.locator("#menu [role=menu]")).to_be_visible()
    with visit.allows("failed /*"):
        page.context.set_offline(True)
        page.locator("#menu").get_by_role("menuitem", name="Проект готов", exact=True).tap()
        expect(card(page, "К-0038")).to_have_attribute("data-saving", "offline")
        expect_in_dom(page, "К-0038", "Проект готов")
        expect_toast(page, "Нет связи. Отправлю")
        expect_in(other, "К-0038", "Разработка проекта")
        page.context.set_offline(False)
        expect_in(other, "К-0038", "Проект готов")
    expect_toast(page, "К-0038 → «Проект готов»")
    assert card(page, "К-0038").get_attribute("data-saving") is None
    card(other, "К-0038").locator(".card-link").click()
    expect(other.locator("#timeline .mark")).to_have_count(2)  # placed, and moved once


def test_whoever_does_not_want_to_wait_for_the_line_takes_the_card_back(visit: Visits) -> None:
    page = visit("belova", **PHONE)
    card(page, "К-0038").locator("[data-menu]").tap()
    expect(page.locator("#menu [role=menu]")).to_be_visible()
    with visit.allows("failed /*"):
        page.context.set_offline(True)
        page.locator("#menu").get_by_role("menuitem", name="Проект готов", exact=True).tap()
        page.locator("[data-give-up]").tap()
        expect_in_dom(page, "К-0038", "Разработка проекта")
        expect(page.locator(".toast")).to_have_count(0)
        page.context.set_offline(False)
        page.reload()
    expect_in_dom(page, "К-0038", "Разработка проекта")


def expect_in_dom(page: Page, number: str, status: str) -> None:
    """In that column, which may be beside the screen."""
    expect(column(page, status).locator(".card-number", has_text=number)).to_have_count(1)
