"""The rule editor and the template composer by hand: rows, what is not finished yet, Save in reach, fields with their labels."""

import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.board import until
from tests.browser.conftest import Site, Visits


def new_rule(visit: Visits, site: Site, **options: Any) -> Page:
    page = visit("melnikov", **options)
    page.goto(site.url + "/settings/rules/new")
    return page


def test_rows_come_and_go_and_the_focus_stays(visit: Visits, site: Site) -> None:
    page = new_rule(visit, site)
    add = page.get_by_role("button", name="Критерий", exact=True)
    for count in (1, 2, 3):
        add.click()
        expect(page.locator(".criterion")).to_have_count(count)
        expect(page.locator(":focus")).to_have_id("add-criterion-0")
    drops = page.get_by_role("button", name=re.compile("^Убрать критерий"))
    expect(drops).to_have_count(3)
    for button in drops.all():
        assert "#i-x" in str(button.locator("use").get_attribute("href")), "a cross, and not the plus that was clicked"
        assert str(button.get_attribute("value")).startswith("drop-criterion:")
    page.locator("[name=value-0]").fill("100")
    page.locator("[name=value-1]").fill("200")
    page.locator("[name=value-2]").fill("300")
    drops.nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".criterion")).to_have_count(2)
    expect(page.locator("[name=value-1]")).to_have_value("300")
    expect(page.locator(":focus")).to_have_id("drop-criterion-1")  # the next row's cross
    page.keyboard.press("Enter")
    expect(page.locator(".criterion")).to_have_count(1)
    expect(page.locator(":focus")).to_have_id("add-criterion-0")  # there is no further row
    page.get_by_role("button", name="Действие", exact=True).click()
    expect(page.locator("fieldset.action")).to_have_count(2)
    expect(page.locator(":focus")).to_have_id("add-action")
    page.get_by_role("button", name="Группа", exact=True).click()
    expect(page.locator(".criteria-group .criterion")).to_have_count(1)
    expect(page.locator(":focus")).to_have_id("add-group-0")

    # an answer that comes while one types
    page.goto(site.url + "/settings/rules/new")
    held: list[Route] = []
    page.route("**/settings/rules/draw", lambda route: held.append(route))  # noqa: PLW0108, Playwright looks at its arguments
    page.get_by_role("button", name="Критерий", exact=True).click()
    page.get_by_label("Название правила").press_sequentially("Пишу дальше")
    until(lambda: held)
    held[0].continue_()
    expect(page.locator(".criterion")).to_have_count(1)
    expect(page.get_by_label("Название правила")).to_have_value("Пишу дальше")


def test_a_slow_drawing_takes_back_neither_what_was_pressed_nor_a_trial(visit: Visits, site: Site) -> None:
    page = new_rule(visit, site)
    held: list[Route] = []
    page.route("**/settings/rules/draw", lambda route: held.append(route))  # noqa: PLW0108, Playwright looks at its arguments

    def asked(times: int) -> None:
        until(lambda: len(held) == times or page.wait_for_timeout(50))

    add = page.get_by_role("button", name="Критерий", exact=True)
    add.click()
    asked(1)
    add.click()  # waits for the first answer, as a double click does
    page.get_by_label("Условие старта").select_option("left")
    asked(2)
    held[1].continue_()
    expect(page.locator(".criterion")).to_have_count(1)
    expect(page.get_by_label("Условие старта")).to_have_value("left")
    page.get_by_label("Условие старта").select_option("entered")
    asked(3)
    held[2].continue_()
    expect(page.locator(".sentence")).to_contain_text("переходит в")
    expect(page.locator(".criterion")).to_have_count(1)

    add.click()
    asked(4)
    page.get_by_role("button", name="Действие", exact=True).click()  # waits for the answer
    page.locator("input[name=try-order]").fill("К-0030")  # beside the form
    held[3].continue_()
    asked(5)
    held[4].continue_()
    expect(page.locator(".criterion")).to_have_count(2)
    expect(page.locator("select[name=channel-1]")).to_have_count(1)
    expect(page.locator("input[name=try-order]")).to_have_value("К-0030")
    expect(page.locator("input[name=try-order]")).to_be_focused()

    # a trial while its drawing is on its way
    page.goto(site.url + "/settings/rules/2")
    page.get_by_label("Условие старта").select_option("paid")
    asked(6)
    with visit.expects("422 /settings/rules/try"):
        page.get_by_role("button", name="Проверить", exact=True).click()
        expect(page.locator("#rule-trial .outcome")).to_be_visible()
    held[5].continue_()
    expect(page.locator(".sentence")).to_contain_text("оплачено")
    expect(page.locator("#rule-trial .outcome")).to_be_visible()
    page.locator("input[name=tell_actor]").check()  # another rule: the trial was not of this one
    asked(7)
    held[6].continue_()
    expect(page.locator("#rule-trial .outcome")).to_have_count(0)


