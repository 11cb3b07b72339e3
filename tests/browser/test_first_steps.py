"""An empty start in a browser: the firm is founded, the board says what is next, and hears of each step."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import faults
from tests.browser.conftest import Ending, make_instance, started
from tests.browser.watch import Watch


@pytest.mark.parametrize("width", [1440, 390], ids=["desktop", "phone"])
def test_from_the_empty_start_to_the_first_order(browser: Browser, tmp_path: Path, ending: Ending, width: int) -> None:
    make_instance(tmp_path / "instance", DEMO="0")
    with started(tmp_path, {"DEMO": "0"}, ending) as (url, _people, _log):
        context = browser.new_context(
            viewport={"width": width, "height": 850},
            locale="ru-RU",
            has_touch=width < 500,
            is_mobile=width < 500,
            reduced_motion="reduce",
        )
        context.set_default_timeout(20_000)
        watch = Watch()
        watch.add(context)
        page = context.new_page()
        page.goto(url)
        page.locator("input[name=language][value=ru]").check(force=True)
        fields = {"company": "Кухни", "name": "Анна", "email": "anna@firm.example", "password": "quiet-river-42"}
        fields["code"] = next(tmp_path.rglob("setup_code")).read_text()
        for name, value in fields.items():
            page.locator(f"[name={name}]").fill(value)
        page.locator("main button[type=submit], form button[type=submit]").last.click()
        page.wait_for_url(re.compile("/boards/"))
        steps = page.locator("#first-steps")
        expect(steps).to_contain_text("1 из 4")
        expect(steps.locator("li:not([data-done]) .button")).to_have_count(3)
        assert not faults(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        steps.get_by_role("link", name="Добавить заказ").click()
        page.get_by_label("Заказчик").fill("Вера")
        page.locator("#quick-add button[type=submit]").click()
        expect(steps).to_contain_text("2 из 4")  # heard of it, without a reload
        steps.get_by_role("button", name="Скрыть первые шаги").click()
        expect(steps).to_be_hidden()
        expect(page.locator(".card")).to_have_count(1)
        watch.check()
        context.close()
