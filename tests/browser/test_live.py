"""Two browsers: what one does, the other sees, without losing what its user types or drags."""

import re

from playwright.sync_api import Route, expect

from tests.browser.board import by_keys, by_menu, card, column, drag, expect_in, expect_toast, until
from tests.browser.conftest import Site, Visits


def test_a_second_browser_sees_the_move(visit: Visits, site: Site) -> None:
    first, second = visit("melnikov"), visit("belova")
    before = column(second, "Предоплата").locator(".column-count").inner_text()
    drag(first, "К-0038", "Предоплата")
    expect(column(second, "Предоплата").locator(".card-number", has_text="К-0038")).to_be_visible()
    expect(column(second, "Предоплата").locator(".column-count")).to_have_text(str(int(before) + 1))
    expect(column(second, "Разработка проекта").locator(".card-number", has_text="К-0038")).to_have_count(0)


def test_a_stale_move_is_refused_explained_and_the_card_put_in_its_true_place(visit: Visits, site: Site) -> None:
    first, second = visit("melnikov"), visit("belova")
    second.evaluate("document.querySelectorAll('[data-live-board]').forEach((one) => one.removeAttribute('data-live-board'))")
    second.route(re.compile("/(live|fresh)"), lambda route: route.abort())
    with visit.allows("failed /live*", "failed /fresh*"):
        by_menu(first, "К-0038", "Оплачен")
        expect_in(first, "К-0038", "Оплачен")
        second.locator("#card-order-38, .card").first.wait_for()
        card(second, "К-0038").evaluate("(one) => (one.dataset.version = '1')")
        with visit.expects("409 /orders/*/move"):
            drag(second, "К-0038", "Установка")
            expect(second.locator(".toast").last).to_have_attribute("data-kind", "refused")
        expect_toast(second, "Сергей Мельников")
        expect_toast(second, "«Оплачен»")
        expect_in(second, "К-0038", "Оплачен")
        second.close()  # it asks again for what it was not given, for as long as it is there


def test_typing_is_not_lost_when_others_move(visit: Visits, site: Site) -> None:
    first, second = visit("melnikov"), visit("belova")
    second.locator("#quick-add summary").click()
    second.get_by_label("Изделие").fill("Кухня для тёщи")
    second.get_by_label("Заказчик").fill("Полуно")
    drag(first, "К-0038", "Предоплата")
    expect_in(second, "К-0038", "Предоплата")
    expect(second.get_by_label("Заказчик")).to_have_value("Полуно")
    expect(second.get_by_label("Изделие")).to_have_value("Кухня для тёщи")
    expect(second.get_by_label("Заказчик")).to_be_focused()


def test_a_quick_add_stays_open_when_the_whole_board_is_drawn_anew(visit: Visits, site: Site) -> None:
    first, second = visit("melnikov"), visit("belova")
    second.locator("[data-opens]:visible").click()
    expect(second.locator("#quick-customer")).to_be_focused()
    first.goto(site.url + "/settings/boards")
    first.locator("#status-1 .first a").click()
    first.locator("#s-name").fill("Замер и проект")
    first.get_by_role("button", name="Сохранить").click()
    expect(second.locator(".column-name").filter(has_text="Замер и проект")).to_be_visible()
    expect(second.locator("#quick-customer")).to_be_focused()
    second.keyboard.type("Полунова")
    expect(second.locator("#quick-customer")).to_have_value("Полунова")


def test_a_drag_survives_what_others_move_meanwhile(visit: Visits, site: Site) -> None:
    first, second = visit("melnikov"), visit("belova")
    here = card(second, "К-0037").bounding_box()
    there = column(second, "Предоплата").locator(".cards").bounding_box()
    assert here and there
    second.mouse.move(here["x"] + 40, here["y"] + 12)
    second.mouse.down()
    second.mouse.move(there["x"] + 60, there["y"] + 30, steps=8)
    by_menu(first, "К-0036", "Предоплата")
    expect_in(first, "К-0036", "Предоплата")
    second.wait_for_timeout(1000)
    second.mouse.move(there["x"] + 64, there["y"] + 34, steps=2)
    second.mouse.up()
    expect_in(second, "К-0037", "Предоплата")
    expect_in(second, "К-0036", "Предоплата")
    expect_in(first, "К-0037", "Предоплата")