def test_the_bell_stays_beside_the_editor(visit: Visits, site: Site) -> None:
    page = new_rule(visit, site)
    page.locator("#bell").click()
    page.locator("#menu form button").first.click()
    expect(page.locator(".bell-count")).to_have_count(0)
    expect(page.locator("#bell")).to_be_visible()
    page.get_by_role("button", name="Критерий", exact=True).click()
    expect(page.locator(".criterion")).to_have_count(1)


def test_what_is_not_chosen_yet_is_no_broken_rule_and_lists_have_all(visit: Visits, site: Site) -> None:
    page = new_rule(visit, site)
    what = page.get_by_label("Что происходит")
    for key in [str(one.get_attribute("value")) for one in what.locator("option").all()]:
        what.select_option(key)
        expect(page.locator("select[name=channel-0] option:checked")).to_have_attribute("value", key)
        page.wait_for_timeout(300)
        expect(page.locator("#rule-editor [role=alert]")).to_have_count(0)
        expect(page.locator("#rule-editor .sentence")).not_to_contain_text(re.compile("больше нет|удал[её]н|нет в списке"))
    page.goto(site.url + "/settings/rules/2")
    for trigger in [str(one.get_attribute("value")) for one in page.get_by_label("Условие старта").locator("option").all()]:
        page.get_by_label("Условие старта").select_option(trigger)
        page.wait_for_timeout(300)
        expect(page.locator("#rule-editor [role=alert]")).to_have_count(0)

    # all choices of a list at once; the template of an action
    page.goto(site.url + "/settings/rules/new")
    page.get_by_role("button", name="Критерий", exact=True).click()
    page.locator("select[name=field-0]").select_option("status_before")
    page.locator("select[name=op-0]").select_option("in_list")
    ticks = page.locator("input[name=value-0]")
    expect(ticks.first).to_be_attached()
    page.get_by_role("button", name="Выбрать все", exact=True).click()
    expect(page.locator("input[name=value-0]:checked")).to_have_count(ticks.count())
    page.get_by_role("button", name="Снять все", exact=True).click()
    expect(page.locator("input[name=value-0]:checked")).to_have_count(0)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Открыть шаблон").click()
    expect(opened.value).to_have_url(re.compile(r"/settings/templates/\d+$"))


def test_save_is_in_reach_and_fields_come_with_their_labels(visit: Visits, site: Site) -> None:
    page = visit("melnikov")
    for width, height in ((1440, 700), (390, 700), (320, 568)):
        page.set_viewport_size({"width": width, "height": height})
        for path in ("/settings/rules/2", "/settings/templates/1"):
            page.goto(site.url + path)
            save = page.get_by_role("button", name="Сохранить", exact=True).locator("visible=true")
            expect(save).to_have_count(1)
            for share in (0, 0.5, 1):
                page.evaluate("share => scrollTo(0, share * document.documentElement.scrollHeight)", share)
                expect(save).to_be_in_viewport(ratio=1)
                box = save.bounding_box()
                assert box is not None
                middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
                on_top = page.evaluate("([x, y]) => document.elementFromPoint(x, y).closest('button')?.textContent.trim()", middle)
                assert on_top == "Сохранить"
    page.goto(site.url + "/settings/rules/2")
    page.get_by_label("Название правила").fill("Названо заново")
    page.get_by_role("button", name="Сохранить", exact=True).locator("visible=true").click()
    page.wait_for_url(re.compile(r"/settings/rules(/2#rule-advice)?$"))
    page.goto(site.url + "/settings/rules")
    expect(page.get_by_text("Названо заново")).to_be_visible()

    # a field comes with its label on an empty line, alone within one
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(site.url + "/settings/templates/new")
    text, insert = page.locator("#text"), page.locator("[data-insert*='order.ship_on']")
    text.fill("Добрый день!\n")
    text.press("End")
    insert.click()
    expect(text).to_have_value("Добрый день!\nДата отгрузки: {{ order.ship_on }}")
    text.press_sequentially(" или позже ")
    insert.click()
    expect(text).to_have_value("Добрый день!\nДата отгрузки: {{ order.ship_on }} или позже {{ order.ship_on }}")
    page.locator("#subject").click()
    insert.click()
    expect(page.locator("#subject")).to_have_value("{{ order.ship_on }}")
