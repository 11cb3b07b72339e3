"""A real server (gunicorn and worker, as in production), a real SMTP server, a real Chromium."""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.watch import Watch
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.mailserver import USER, WORD, Certificates, MailServer, free_port
from tests.workers import start

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {"LANG": "ru_RU.UTF-8", "POLL_S": "0.2", "PASSWORD_HASH_COST": "cheap", "WEB_THREADS": "40", "INNER_HOSTS": "127.0.0.0/8"}
Ending = list[tuple[ForkServerProcess, Path]]  # web servers that were told to stop, with their logs
expect.set_options(timeout=20_000)  # two servers and two browsers share two cores


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker("browser")
            item.add_marker(pytest.mark.timeout(600))  # each of its steps has a limit of its own
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

    def forget_confirmations(self) -> None:
        """As if everybody had typed their password long ago."""
        with contextlib.closing(sqlite3.connect(self.log.parent / "instance" / "potok.db", timeout=20)) as connection, connection:
            connection.execute("UPDATE sign_in SET confirmed_at = '2020-01-01 00:00:00.000000'")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def undo_window_s() -> int:
    return 2


def make_instance(folder: Path, **settings: str) -> None:
    """What `python app.py migrate` makes in this new folder."""
    folder.mkdir()
    log = folder.with_suffix(".log")
    made = start("migrate", ENVIRONMENT | {"INSTANCE": str(folder)} | settings, log)
    made.join()
    assert made.exitcode == 0, log.read_text()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo workshop in Russian, made once for all workers of this run."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "demo").exists():
            make_instance(shared / "making")
            (shared / "making").rename(shared / "demo")
    return shared / "demo"


@pytest.fixture(scope="session")
def ending() -> Iterator[Ending]:
    """Nobody waits for them but at the very end."""
    servers: Ending = []
    yield servers
    for process, log in servers:
        process.join(20)
        is_ended = process.exitcode is not None
        process.kill()
        assert is_ended and "Traceback" not in log.read_text(), log.read_text()[-4000:]


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path, certificates: Certificates, undo_window_s: int, ending: Ending) -> Iterator[Site]:
    """Web and worker at a demo workshop of this test's own: a copy, or with the marker from_nothing made by `python app.py`."""
    if not request.node.get_closest_marker("from_nothing"):
        shutil.copytree(request.getfixturevalue("demo"), tmp_path / "instance")
    with MailServer(certificates) as mail:
        smtp = {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail.port),
            "SMTP_SECURITY": "starttls",
            "SMTP_USER": USER,
            "SMTP_PASSWORD": WORD,
            "SMTP_FROM": USER,
            "SMTP_FROM_NAME": "Кухни «Мельников»",
            "SMTP_CA_FILE": certificates.ca_file,
            "UNDO_WINDOW_S": str(undo_window_s),
        }
        with started(tmp_path, smtp, ending) as (url, people, log):
            yield Site(url, mail, people, log)


@contextlib.contextmanager
def started(folder: Path, settings: dict[str, str], ending: Ending) -> Iterator[tuple[str, dict[str, tuple[str, str]], Path]]:
    """(url, people, log) of a running demo workshop in Russian; nobody with DEMO=0. An exception in its log fails the test at the end.

    Where folder/instance is there, only web and worker are started, as the supervisor does; else it is `python app.py`, which
    makes a database, the demo and passwords first.
    """
    instance, log, port = folder / "instance", folder / "server.log", free_port()
    environment = ENVIRONMENT | {"INSTANCE": str(instance), "PORT": str(port)} | settings
    url = f"http://127.0.0.1:{port}"
    with _forked(environment, log, ending) if instance.exists() else _supervised(environment, log) as is_running:
        _wait(url, is_running, log)
        lines = (instance / "demo.txt").read_text().splitlines() if settings.get("DEMO") != "0" else []
        yield url, {line.split("@")[0].strip(): (line.split()[0], line.split()[1]) for line in lines if line.strip()}, log
    assert "Traceback" not in log.read_text(), log.read_text()[-4000:]


@contextlib.contextmanager
def _supervised(environment: dict[str, str], log: Path) -> Iterator[Callable[[], bool]]:
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=os.environ | environment, stdout=output, stderr=output)
    try:
        yield lambda: process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@contextlib.contextmanager
def _forked(environment: dict[str, str], log: Path, ending: Ending) -> Iterator[Callable[[], bool]]:
    log.touch()
    processes = [start(command, environment, log) for command in ("web", "worker")]
    try:
        yield lambda: all(process.is_alive() for process in processes)
    finally:
        for process in processes:
            process.terminate()
        web, worker = processes
        worker.join(20)  # it holds a connection to the mail server of the test
        ending.append((web, log))


def _wait(url: str, is_running: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url + "/healthz", timeout=2):
                return
        except OSError:
            assert is_running(), log.read_text()
            time.sleep(0.05)
    raise AssertionError(log.read_text())


class Visitor:
    """A person at a browser of their own."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.context, self.site = context, site
        self.page: Page = context.new_page()

    def sign_in(self, who: str) -> Page:
        """As the sign-in page does it, which has tests of its own."""
        email, password = self.site.people[who]
        door = self.site.url + "/sign-in"
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.context.request.get(door).text())
        assert token
        form = {"email": email, "password": password, "csrf_token": token[1]}
        self.context.request.post(door, form=form, max_redirects=0)
        self.page.goto(self.site.url + "/")
        self.page.wait_for_url(re.compile("/boards/"))
        return self.page

    def sign_in_by_form(self, who: str) -> Page:
        email, password = self.site.people[who]
        self.page.goto(self.site.url + "/sign-in")
        self.page.locator("#email").fill(email)
        self.page.locator("#password").fill(password)
        self.page.locator(".sign-in-box button[type=submit]").click()
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

    def __call__(self, who: str, *, by_form: bool = False, **options: object) -> Page:
        """A new browser in which this person has signed in and sees the first board."""
        settings = {
            "viewport": {"width": 1440, "height": 900},
            "locale": "ru-RU",
            "timezone_id": "Europe/Moscow",
            "reduced_motion": "reduce",
        } | options
        context = self._browser.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        self.watch.add(context)
        visitor = Visitor(context, self._site)
        self.made.append(visitor)
        return visitor.sign_in_by_form(who) if by_form else visitor.sign_in(who)


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visits]:
    visits = Visits(browser, site)
    yield visits
    try:
        visits.watch.check()
    finally:
        for visitor in visits.made:
            visitor.context.close()
