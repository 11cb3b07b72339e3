"""axe on what opens: menu, bell, quick add, toast, to-do form, mentions; in light, dark and forced colours."""

import re

from playwright.sync_api import expect

from tests.browser.axe import faults
from tests.browser.board import by_menu, card, expect_toast
from tests.browser.conftest import Visits


def test_what_opens_is_clean(visit: Visits) -> None:
    other, page = visit("belova"), visit("melnikov")
    card(other, "К-0038").locator(".card-link").click()
    other.locator("#say-text").fill("@Сергей Мельников вопрос")
    other.keyboard.press("Control+Enter")
    expect(page.locator(".bell-count")).to_have_text(re.compile("[1-9]"))  # the demo's to-dos ring too, at their hour
    moving = card(page, "К-0037")
    moving.hover()
    moving.locator("[data-menu]").click()
    expect(page.locator("#menu [role=menu]")).to_be_visible()
    found = faults(page)
    page.keyboard.press("Escape")
    page.locator("#bell").click()
    expect(page.locator("#menu [role=dialog]")).to_be_visible()
    found += faults(page)
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.locator("#quick-customer")).to_be_focused()
    found += faults(page)
    page.keyboard.press("Escape")
    by_menu(page, "К-0037", "Предоплата")
    expect_toast(page, "К-0037 → «Предоплата»")
    found += faults(page)
    card(page, "К-0037").locator(".card-link").click()
    page.locator("#todo-new > summary").click()
    page.locator("#say-text").focus()
    page.keyboard.insert_text("@")
    expect(page.locator(".say-name").first).to_be_visible()
    found += faults(page)
    page.locator("#status-button").click()
    expect(page.locator("#menu [role=menu]")).to_be_visible()
    found += faults(page)
    assert not found, "\n".join(found)
