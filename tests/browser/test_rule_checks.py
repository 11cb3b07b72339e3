"""Beside the rule editor, in a browser: what is not saved is tried and tested; the letter comes to the admin alone; an old
version is restored, and a rule that only logs sends nothing."""

import re

from playwright.sync_api import Page, expect

from tests.browser.board import by_menu, expect_toast, until
from tests.browser.conftest import Site, Visits


def press(page: Page, action: str) -> None:
    page.locator(f"#rule-aside button[formaction$={action}]").press("Enter")


def save(page: Page) -> None:
    page.locator(".save-bar button[data-kind=primary]").click()
    page.wait_for_url("**/settings/rules")


def test_a_rule_is_tried_tested_logged_and_restored(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    rule = site.url + "/settings/rules/2"
    page.goto(rule)
    sentence = page.locator(".sentence").inner_text()
    page.locator("button[value=add-criterion]").press("Enter")
    page.locator("select[name=op-0]").select_option("at_least")
    expect(page.locator("select[name=op-0]")).to_have_value("at_least")
    page.locator("input[name=value-0]").fill("1")
    page.locator("input[name=value-0]").press("Tab")
    expect(page.locator(".sentence")).to_contain_text("₽")
    page.locator("input[name=try-order]").fill("К-0030")
    press(page, "try")
    expect(page.locator("#rule-trial .outcome")).to_have_attribute("data-outcome", "yes")
    expect(page.locator("#rule-trial")).to_contain_text("К-0030")
    expect(page.locator("input[name=try-order]")).to_have_value("К-0030")
    press(page, "send-to-me")
    expect(page.locator("#rule-trial .note")).to_be_visible()
    until(lambda: len(site.mail.mail) == 1)
    assert site.people["melnikov"][0] in str(site.mail.mail[0]["To"])
    press(page, "backtest")
    expect(page.locator("#rule-backtest .figure b")).to_have_text(re.compile(r"^\d+$"))
    page.locator("input[name=mode][value=log]").check(force=True)
    expect(page.locator("#rule-trial .outcome")).to_have_count(0)
    save(page)
    page.goto(rule)
    expect(page.locator(".versions > li")).to_have_count(2)
    expect(page.locator("input[name=mode][value=log]")).to_be_checked()
    page.locator(".versions form button").press("Enter")
    page.wait_for_url(rule)
    expect(page.locator(".sentence")).to_have_text(sentence)
    expect(page.locator(".versions > li")).to_have_count(3)
    page.goto(site.url + "/boards/1")
    by_menu(page, "К-0038", "Проект готов")
    expect_toast(page, "К-0038")
    page.goto(rule)
    expect(page.locator("input[name=mode][value=log]")).to_be_checked()
    assert len(site.mail.mail) == 1, "it logged only"


def test_the_side_follows_the_trigger(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    page.goto(site.url + "/settings/rules/new")
    expect(page.locator("select[name=try-other]")).to_be_visible()
    page.locator("select[name=trigger]").select_option("paid")
    expect(page.locator("input[name=try-was]")).to_be_visible()
    expect(page.locator("select[name=try-other]")).to_have_count(0)
