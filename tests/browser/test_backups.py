"""Settings → Backups in a browser, in both languages: asked for, made, found on the disk, told where it fails, on a phone too."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import faults
from tests.browser.conftest import Site, Visits
from tests.browser.test_sign_in_pages import in_language

WORDS = {
    "ru": {"now": "Сделать копию сейчас", "begins": "Копия сейчас начнёт создаваться", "gone": "уже нет на месте"},
    "en": {"now": "Back up now", "begins": "The backup will start in a moment.", "gone": "no longer there"},
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_backup_is_asked_for_and_seen(visit: Visits, site: Site, tmp_path: Path, language: str) -> None:
    words, page = WORDS[language], visit("melnikov")
    in_language(page, site, language)
    page.goto(site.url + "/settings/people")
    page.locator("a[href='/settings/backups']").first.click()
    assert not faults(page)
    rows = page.locator("#backups tbody tr")
    before = rows.count()
    page.get_by_role("button", name=words["now"]).click()
    expect(page.locator("#toasts")).to_contain_text(words["begins"])
    made = rows.first
    expect(made.locator("code"), "it is there without a reload").to_contain_text("potok-", timeout=30_000)
    expect(rows).to_have_count(before + 1)
    expect(made).to_contain_text("Сергей Мельников")
    file = tmp_path / "instance" / "backups" / made.locator("code").inner_text()
    assert file.stat().st_mode & 0o777 == 0o600
    page.set_viewport_size({"width": 390, "height": 800})
    assert not faults(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    file.unlink()
    page.reload()
    expect(made).to_contain_text(words["gone"])


@pytest.mark.parametrize("language", ["ru", "en"])
def test_one_that_failed_says_why_there_and_at_the_bell(visit: Visits, site: Site, tmp_path: Path, language: str) -> None:
    words, page = WORDS[language], visit("melnikov")
    in_language(page, site, language)
    page.goto(site.url + "/settings/backups")
    folder = tmp_path / "instance" / "backups"
    if folder.is_dir():
        folder.rename(tmp_path / "elsewhere")
    folder.write_text("a file where the folder should be")
    page.get_by_role("button", name=words["now"]).click()
    failed = page.locator("#backups tbody tr").first
    expect(failed.locator("[data-state=failed]")).to_be_visible(timeout=30_000)
    expect(failed).to_contain_text(str(folder))
    expect(page.locator(".banner")).to_be_visible()
    assert not faults(page)
    page.locator("#bell[data-dot]").click(timeout=15_000)
    expect(page.locator("#menu")).to_contain_text(str(folder))
    with closing(sqlite3.connect(tmp_path / "instance" / "potok.db")) as connection:
        assert connection.execute("SELECT state FROM backup ORDER BY id DESC LIMIT 1").fetchone() == ("failed",)


def test_nobody_else_sees_it(visit: Visits, site: Site) -> None:
    page = visit("belova")
    with visit.expects("403 /settings/backups"):
        page.goto(site.url + "/settings/backups")
