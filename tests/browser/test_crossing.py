"""Answers that come late, crossed, or not at all: in the end an open board is as a reload would show it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.board import by_keys, by_menu, card, expect_in, quick_add, until
from tests.browser.conftest import Site, Visits

# What a board shows of its columns: head, and for each card its id, version and words.
LOOK = """() => [...document.querySelectorAll('.column')].map((column) => [
  ...['h2', '.column-count', '.column-sum'].map((part) => column.querySelector(part).innerText.trim()),
  ...[...column.querySelectorAll('li[data-rank]')].map((item) =>
    [item.id, item.querySelector('[data-version]')?.dataset.version ?? 'empty', item.querySelector('h3')?.innerText].join(' ')),
])"""


class Held:
    """Answers that the server has given and the page has not got yet."""

    def __init__(self, page: Page, pattern: str | re.Pattern[str], most: int = 1) -> None:
        self._page, self._most = page, most
        self.answers: list[tuple[Route, APIResponse]] = []
        page.route(pattern, self._hold)

    def _hold(self, route: Route) -> None:
        answer = route.fetch()
        if len(self.answers) < self._most:
            self.answers.append((route, answer))
        else:
            self._page.wait_for_timeout(700)  # the stream is first
            route.fulfill(response=answer)

    def wait(self) -> None:
        until(lambda: self.answers or self._page.wait_for_timeout(50))

    def release(self) -> None:
        route, answer = self.answers[0]
        route.fulfill(response=answer)


@pytest.fixture
def expect_true(visit: Visits) -> Callable[[Page], None]:
    """That the page comes to show what a new one does."""

    def looks(page: Page) -> None:
        fresh = visit("melnikov")
        fresh.locator(".column").first.wait_for()
        truth = fresh.evaluate(LOOK)
        until(lambda: page.evaluate(LOOK) == truth or page.wait_for_timeout(200))
        page.wait_for_timeout(500)
        assert page.evaluate(LOOK) == truth

    return looks


def rename_a_status(admin: Page, site: Site) -> None:
    admin.goto(site.url + "/settings/boards")
    admin.locator("#status-1 .first a").click()
    admin.locator("#s-name").fill("Замер и проект")
    admin.get_by_role("button", name="Сохранить").click()
    expect(admin.locator("#status-1")).to_contain_text("Замер и проект")


def test_answers_to_two_quick_moves_cross(visit: Visits, expect_true: Callable[[Page], None]) -> None:
    page = visit("melnikov")
    first = Held(page, "**/move")
    by_keys(page, "К-0038", "ArrowRight")
    first.wait()
    by_keys(page, "К-0037", "ArrowRight")
    expect(page.locator(".toast").last).to_contain_text("К-0037")
    first.release()
    expect_true(page)


def test_parts_on_their_way_are_overtaken_by_a_move(visit: Visits, expect_true: Callable[[Page], None]) -> None:
    page, other = visit("melnikov"), visit("belova")
    move, fresh = Held(page, "**/move"), Held(page, "**/fresh*")
    by_keys(page, "К-0038", "ArrowRight")
    move.wait()
    by_menu(other, "К-0036", "Предоплата")  # told while an answer is on its way, so it is fetched
    expect_in(other, "К-0036", "Предоплата")
    page.wait_for_timeout(500)
    move.release()
    fresh.wait()
    by_keys(page, "К-0037", "ArrowRight")
    expect(page.locator(".toast").last).to_contain_text("К-0037")
    page.unroute("**/fresh*")
    fresh.release()
    expect_true(page)


def test_a_board_on_its_way_is_overtaken_by_a_move(visit: Visits, site: Site, expect_true: Callable[[Page], None]) -> None:
    page, admin = visit("melnikov"), visit("melnikov")
    whole = Held(page, re.compile(r"/boards/1(\?.*)?$"))
    rename_a_status(admin, site)
    whole.wait()
    by_keys(page, "К-0037", "ArrowRight")
    expect(page.locator(".toast").last).to_contain_text("К-0037")
    page.wait_for_timeout(500)
    whole.release()
    expect_true(page)


def test_an_answer_comes_when_nobody_waits_for_it_any_more(visit: Visits, expect_true: Callable[[Page], None]) -> None:
    page, other = visit("melnikov"), visit("belova")
    move = Held(page, "**/move")
    by_keys(page, "К-0038", "ArrowRight")
    move.wait()
    by_menu(other, "К-0037", "Предоплата")
    expect_in(page, "К-0037", "Предоплата")
    move.release()
    expect_true(page)


def test_a_new_card_comes_while_another_is_dragged(visit: Visits, expect_true: Callable[[Page], None]) -> None:
    page = visit("melnikov")
    placed = Held(page, "**/boards/1/place")
    quick_add(page, "Новый Заказчик")
    placed.wait()
    page.wait_for_timeout(700)  # the stream has told of it
    here = card(page, "К-0037").bounding_box()
    assert here
    page.mouse.move(here["x"] + 40, here["y"] + 12)
    page.mouse.down()
    page.mouse.move(here["x"] + 60, here["y"] + 60, steps=8)
    with visit.allows("htmx:oobErrorNoTarget*card-order-*"):  # its place waits, so that it is fetched once more
        placed.release()
        page.wait_for_timeout(700)
    page.keyboard.press("Escape")
    page.mouse.move(here["x"] + 40, here["y"] + 12, steps=8)
    page.mouse.up()
    page.locator("#quick-add [data-close]").click()
    expect_true(page)


def test_a_server_that_failed_once_is_asked_again(visit: Visits, expect_true: Callable[[Page], None]) -> None:
    page, other = visit("melnikov"), visit("belova")
    move, refused = Held(page, "**/move"), []

    def refuse_once(route: Route) -> None:
        refused.append(route)
        route.fulfill(status=503, body="") if len(refused) == 1 else route.continue_()

    page.route("**/fresh*", refuse_once)
    by_keys(page, "К-0038", "ArrowRight")
    move.wait()
    by_menu(other, "К-0036", "Предоплата")
    expect_in(other, "К-0036", "Предоплата")
    page.wait_for_timeout(500)
    with visit.expects("503 /fresh*"):
        move.release()
        until(lambda: refused or page.wait_for_timeout(50))
        expect_true(page)


def test_undo_by_keys_waits_for_the_move_that_is_on_its_way(visit: Visits) -> None:
    page = visit("melnikov")
    by_keys(page, "К-0038", "ArrowRight")
    expect(page.locator(".toast").last).to_contain_text("К-0038")
    Held(page, "**/move", most=0)
    by_keys(page, "К-0036", "ArrowRight")
    page.keyboard.press("Control+z")
    expect_in(page, "К-0036", "Разработка проекта")
    expect_in(page, "К-0038", "Проект готов")


def test_a_phones_switcher_follows_the_statuses(visit: Visits, site: Site) -> None:
    page, admin = visit("belova"), visit("melnikov")
    page.set_viewport_size({"width": 390, "height": 800})
    rename_a_status(admin, site)
    expect(page.locator(".switcher a").first).to_contain_text("Замер и проект")
    page.locator(".switcher a").nth(2).click()
    expect(page.locator(".switcher a").nth(2)).to_have_attribute("aria-current", "true")
    by_menu(admin_board(admin, site), "К-0038", "Проект готов")
    expect(page.locator(".switcher a").nth(1).locator("[data-count]")).to_have_text(admin.locator(".column-count").nth(1).inner_text())


def admin_board(admin: Page, site: Site) -> Page:
    admin.goto(site.url + "/boards/1")
    return admin
