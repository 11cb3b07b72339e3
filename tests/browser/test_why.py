"""«Why» in a browser: opened from the history by keyboard, kept open while the order changes, clean, and a page without scripts."""

import re

from playwright.sync_api import expect

from tests.browser.axe import faults
from tests.browser.board import by_menu, card, expect_toast
from tests.browser.conftest import Site, Visits


def test_why_opens_in_the_history_and_stays_open(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    by_menu(page, "К-0038", "Предоплата")
    expect_toast(page, "К-0038")
    card(page, "К-0038").locator("a").first.click()
    page.wait_for_url(re.compile("/orders/"))
    why = page.locator(".timeline .event-why").first
    why.locator("a").focus()
    page.keyboard.press("Enter")
    opened = page.locator("details.event-why")
    expect(opened.locator(".why-rule").first).to_contain_text("«Предоплата»")
    expect(opened.locator(".verdict .state").first).to_be_visible()
    assert not faults(page)
    lines, other = page.locator(".timeline > li").count(), visit("belova")
    other.goto(page.url)
    other.locator(".order-status form button").click()
    expect(page.locator(".timeline > li")).to_have_count(lines + 1)
    expect(opened).to_have_attribute("open", "")
    opened.locator("summary").click()
    expect(opened.locator(".why-rule").first).not_to_be_visible()


def test_why_is_a_page_without_scripts(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    by_menu(page, "К-0038", "Предоплата")
    expect_toast(page, "К-0038")
    card(page, "К-0038").locator("a").first.click()
    page.wait_for_url(re.compile("/orders/"))
    url = page.locator(".timeline .event-why a").first.get_attribute("href")
    plain = visit("belova", java_script_enabled=False)
    plain.goto(f"{site.url}{url}")
    expect(plain.locator("#why .why-rule").first).to_contain_text("«Предоплата»")
    expect(plain.locator("#why .why-rule a[href^='/settings']")).to_have_count(0)
    expect(plain.locator("#history, .history")).to_contain_text("Предоплата")
