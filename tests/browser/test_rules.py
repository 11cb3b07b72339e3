"""A rule from the first word to its letter, by keyboard alone: built, tried, tested on the past, switched on, and «Why»."""

import re

from playwright.sync_api import Page, expect

from tests.browser.board import card, expect_toast, until
from tests.browser.conftest import Site, Visits

MOST_TABS = 150


def tab_to(page: Page, selector: str) -> None:
    """Tab, Tab, Tab… until the focus is there. Nothing else moves it."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement?.matches(selector) ?? false", selector):
            return
    raise AssertionError(f"the keyboard can't get to {selector}")


def to_the_top(page: Page) -> None:
    """Where a new page begins."""
    page.evaluate("document.activeElement?.blur(); getSelection().collapse(document.body, 0)")


def choose(page: Page, selector: str, words: str) -> None:
    """In a list, by the arrow keys, until it says so."""
    tab_to(page, selector)
    for _ in range(30):
        if page.evaluate("words => document.activeElement.selectedOptions[0].textContent.includes(words)", words):
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{selector} has no {words}")


def press(page: Page, selector: str, key: str = "Enter") -> None:
    tab_to(page, selector)
    page.keyboard.press(key)


def build(page: Page, name: str, total: str) -> None:
    """«Когда заказ покупателя переходит в «Предоплата» и сумма не меньше … — отправить письмо бухгалтеру и менеджеру»."""
    press(page, "a[href*='/settings/rules/new?status=3']")
    page.wait_for_url(re.compile("/settings/rules/new"))
    tab_to(page, "input[name=mode]")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")  # a draft at first
    expect(page.locator("input[name=mode][value=draft]")).to_be_checked()
    tab_to(page, "input[name=name]")
    page.keyboard.type(name)
    press(page, "button[value=add-criterion]")
    expect(page.locator("select[name=op-0]")).to_be_visible()
    to_the_top(page)
    choose(page, "select[name=op-0]", "не меньше")
    tab_to(page, "input[name=value-0]")
    page.keyboard.type(total)
    choose(page, "select[name=template-0]", "Автору")
    for role in ("Бухгалтер", "Менеджер"):
        value = page.locator(".tick-list label", has_text=role).locator("input[name=to-0]").first.get_attribute("value")
        to_the_top(page)
        press(page, f"input[name=to-0][value='{value}']", "Space")
        expect(page.locator(f"input[name=to-0][value='{value}']")).to_be_checked()
    expect(page.locator(".sentence")).to_contain_text("сумма не меньше")
    expect(page.locator(".sentence")).to_contain_text("менеджеру и бухгалтеру")


def test_by_keyboard_alone_from_the_sentence_to_the_message_and_why(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    build(page, "Крупная предоплата", "100000")

    # tried on an order: nothing is sent
    tab_to(page, "input[name=try-order]")
    page.keyboard.type("К-0030")
    press(page, "button[formaction*='/try']")
    tried = page.locator("#rule-trial")
    expect(tried).to_contain_text("К-0030")
    expect(tried.locator(".verdict[data-verdict=true]").first).to_be_visible()
    expect(tried).to_contain_text("Тамара Гусева")
    # the last 30 days
    press(page, "button[formaction*='backtest']")
    expect(page.locator("#rule-backtest")).to_contain_text(re.compile("срабо"))
    assert site.mail.mail == []

    # switched on, and saved
    to_the_top(page)
    tab_to(page, "input[name=mode]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("input[name=mode][value=on]")).to_be_checked()
    press(page, "button[data-kind=primary][type=submit]")
    page.wait_for_url(re.compile("/settings/rules/[0-9]+#rule-advice$"))  # the manager gets an e-mail here already
    expect(page.locator("#rule-advice")).to_contain_text("уже получает")

    # a second rule, which will not fire
    page.goto(site.url + "/boards/1")
    build(page, "Очень крупная предоплата", "100000000")
    to_the_top(page)
    tab_to(page, "input[name=mode]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    press(page, "button[data-kind=primary][type=submit]")
    page.wait_for_url(re.compile("/settings/rules$"))

    # an order moves, and the message is there
    page.goto(site.url + "/boards/1")
    href = card(page, "К-0030").locator(".card-link").get_attribute("href")
    tab_to(page, f".card-link[href='{href}']")
    page.keyboard.press("Control+ArrowRight")
    expect_toast(page, "К-0030 → «Предоплата»")
    until(lambda: len(site.mail.mail) >= 4)
    ours = [one for one in site.mail.mail if "Ваш заказ" in str(one.get_body(("plain",)).get_content())]  # type: ignore[union-attr]
    assert sorted(str(one["To"]).split("<")[-1].split("@")[0] for one in ours) == ["belova", "guseva"]

    # why the other one did not fire
    page.goto(f"{site.url}{href}")
    press(page, ".event-why a")
    why = page.locator("details.event-why")
    expect(why).to_contain_text("Очень крупная предоплата")
    expect(why).to_contain_text("512")  # what was seen: 512 000
    expect(why).to_contain_text("100")  # what was wanted: 100 000 000
