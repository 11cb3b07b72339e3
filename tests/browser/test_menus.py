"""The move menu, the bell, the quick add and the search by keyboard alone: what is in them, and where the focus goes afterwards."""

import re
from urllib.parse import unquote

from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.browser.board import by_keys, card, column, expect_in, expect_toast, messages, open_menu, quiet_bell, until
from tests.browser.conftest import Site, Visits

DESIGN, READY, PREPAID, PAID = "Разработка проекта", "Проект готов", "Предоплата", "Оплачен"


def focused(page: Page) -> Locator:
    return page.locator("*:focus")


def test_the_move_menu_is_driven_by_arrows_and_messages_and_gives_the_focus_back(visit: Visits) -> None:
    page = visit("melnikov")
    menu = open_menu(page, "К-0038")
    expect(menu).to_have_accessible_name("К-0038: переместить в")
    expect(focused(page)).to_have_text(DESIGN)
    expect(focused(page)).to_have_attribute("aria-disabled", "true")  # it stands there already
    page.keyboard.press("ArrowDown")
    expect(focused(page)).to_have_text(READY)
    page.keyboard.press("End")
    expect(focused(page)).to_have_text("Открыть")
    page.keyboard.press("ArrowDown")
    expect(focused(page)).to_have_text(DESIGN)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    expect(focused(page)).to_have_text(DESIGN)
    messages(page, "предо")
    expect(focused(page)).to_have_text(PREPAID)
    page.wait_for_timeout(800)
    messages(page, "п")
    expect(focused(page)).to_have_text(READY)
    messages(page, "п")
    expect(focused(page)).to_have_text(PREPAID)
    page.keyboard.press("n")  # elsewhere it opens a new order
    expect(page.locator("#quick-customer")).not_to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#menu")).not_to_be_visible()
    expect(focused(page)).to_have_attribute("aria-label", "Переместить К-0038 в…")
    page.keyboard.press("Enter")
    expect(page.locator("#menu")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#menu")).not_to_be_visible()
    expect(card(page, "К-0037").locator(".card-link")).to_be_focused()


def test_the_focus_stays_with_a_card_that_moves_or_may_not(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    open_menu(page, "К-0038")
    messages(page, "предо")
    page.keyboard.press("Enter")
    expect_in(page, "К-0038", PREPAID)
    expect(card(page, "К-0038").locator(".card-link")).to_be_focused()
    expect_toast(page, f"К-0038 → «{PREPAID}»")
    # as fast as a hand can: each waits for the one before
    moved: list[Request] = []
    page.on("requestfinished", lambda request: moved.append(request) if request.url.endswith("/move") else None)
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(f"Control+{key}")
    expect(column(page, PAID).locator(".card-number").nth(1)).to_have_text("К-0038")
    expect(card(page, "К-0038").locator(".card-link")).to_be_focused()
    until(lambda: len(moved) == 4 or page.wait_for_timeout(50))
    page.reload()
    expect(column(page, PAID).locator(".card-number").nth(1)).to_have_text("К-0038")
    # refused: somebody else was there before
    with visit.expects("409 /orders/*/move"):
        card(page, "К-0037").evaluate("card => (card.dataset.version = 99)")
        held: list[Route] = []
        page.route("**/move", lambda route: route.continue_() if held else held.append(route))
        by_keys(page, "К-0037", "ArrowRight")
        until(lambda: held or page.wait_for_timeout(50))
        page.keyboard.press("Control+ArrowRight")  # while the first is on its way
        held[0].continue_()
        expect(page.locator(".toast[data-kind=refused]")).to_be_visible()
        page.unroute("**/move")
    expect_in(page, "К-0037", DESIGN)
    expect(card(page, "К-0037").locator(".card-link")).to_be_focused()
    # a card that leaves what is shown gives the focus to the next one of its column
    page.goto(f"{site.url}/way?q=0037")
    by_keys(page, "К-0037", "ArrowRight")
    expect_in(page, "К-0037", READY)
    expect(card(page, "К-0037").locator(".card-link")).to_be_focused()


def test_the_focus_stays_on_an_order_s_page(visit: Visits) -> None:
    page = visit("melnikov")
    card(page, "К-0038").locator(".card-link").click()
    step = page.locator(".stepper").get_by_role("button", name=PREPAID, exact=True)
    step.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".status-button")).to_contain_text(PREPAID)
    expect(page.locator("[aria-current=step] .step")).to_be_focused()
    page.locator("#status-button").focus()
    page.keyboard.press("ArrowUp")
    expect(focused(page)).to_have_text("Открыть")
    messages(page, "закр")
    page.keyboard.press("Enter")
    expect(page.locator(".status-button")).to_contain_text("Закрыт")
    expect(page.locator("#status-button")).to_be_focused()


