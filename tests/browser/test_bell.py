"""The bell in a browser: a rule made in the editor rings it live; its list opens by mouse and keyboard; reading quiets it."""

from playwright.sync_api import Page, Route, expect

from tests.browser.board import by_menu, expect_toast, quiet_bell, until
from tests.browser.conftest import Site, Visits


def add_rule(page: Page, site: Site) -> None:
    """Whoever is responsible is told of each change of status by a notice."""
    page.goto(site.url + "/settings/rules/new")
    page.locator("input[name=name]").fill("Звонок")
    page.locator("select[name=trigger]").select_option("changed")
    expect(page.locator(".sentence")).to_contain_text("меняет статус")
    page.locator("select[name=channel-0]").select_option("notice")
    expect(page.locator("select[name=template-0]")).to_contain_text("Коротко")
    page.locator("input[name=to-0][value=responsible]").check()
    page.locator(".save-bar button[data-kind=primary]").click()
    page.wait_for_url("**/settings/rules")


def test_the_bell_rings_live_and_leads_to_the_order(visit: Visits, site: Site) -> None:
    admin, manager = visit("melnikov"), visit("belova")
    add_rule(admin, site)
    older = quiet_bell(manager, site.url)
    manager.goto(site.url + "/boards/1")
    bell = manager.locator("#bell")
    expect(bell).not_to_have_attribute("data-dot", "")
    admin.goto(site.url + "/boards/1")
    for number in ("К-0030", "К-0028"):
        by_menu(admin, number, "Оплачен")
        expect_toast(admin, number)
    expect(manager.locator(".bell-count")).to_have_text("2")
    bell.focus()
    manager.keyboard.press("Enter")
    menu = manager.locator("#menu")
    expect(menu.locator(".notice[data-unread]")).to_have_count(2)
    menu.get_by_role("button", name="К-0030").click()
    manager.wait_for_url("**/orders/*")
    expect(manager.locator(".bell-count")).to_have_text("1")
    manager.locator("#bell").click()
    manager.locator("#menu .notices-head button").click()
    expect(manager.locator("#bell")).not_to_have_attribute("data-dot", "")
    manager.goto(site.url + "/bell/all")
    expect(manager.locator(".notice")).to_have_count(older + 2)


def test_a_bell_that_is_being_drawn_anew_opens_its_list(visit: Visits, site: Site) -> None:
    page, held = visit("belova"), list[Route]()

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/bell", hold)
    page.goto(site.url + "/boards/1")
    until(lambda: held or page.wait_for_timeout(50))
    page.locator("#bell").click()
    expect(page.locator("#menu .notices-head")).to_be_visible()
    held.pop().continue_()
    expect(page.locator("#bell:not([hx-get])")).to_be_visible()
    expect(page.locator("#menu .notices-head")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#bell")).to_be_focused()
    page.reload()
    page.route("**/bell/list", hold)
    page.locator("#bell").click()
    until(lambda: any(route.request.url.endswith("/bell/list") for route in held) or page.wait_for_timeout(50))
    assert any(route.request.url.endswith("/bell") for route in held), "the bell itself has not been drawn yet"
    for route in held:
        route.continue_()
    expect(page.locator("#menu .notices-head")).to_be_visible()
