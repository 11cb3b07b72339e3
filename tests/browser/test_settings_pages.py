"""Settings by keyboard, on narrow screens, in forced colours, and with names of any length."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, Visits

LONG = "Сверхдлинноеслово" * 7
LINK = "https://example.com/" + "a" * 90
NARROW = (
    "/me",
    "/settings/company",
    "/settings/people",
    "/settings/people/3",
    "/settings/people/new",
    "/settings/people?removing=2",
    "/settings/boards",
    "/settings/boards/1/edit",
    "/settings/boards/statuses/2/edit",
    "/settings/boards/statuses/2/remove",
    "/settings/boards/statuses/2/gate",
    "/settings/removed",
    "/settings/told",
    "/settings/rules",
    "/settings/rules/2",
    "/settings/rules/new",
    "/settings/rules/runs",
    "/settings/rules/runs?rule=2",
    "/settings/templates",
    "/settings/templates/1",
    "/settings/messages",
    "/settings/messages?q=a&days=30&rule=2",
    "/settings/mail",
    "/settings/gateways",
    "/settings/process",
    "/settings/journal",
    "/settings/journal?kind=signed_in",
    "/settings/hosts",
    "/settings/backups",
)
# Things of main that reach out of their panel or of the screen, cells whose content reaches over the next one, and headings that
# are squeezed into a heap of single messages.
OUTSIDE = """() => {
  const width = document.documentElement.clientWidth
  const found = document.documentElement.scrollWidth > width + 1 ? [`the page: ${document.documentElement.scrollWidth}`] : []
  const isCut = (element) => {
    for (let one = element.parentElement; one && one.localName !== "main"; one = one.parentElement)
      if (getComputedStyle(one).overflowX !== "visible") return true
  }
  for (const one of document.querySelectorAll("main :not(svg *, option, thead, thead *)")) {
    const { right, width: wide } = one.getBoundingClientRect()
    const around = one.closest(".panel, main").getBoundingClientRect()
    if (wide > 1 && right > around.right + 1 && !isCut(one)) found.push(one.cloneNode().outerHTML)
  }
  for (const cell of document.querySelectorAll("main td")) {
    const content = document.createRange()
    content.selectNodeContents(cell)
    const over = content.getBoundingClientRect().right - cell.getBoundingClientRect().right
    if (over > 2 && getComputedStyle(cell).overflowX === "visible" && getComputedStyle(cell).display === "table-cell" && !isCut(cell))
      found.push(`a cell: ${cell.textContent.trim().slice(0, 30)}`)
  }
  for (const heading of innerWidth > 768 ? document.querySelectorAll("main thead th") : []) {
    const content = document.createRange()
    content.selectNodeContents(heading)
    const isHeap = heading.clientWidth < 60 && content.getBoundingClientRect().height > 80
    if (isHeap) found.push(`a heading in a heap: ${heading.textContent.trim()}`)
  }
  return found
}"""


def name_at_length(page: Page, site: Site) -> None:
    """A status, a role, an employee, an organisation, a template and a rule with names that have no place to break at."""

    def save(path: str, form: str, **fields: str) -> None:
        page.goto(site.url + path)
        place = page.locator(f"form[action='{form}']")
        for name, value in fields.items():
            place.locator(f"[name={name}]").first.fill(value)
        with page.expect_navigation():
            place.locator("button[type=submit]").last.evaluate("button => button.form.requestSubmit()")

    save("/settings/boards/statuses/2/edit", "/settings/boards/statuses/2/change", name=LONG[:80])
    save("/settings/people", "/settings/people/roles/2/rename", name=LONG[:80])
    save("/settings/company", "/settings/company/organisations/1/change", name=LONG[:118])
    save("/settings/templates/1", "/settings/templates/save", name=LONG[:118], subject=f"{LINK} {LONG}", text=f"{LONG}\n{LINK}")
    save("/settings/rules/2", "/settings/rules/save", name=LONG[:118])
    save("/settings/people/3", "/settings/people/3/change", name=f"{LONG[:60]} {LONG[:40]}", email=f"{'a' * 60}@{'b' * 50}.example")


def test_forced_colours_show_what_is_on_and_narrow_screens_what_there_is(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    page.emulate_media(forced_colors="active")
    page.goto(site.url + "/settings/told")
    marks = page.evaluate(
        """() => [...document.querySelectorAll("button.cell")].map((cell) =>
          [cell.ariaPressed, getComputedStyle(cell.querySelector(".icon")).visibility, getComputedStyle(cell).borderTopWidth])"""
    )
    assert {tuple(one) for one in marks} == {("true", "visible", "2px"), ("false", "hidden", "0px")}
    page.goto(site.url + "/settings/rules")
    switches = page.evaluate(
        "() => [...document.querySelectorAll('.switch')].map((one) => [one.checked, getComputedStyle(one).backgroundColor])"
    )
    assert len({colour for on, colour in switches if on}) == 1 == len({colour for on, colour in switches if not on})
    assert len({colour for _on, colour in switches}) == 2
    assert page.locator(".sidenav [aria-current]").evaluate("one => getComputedStyle(one).outlineStyle") == "solid"

    # what is scrolled off, and on phones where one is
    page.emulate_media(forced_colors="none")
    page.set_viewport_size({"width": 1024, "height": 700})
    page.goto(site.url + "/settings/told")
    area = page.locator(".edges:has(> .matrix)")
    expect(area).to_have_attribute("data-after", "")
    name = page.get_by_role("rowheader", name="Предоплата")
    before = name.bounding_box()
    area.evaluate("area => area.scrollTo(1000, 0)")
    expect(area).not_to_have_attribute("data-after", "")
    expect(area).to_have_attribute("data-before", "")
    assert name.bounding_box() == before, "the column of names stays"
    page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/settings/company", "/settings/messages", "/settings/process"):
        page.goto(site.url + path)
        expect(page.locator(".sidenav [aria-current]")).to_be_in_viewport(ratio=1)

    # no name is too long
    name_at_length(page, site)
    page.goto(site.url + "/settings/people")
    expect(page.get_by_text(LONG[:80]).first).to_be_visible()
    found = []
    for path in NARROW:
        answer = page.goto(site.url + path)
        assert answer is not None and answer.status == 200, path
        for width in (1440, 1024, 320):
            page.set_viewport_size({"width": width, "height": 800})
            found += [f"{width} {path}: {what}" for what in page.evaluate(OUTSIDE)]
    assert not found, "\n".join(found)


def arrow_keys_only_choose(page: Page, site: Site) -> None:
    """In the filter of a board, and in the matrix, which writes a rule at each choice."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(site.url + "/boards/1")
    who = page.locator("select[name=who]")
    who.focus()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    chosen = str(who.evaluate("one => one.value"))
    page.wait_for_timeout(300)
    assert "who=" not in page.url
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"who={chosen}$"))
    expect(who).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.locator("a.brand").focus()  # out of the filter
    page.wait_for_url(re.compile(r"/boards/1\??$"))
    page.locator("select[name=who]").select_option(chosen)  # as the mouse does
    page.wait_for_url(re.compile(f"who={chosen}$"))
    # nor does the matrix write a rule at each arrow
    page.goto(site.url + "/settings/told")
    template = page.locator(".cell-message select").first
    was = str(template.evaluate("one => one.value"))
    template.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(300)
    expect(page.locator(".toast")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_have_count(1)
    page.reload()
    assert str(template.evaluate("one => one.value")) != was


def test_the_focus_stays_and_arrow_keys_only_choose(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    # a rule's switch, by keyboard
    page.goto(site.url + "/settings/rules")
    switch = page.get_by_role("switch").nth(1)
    name = str(switch.get_attribute("aria-label"))
    switch.focus()
    for is_on in (False, True):
        page.keyboard.press("Space")
        expect(page.locator(".toast").last).to_contain_text("включено" if is_on else "выключено")
        expect(page.get_by_role("switch", name=name)).to_be_checked(checked=is_on)
        expect(page.get_by_role("switch", name=name)).to_be_focused()
    # statuses are reordered by keyboard, on phones too
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(site.url + "/settings/boards")
    names = page.locator("#board-1 td.first .status")
    assert names.all_inner_texts()[:3] == ["Разработка проекта", "Проект готов", "Предоплата"]
    left, right = (page.get_by_role("button", name=f"«Предоплата» {side}") for side in ("левее", "правее"))
    left.focus()
    page.keyboard.press("Enter")
    expect(names.nth(1)).to_have_text("Предоплата")
    expect(left).to_be_focused()
    page.keyboard.press("Enter")
    expect(names.nth(0)).to_have_text("Предоплата")
    expect(right).to_be_focused()  # the first goes no further to the left
    # an inline save
    page.goto(site.url + "/settings/people")
    save = page.get_by_role("button", name="Сохранить название").nth(1)
    save.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(save).to_be_focused()
    arrow_keys_only_choose(page, site)
