"""`make pictures`: starts the demo, walks through it in Chromium, and takes the pictures of README and docs.

`python -m bench.pictures FOLDER all` takes every page instead, desktop and phone, light and dark, in both languages.
"""

import itertools
import re
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.crowd import people_of, server
from tests.chromium import ARGUMENTS, CHROMIUM

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
README = {"board": "/boards/1", "way": "/way", "order": "/orders/26", "told": "/settings/told", "message": "/settings/messages/217"}
ALL = README | {
    "edit": "/orders/26/edit",
    "me": "/me",
    "company": "/settings/company",
    "people": "/settings/people/2",
    "boards": "/settings/boards",
    "status": "/settings/boards/statuses/3/edit",
    "removal": "/settings/boards/statuses/3/remove",
    "rules": "/settings/rules",
    "rule": "/settings/rules/2",
    "rule-new": "/settings/rules/new",
    "templates": "/settings/templates",
    "template": "/settings/templates/1",
    "messages": "/settings/messages",
    "mail": "/settings/mail",
    "nothing": "/boards/1?q=%D1%84%D1%8B%D0%B2",
    "lost": "/orders/99999",
}
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
LOCALES = {"ru": "ru-RU", "en": "en-GB"}


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for language in LOCALES:
            with server(LANG=language) as (port, instance, _process):
                url, owner = f"http://127.0.0.1:{port}", people_of(instance)
                _make_messages(browser, url, owner, language)
                for size, theme in itertools.product(SIZES, ("light", "dark")):
                    if "all" in arguments or (size, theme) in (("desktop", "light"), ("desktop", "dark"), ("phone", "light")):
                        pages = ALL if "all" in arguments else README if language == "en" else {"board": "/boards/1"}
                        _take(browser, url, owner, language, size, theme, pages, folder)
        browser.close()


def _page(browser: Browser, language: str, size: str, theme: str) -> Page:
    return browser.new_context(locale=LOCALES[language], color_scheme=theme, **SIZES[size]).new_page()  # type: ignore[arg-type]


def _sign_in(page: Page, url: str, owner: tuple[str, str]) -> None:
    page.goto(url + "/sign-in")
    page.locator("#email").fill(owner[0])
    page.locator("#password").fill(owner[1])
    page.locator(".sign-in-box button[type=submit]").click()
    page.wait_for_url(re.compile("/boards/"))


def _make_messages(browser: Browser, url: str, owner: tuple[str, str], language: str) -> None:
    """Two moves, so that the log has messages."""
    page = _page(browser, language, "desktop", "light")
    _sign_in(page, url, owner)
    for column in (2, 3):
        card = page.locator(f"#column-{column} .card").nth(2)
        card.locator(".card-link").focus()
        page.keyboard.press("Control+ArrowRight")
        page.locator(".toast").last.wait_for()
        page.wait_for_timeout(300)
    page.context.close()


def _take(
    browser: Browser, url: str, owner: tuple[str, str], language: str, size: str, theme: str, pages: dict[str, str], folder: Path
) -> None:
    page = _page(browser, language, size, theme)
    page.goto(url + "/sign-in")
    if len(pages) > len(README):
        page.screenshot(path=folder / f"sign-in-{language}-{size}-{theme}.png")
    _sign_in(page, url, owner)
    for name, path in pages.items():
        page.goto(url + path)
        page.wait_for_timeout(400)
        page.screenshot(
            path=folder / f"{name}-{language}-{size}-{theme}.png", full_page=size == "phone" and not path.startswith(("/boards", "/way"))
        )
    page.context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
