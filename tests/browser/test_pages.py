"""Every page, as a browser sees it: no errors on the console, axe finds nothing serious, phones have no sideways scroll."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import DROP_REPEATED, LOOKS, faults
from tests.browser.board import by_menu, card, expect_toast
from tests.browser.conftest import Site, Visits
from tests.soak import SIZE

PAGES = (
    "/boards/1",
    "/boards/2",
    "/way",
    "/me",
    "/work",
    "/settings/company",
    "/settings/people",
    "/settings/people/2",
    "/settings/people/new",
    "/settings/boards",
    "/settings/boards/statuses/3/edit",
    "/settings/boards/statuses/3/remove",
    "/settings/boards/statuses/3/gate",
    "/settings/removed",
    "/settings/told",
    "/settings/rules",
    "/settings/rules/2",
    "/settings/rules/runs",
    "/settings/rules/new",
    "/settings/templates",
    "/settings/templates/1",
    "/settings/messages",
    "/settings/messages/1",
    "/settings/mail",
    "/settings/gateways",
    "/settings/gateways?sms=smpp",
    "/settings/templates/new?kind=short",
    "/settings/templates/6",
    "/bell/all",
    "/search?q=%D1%85%D0%B0%D1%81%D0%B0%D0%BD%D0%BE%D0%B2%D0%B0",
    "/boards/1?q=%D0%BD%D0%B5%D1%82%D1%82%D0%B0%D0%BA%D0%BE%D0%B3%D0%BE",
)


def paths(page: Page) -> tuple[str, ...]:
    """PAGES; of the order that moved and why, by the board's own links."""
    order = card(page, "К-0038").locator(".card-link").get_attribute("href")
    assert order
    page.goto(page.url.split("/boards")[0] + order)
    why = page.locator(".event-why a").first.get_attribute("href")
    assert why
    return (*PAGES, order, f"{order}/edit", why)


@pytest.mark.soak
def test_every_page_is_clean(visit: Visits, site: Site) -> None:
    """With all that unfolds unfolded, and in a soak in every look; the board also as it is."""
    looks = ("light",) if SIZE == "little" else tuple(LOOKS)
    page = visit("melnikov")
    by_menu(page, "К-0038", "Предоплата")
    expect_toast(page, "К-0038")
    found = faults(page)
    for path in paths(page):
        answer = page.goto(site.url + path)
        assert answer is not None and answer.status == 200, path
        page.evaluate("() => document.querySelectorAll('main details').forEach((one) => (one.open = true))")
        page.evaluate(DROP_REPEATED)
        found += faults(page, looks)
    assert not found, "\n".join(found)


def test_settings_are_clean_with_all_opened(visit: Visits, site: Site) -> None:
    """The editor with rows, groups, actions, checks and advice, a refusal; the matrix with a toast."""
    page = visit("melnikov")
    page.goto(site.url + "/settings/rules/new")
    for name, row in (("Критерий", "#criterion-0"), ("Группа", "#criteria-group-1"), ("Действие", "#action-1")):
        page.get_by_role("button", name=name, exact=True).first.click()
        expect(page.locator(row)).to_be_attached()
    page.locator("select[name=field-0]").select_option("status_before")
    page.locator("select[name=op-0]").select_option("in_list")
    expect(page.locator("[name=value-0]").first).to_be_attached()
    page.locator("select[name=channel-1]").select_option("todo")
    expect(page.locator("select[name=whose-1]")).to_be_visible()
    page.locator("[name=to-0]").first.check(force=True)
    expect(page.locator("#rule-editor .sentence")).to_contain_text("менеджеру")
    with visit.expects("422 /settings/rules/try", "422 /settings/rules/backtest", "422 /settings/rules/save"):
        page.get_by_role("button", name="Проверить", exact=True).click()
        expect(page.locator("#rule-trial .outcome")).to_be_visible()
        page.get_by_role("button", name="Посчитать", exact=True).click()
        expect(page.locator("#rule-backtest .outcome, #rule-backtest .figure")).to_be_visible()
        found = faults(page)
        page.get_by_role("button", name="Сохранить", exact=True).locator("visible=true").click()
        expect(page.get_by_role("alert").first).to_be_visible()
        found += faults(page)
    page.goto(site.url + "/settings/told")
    page.locator("button.cell[aria-pressed=false]").first.click()
    expect(page.locator(".toast")).to_be_visible()
    found += faults(page)
    assert not found, "\n".join(found)


def test_phones_have_no_sideways_scroll(visit: Visits, site: Site) -> None:
    page = visit("melnikov", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    by_menu(page, "К-0038", "Предоплата")
    expect_toast(page, "К-0038")
    wide = []
    for path in paths(page):
        page.goto(site.url + path)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
            wide.append(path)
    assert not wide


def test_a_thumb_moves_an_order_by_the_menu(visit: Visits, site: Site) -> None:
    page = visit("belova", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page.locator(".card").first.locator("[data-menu]").tap()
    page.locator("#menu").get_by_role("menuitem", name="Проект готов", exact=True).tap()
    expect_toast(page, "→ «Проект готов»")


def test_the_sign_in_page_is_clean(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    page.goto("about:blank")  # the board's stream would rightly say 401 without its cookies
    page.context.clear_cookies()
    for path in ("/sign-in", "/reset"):
        page.goto(site.url + path)
        assert not faults(page)
