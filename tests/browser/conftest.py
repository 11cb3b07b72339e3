"""A real server (gunicorn and worker, as in production), a real SMTP server, a real Chromium."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.watch import Watch
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.mailserver import USER, WORD, Certificates, MailServer, free_port

ROOT = Path(__file__).parent.parent.parent
expect.set_options(timeout=20_000)  # two servers and two browsers share two cores


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker("browser")
            if CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip(reason="no Chromium on this machine, and it could not be installed: apt-get install chromium")
                )


@dataclass
class Site:
    """The running demo workshop. people: e-mail and password by the part before the @. mail: where its letters go."""

    url: str
    mail: Any
    people: dict[str, tuple[str, str]]
    log: Path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def undo_window_s() -> int:
    return 2


@pytest.fixture
def site(tmp_path: Path, certificates: Certificates, undo_window_s: int) -> Iterator[Site]:
    """`python app.py`, on a copy of nothing: it makes its database, its demo and its passwords."""
    with MailServer(certificates) as mail:
        smtp = {
            "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(mail.port), "SMTP_SECURITY": "starttls", "SMTP_USER": USER, "SMTP_PASSWORD": WORD,
            "SMTP_FROM": USER, "SMTP_FROM_NAME": "Кухни «Мельников»", "SMTP_CA_FILE": certificates.ca_file,
            "UNDO_WINDOW_S": str(undo_window_s),
        }  # fmt: skip
        with started(tmp_path, smtp) as (url, people, log):
            yield Site(url, mail, people, log)


@contextlib.contextmanager
def started(folder: Path, settings: dict[str, str]) -> Iterator[tuple[str, dict[str, tuple[str, str]], Path]]:
    """(url, people, log) of a running demo workshop in Russian; nobody with DEMO=0. An exception in its log fails the test at the end."""
    instance, log, port = folder / "instance", folder / "server.log", free_port()
    environment = os.environ | {
        "INSTANCE": str(instance), "PORT": str(port), "LANG": "ru_RU.UTF-8", "POLL_S": "0.1", "PASSWORD_HASH_COST": "cheap",
        "WEB_THREADS": "40",
    } | settings  # fmt: skip
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process, log)
        lines = (instance / "demo.txt").read_text().splitlines() if settings.get("DEMO") != "0" else []
        yield url, {line.split("@")[0].strip(): (line.split()[0], line.split()[1]) for line in lines if line.strip()}, log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()[-4000:]


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 40
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url + "/healthz", timeout=2):
                return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(log.read_text())


class Visitor:
    """A person at a browser of their own."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.context, self.site = context, site
        self.page: Page = context.new_page()

    def sign_in(self, who: str) -> Page:
        email, password = self.site.people[who]
        self.page.goto(self.site.url + "/sign-in")
        self.page.locator("#email").fill(email)
        self.page.locator("#password").fill(password)
        self.page.locator("button[name=submit]").click()
        self.page.wait_for_url(re.compile("/boards/"))
        return self.page


class Visits:
    """`visit("belova")` is a page of hers. What goes wrong in a page fails the test, unless it stands inside
    `with visit.expects("409 /orders/*/move"):` or `with visit.allows("failed /live*"):`. See tests/browser/watch.py."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser, self._site = browser, site
        self.made: list[Visitor] = []
        self.watch = Watch()
        self.expects, self.allows = self.watch.expects, self.watch.allows

    def __call__(self, who: str, **options: object) -> Page:
        """A new browser in which this person has signed in and sees the first board."""
        settings = {"viewport": {"width": 1440, "height": 900}, "locale": "ru-RU", "timezone_id": "Europe/Moscow"} | options
        context = self._browser.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        self.watch.add(context)
        visitor = Visitor(context, self._site)
        self.made.append(visitor)
        return visitor.sign_in(who)


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visits]:
    visits = Visits(browser, site)
    yield visits
    try:
        visits.watch.check()
    finally:
        for visitor in visits.made:
            visitor.context.close()
