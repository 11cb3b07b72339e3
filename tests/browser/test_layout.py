"""What stands where: columns while the page is still coming, first cards, long words on a small screen, narrow forms."""

import re

from playwright.sync_api import Page, expect

from tests.browser.board import card, expect_toast, quick_add
from tests.browser.conftest import Site, Visits

MOST_SHIFT = 0.02
SHIFTS = """
window.shifts = []
const note = (list) => window.shifts.push(...list.getEntries().map((entry) => entry.value))
new PerformanceObserver(note).observe({ type: "layout-shift", buffered: true })
"""


def test_columns_keep_their_width_while_the_page_comes(visit: Visits, site: Site) -> None:
    page = visit("melnikov", viewport={"width": 1920, "height": 1000})
    page.goto("about:blank")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 100, "downloadThroughput": 8000, "uploadThroughput": 8000}
    session.send("Network.emulateNetworkConditions", slow)
    page.add_init_script(SHIFTS)
    page.goto(site.url + "/boards/1", wait_until="commit")
    expect(page.locator(".column").last).to_be_visible()
    page.wait_for_timeout(500)
    assert sum(page.evaluate("window.shifts")) <= MOST_SHIFT


def test_first_cards_stand_on_one_line(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    page.goto(site.url + "/settings/boards/statuses/3/edit")
    page.locator("#s-name").fill("Согласование с дизайнером, заказчиком и начальником цеха")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/settings/boards(#.*)?$"))
    for wide in (1024, 1440, 1920):
        page.set_viewport_size({"width": wide, "height": 900})
        page.goto(site.url + "/boards/1")
        tops = page.locator(".column .cards").evaluate_all("all => all.map(one => one.querySelector('.card').getBoundingClientRect().top)")
        assert len(tops) == 7 and max(tops) - min(tops) < 1, (wide, tops)


def test_quick_add_in_a_narrow_column_cuts_nothing(visit: Visits) -> None:
    page = visit("melnikov", viewport={"width": 1440, "height": 1000})
    page.locator("[data-opens]:visible").click()
    page.locator("#quick-total").fill("1 234 567,50")
    cut = page.locator("#quick-add :is(input:not([type=hidden]), select)").evaluate_all(
        """all => all.filter(one => one.scrollWidth > one.clientWidth
          || one.getBoundingClientRect().right > one.closest('.quick').getBoundingClientRect().right).map(one => one.name)"""
    )
    assert cut == []
    sides = {name: page.locator(f"#quick-{name}").bounding_box() for name in ("total", "ship")}
    assert sides["total"] and sides["ship"] and sides["total"]["y"] < sides["ship"]["y"]


def outside(page: Page) -> list[str]:
    """What reaches beyond the screen and isn't inside something that scrolls or is hidden."""
    found: list[str] = page.evaluate("""() => {
      const wide = document.documentElement.clientWidth
      const most = document.documentElement.scrollWidth
      const inside = "svg, .sr-only, .board, .switcher, .filterbar, .segmented, .topnav"
      const out = [...document.querySelectorAll("body *")].filter((one) => {
        const box = one.getBoundingClientRect()
        return box.width && one.checkVisibility() && !one.closest(inside) && (box.right > wide + 1 || box.left < -1)
      })
      return [...(most > wide ? [`the page: ${most}`] : []), ...out.map((one) => one.outerHTML.slice(0, 100))].slice(0, 5)
    }""")
    return [f"{page.url.split('/', 3)[3]}: {one}" for one in found]


def test_long_words_wrap_on_a_small_screen(visit: Visits, site: Site) -> None:
    page = visit("melnikov", viewport={"width": 320, "height": 640}, has_touch=True)
    address = "https://example.com/" + "a" * 150
    quick_add(page, "Ж" * 90)
    expect_toast(page, "К-0039")
    assert not outside(page)
    card(page, "К-0039").locator(".card-link").click()
    page.locator("#say-text").fill(f"@Сергей Мельников @Ольга Белова {address}")
    page.locator("#say button[type=submit]").click()
    expect(page.locator("#timeline .said")).to_be_visible()
    page.locator("#todo-new > summary").click()
    page.locator("#todo-text").fill(address)
    page.locator("#todo-add button[type=submit]").click()
    expect(page.locator("#todos .todo-text")).to_be_visible()
    order = page.url
    page.goto(order + "/edit")
    values = {
        "title": address,
        "installation_address": "Ы" * 200,
        "description": address,
        "tags": f"{'т' * 30}, {'у' * 30}",
        "customer_email": f"{'a' * 50}@{'b' * 60}.example",
    }
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(value)
    page.locator(".order-form button[type=submit]").click()
    page.wait_for_url(order)
    found: list[str] = []
    others = ("/boards/1", "/way", "/work", "/me", "/search?q=К-0039", f"/boards/1?q={'Ж' * 80}")
    for path in (order, order + "/edit", *(site.url + other for other in others)):
        page.goto(path)
        page.wait_for_load_state("networkidle") if path == order else None
        found += outside(page)
    page.goto(order)
    page.locator("#status-button").click()
    expect(page.locator("#menu")).to_be_visible()
    found += outside(page)
    told = visit("belova", viewport={"width": 320, "height": 640}, has_touch=True)
    told.goto(site.url + "/bell/all")
    expect(told.locator(".notice").first).to_contain_text(address)
    found += outside(told)
    told.locator("#bell").click()
    expect(told.locator("#menu")).to_be_visible()
    found += outside(told)
    assert not found, "\n".join(found)
