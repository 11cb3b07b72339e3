"""Comments and to-dos in a browser: a mention by keyboard rings at once elsewhere; a to-do is given, seen, ticked."""

from playwright.sync_api import Page, Route, expect

from tests.browser.board import quiet_bell, until
from tests.browser.conftest import Site, Visits


def order_page(page: Page, site: Site) -> str:
    page.goto(site.url + "/boards/1")
    address = page.locator("article.card a[href^='/orders/']").first.get_attribute("href")
    assert address
    page.goto(site.url + address)
    return address


def test_a_mention_by_keyboard_is_heard(visit: Visits, site: Site) -> None:
    manager, designer = visit("belova"), visit("lisitsyna")
    address = order_page(manager, site)
    quiet_bell(designer, site.url)
    designer.goto(site.url + address)
    manager.locator("#say-text").focus()
    manager.keyboard.type("Нужен чертёж, @лис")
    expect(manager.locator("[data-name]:visible")).to_have_count(1)
    manager.keyboard.press("Enter")
    manager.keyboard.type("до пятницы")
    manager.keyboard.press("Control+Enter")
    expect(manager.locator("#timeline .mention")).to_have_text("@Марина Лисицына")
    expect(manager.locator("#say-text")).to_have_value("")
    expect(manager.locator("#say-text")).to_be_focused()
    expect(designer.locator("#timeline .said").first).to_have_text("Нужен чертёж, @Марина Лисицына до пятницы")
    expect(designer.locator(".bell-count")).to_have_text("1")


def test_to_dos_are_given_seen_and_ticked(visit: Visits, site: Site) -> None:
    manager, designer = visit("belova"), visit("lisitsyna")
    address = order_page(manager, site)
    designer.goto(site.url + "/work")
    older = designer.locator("#work .todo:not([data-done])").count()
    for number in range(6):
        manager.locator("#todo-new > summary").click()
        manager.locator("#todo-text").fill(f"Проверить размеры {number}")
        manager.locator("#todo-whose").select_option(label="Марина Лисицына")
        manager.locator("#todo-text").press("Enter")
        expect(manager.locator("#todos .todo-text", has_text=f"размеры {number}")).to_be_visible()
    expect(manager.locator(".order-body")).to_have_count(1)
    todos = designer.locator("#work .todo:not([data-done])")
    expect(todos).to_have_count(older + 6)
    todos.filter(has_text="размеры 0").locator(".todo-tick").focus()
    designer.keyboard.press("Space")
    expect(designer.locator("section", has=designer.locator("#work-done"))).to_contain_text("размеры 0")
    designer.goto(site.url + address)
    expect(designer.locator("#todos .todo[data-done]")).to_have_count(1)
    expect(manager.locator("#todos .todo[data-done]")).to_have_count(1)


def test_what_could_not_be_fetched_or_was_being_typed_in_is_fetched_later(visit: Visits, site: Site) -> None:
    manager, designer = visit("belova"), visit("lisitsyna")
    address = order_page(manager, site)
    designer.goto(site.url + address)
    lines = designer.locator(".timeline > li").count()
    designer.route(f"**{address}", lambda route: route.abort("connectionreset"), times=1)
    designer.route(f"**{address}", lambda route: route.fulfill(status=503, body="busy"), times=1)  # asked first
    with visit.allows(f"failed {address}", f"503 {address}"):
        manager.locator("#say-text").fill("Размеры у меня")
        manager.locator("#say-text").press("Control+Enter")
        expect(designer.locator(".timeline > li")).to_have_count(lines + 1)
    designer.locator("#say-text").press_sequentially("Вижу")
    manager.locator("#say-text").fill("И чертёж")
    manager.locator("#say-text").press("Control+Enter")
    expect(manager.locator(".timeline > li")).to_have_count(lines + 2)
    designer.wait_for_timeout(500)
    expect(designer.locator("#say-text")).to_have_value("Вижу")
    expect(designer.locator(".timeline > li")).to_have_count(lines + 1)
    designer.locator("#say-text").fill("")
    designer.locator("#say-text").blur()
    expect(designer.locator(".timeline > li")).to_have_count(lines + 2)


def test_a_late_answer_leaves_alone_what_is_being_filled_in(visit: Visits, site: Site) -> None:
    manager, designer = visit("belova"), visit("lisitsyna")
    address = order_page(manager, site)
    designer.goto(site.url + address)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    manager.route(f"**{address}", hold)
    designer.locator("#say-text").fill("Размеры у меня")
    designer.locator("#say-text").press("Control+Enter")
    until(lambda: held or manager.wait_for_timeout(50))
    manager.locator("#todo-new > summary").click()
    manager.locator("#todo-text").fill("Взять размеры")
    manager.locator("#todo-whose").select_option(label="Марина Лисицына")
    with manager.expect_response(f"**{address}"):
        held[0].continue_()
    manager.wait_for_timeout(500)
    assert manager.locator("#todo-whose option:checked").inner_text().strip() == "Марина Лисицына"
    manager.unroute(f"**{address}")