def test_the_bell_opens_a_dialog(visit: Visits, site: Site) -> None:
    page, other = visit("belova"), visit("melnikov")
    card(other, "К-0038").locator(".card-link").click()
    quiet_bell(page, site.url)
    for text in ("@Ольга Белова раз", "@Ольга Белова два"):
        other.locator("#say-text").fill(text)
        other.keyboard.press("Control+Enter")
        expect(other.locator("#say-text")).to_have_value("")
    expect(page.locator(".bell-count")).to_have_text("2")
    bell = page.locator("#bell")
    bell.focus()
    page.keyboard.press("Space")
    dialog = page.get_by_role("dialog", name="Уведомления")
    expect(dialog.get_by_role("listitem").nth(1)).to_contain_text("@Ольга Белова раз")
    expect(page.locator("#menu [role=menuitem]")).to_have_count(0)
    expect(dialog.locator(".notice").first).to_be_focused()
    page.keyboard.press("End")
    expect(focused(page)).to_have_text("Все уведомления")
    page.keyboard.press("Home")
    expect(focused(page)).to_have_text("Прочитать все")
    page.keyboard.press("Escape")
    expect(bell).to_be_focused()


def test_quick_add_is_ready_for_the_next_order(visit: Visits) -> None:
    page = visit("melnikov")
    messages(page, "т", code="KeyN")
    customer = page.locator("#quick-customer")
    expect(customer).to_be_focused()
    for number, name in (("К-0039", "Первая Анна"), ("К-0040", "Второй Борис")):
        customer.fill(name)
        page.locator("#quick-title").fill("Кухня")
        page.keyboard.press("Enter")
        expect_toast(page, f"{number} в «{DESIGN}»")
        expect(customer).to_be_focused()
        expect(customer).to_have_value("")
        expect(page.locator("#quick-title")).to_have_value("")
    page.locator("#quick-total").fill("много")
    customer.fill("Третья Вера")
    with visit.expects("422 /boards/1/place"):
        page.keyboard.press("Enter")
        expect(page.locator("#quick-total")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#quick-add")).not_to_have_attribute("open", "")
    expect(column(page, DESIGN).locator(".card-number").first).to_have_text("К-0040")


def test_every_page_searches(visit: Visits, site: Site) -> None:
    page = visit("belova")
    messages(page, ".", code="Slash")  # the key of / in a Russian layout
    search = page.get_by_role("searchbox", name="Поиск по этой доске")
    expect(search).to_be_focused()
    page.keyboard.insert_text("хасанова")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q="))
    expect(page.locator(".card")).to_have_count(1)
    expect(search).to_be_focused()
    page.goto(site.url + "/work")
    page.keyboard.press("/")
    page.keyboard.insert_text("хасанова")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/search"))
    assert unquote(page.url).endswith("/search?q=хасанова")
    found = page.locator(".found li")
    expect(found).to_have_count(2)  # with the order for the workshop
    expect(found.last).to_contain_text("К-0021")
    expect(found.last).to_contain_text("Заказы покупателей")
    expect(page.get_by_role("searchbox")).to_be_focused()
    phone = visit("belova", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    phone.get_by_role("link", name="Поиск", exact=True).tap()
    phone.get_by_role("searchbox").fill("0021")
    phone.get_by_role("button", name="Найти").tap()
    phone.get_by_role("link", name=re.compile("К-0021")).tap()
    expect(phone.get_by_role("link", name=re.compile(r"^\+7 900"))).to_have_attribute("href", re.compile(r"^tel:\+7900\d{7}$"))