def test_after_a_broken_connection_the_board_catches_up(visit: Visits, site: Site) -> None:
    first, second = visit("melnikov"), visit("belova")
    with visit.allows("failed /live*"):
        second.route(re.compile(r"/live(\?|/)"), lambda route: route.abort())
        second.reload()
        by_menu(first, "К-0038", "Оплачен")
        expect_in(first, "К-0038", "Оплачен")
        second.wait_for_timeout(500)
        expect_in(second, "К-0038", "Разработка проекта")
        second.unroute(re.compile(r"/live(\?|/)"))
        expect(column(second, "Оплачен").locator(".card-number", has_text="К-0038")).to_be_visible()


def test_an_order_page_follows_its_order(visit: Visits, site: Site) -> None:
    first, second = visit("melnikov"), visit("belova")
    card(second, "К-0038").locator(".card-link").click()
    expect(second.locator(".status-button")).to_contain_text("Разработка проекта")
    second.wait_for_timeout(500)
    by_menu(first, "К-0038", "Предоплата")
    expect(second.locator(".status-button")).to_contain_text("Предоплата")
    expect(second.locator("#order-messages")).to_contain_text("Тамара Гусева")


def test_keys_move_within_and_between_columns_and_keep_the_focus(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    by_keys(page, "К-0037", "ArrowUp")
    expect(column(page, "Разработка проекта").locator(".card-number").first).to_have_text("К-0037")
    expect(card(page, "К-0037").locator(".card-link")).to_be_focused()
    by_keys(page, "К-0037", "ArrowRight")
    expect_toast(page, "К-0037 → «Проект готов»")
    expect(card(page, "К-0037").locator(".card-link")).to_be_focused()
    page.reload()
    expect_in(page, "К-0037", "Проект готов")


def test_the_whole_way_offers_production_and_refuses_across_documents(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    page.goto(site.url + "/way")
    card(page, "К-0030").hover()
    drag(page, "К-0030", "В производстве")
    page.get_by_role("button", name="Создать заказ на производство").click()
    expect_toast(page, "в «В производстве»")
    expect(column(page, "В производстве").locator(".card").filter(has_text="Ермаков Павел")).to_be_visible()
    drag(page, "П-0014", "Оплачен")
    expect_toast(page, "другого документа")
    expect_in(page, "П-0014", "Сборка")
    expect_in(page, "К-0030", "Проект готов")
    card(page, "К-0022").hover()
    expect(card(page, "П-0014")).to_have_attribute("data-selected", "")


def test_a_card_on_its_way_is_not_put_back_by_what_comes_late(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    item = page.locator("li", has=card(page, "К-0038"))
    order, status, rank = (
        item.evaluate(f"li => {what}") for what in ("li.id.slice(5)", "li.parentElement.dataset.cards", "li.dataset.rank")
    )
    held: list[Route] = []
    page.route("**/move", lambda route: held.append(route))  # noqa: PLW0108, Playwright looks at its arguments
    by_keys(page, "К-0038", "ArrowRight")
    until(lambda: held or page.wait_for_timeout(50))
    page.evaluate(
        "place => document.dispatchEvent(new CustomEvent('potok:place', { detail: { places: [place] } }))",
        {"order": int(order), "status": int(status), "rank": rank},
    )
    expect_in(page, "К-0038", "Проект готов")
    page.keyboard.press("Control+ArrowRight")
    expect_in(page, "К-0038", "Предоплата")
    for number in (1, 2):
        until(lambda number=number: len(held) == number or page.wait_for_timeout(50))  # type: ignore[misc]
        held[number - 1].continue_()
    expect_toast(page, "К-0038 → «Предоплата»")
    expect_in(page, "К-0038", "Предоплата")


def test_what_the_answer_to_a_move_has_shown_is_not_asked_for_again(visit: Visits) -> None:
    """Even where the stream tells of it before the answer is there."""
    page = visit("melnikov")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    def late(route: Route) -> None:
        answer = route.fetch()
        page.wait_for_timeout(700)
        route.fulfill(response=answer)

    page.route("**/move", late)
    for status in ("Проект готов", "Предоплата"):
        by_keys(page, "К-0038", "ArrowRight")
        expect_in(page, "К-0038", status)
        expect_toast(page, f"К-0038 → «{status}»")
    page.wait_for_timeout(500)
    assert [url for url in asked if "/fresh" in url] == []
