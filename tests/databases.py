"""One SQLite and one PostgreSQL database for each worker of the tests. What fills one is kept under a name, and stands there
again in a few milliseconds: the file is copied, or the rows.
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from flask import Flask

from kanban.db import Base, db

EMPTY = "empty"


class Database(Protocol):
    url: str

    def keep(self, name: str) -> None:
        """Keeps what is there now; nobody may be at work on it."""

    def restore(self, name: str) -> None:
        """What was kept, and nothing else; who is connected already connects anew."""


class SqliteDatabase:
    """A file. Whoever still has the former one open keeps it to himself."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / "potok.db"
        self.url = f"sqlite:///{self._path}"
        engine = sa.create_engine(self.url)
        Base.metadata.create_all(engine)
        engine.dispose()
        self.keep(EMPTY)

    def keep(self, name: str) -> None:
        with contextlib.closing(sa.create_engine(self.url).raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self._path, self._folder / f"{name}.kept")

    def restore(self, name: str) -> None:
        fresh = self._folder / "fresh"
        shutil.copy(self._folder / f"{name}.kept", fresh)
        for ending in ("-wal", "-shm"):
            Path(f"{self._path}{ending}").unlink(missing_ok=True)
        fresh.replace(self._path)


class PostgresqlDatabase:
    """Kept rows stand in a schema of their own. By this function they are there again in 4 ms; TRUNCATE or a copy of the whole
    database takes ten times as long."""

    def __init__(self, url: str) -> None:
        self.url = url
        engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
        self._connection = engine.connect()
        self._run("SET lock_timeout = 20000", "SET client_min_messages = warning")
        self._tables = ""
        self._make_tables()
        self.keep(EMPTY)

    def keep(self, name: str) -> None:
        names = [table.name for table in Base.metadata.tables.values()]
        self._run(f'DROP SCHEMA IF EXISTS "{name}" CASCADE', f'CREATE SCHEMA "{name}"')
        self._run(*(f'CREATE TABLE "{name}"."{table}" AS TABLE public."{table}"' for table in names))
        counters = self._connection.exec_driver_sql(
            "SELECT sequencename, coalesce(last_value, 1), last_value IS NOT NULL FROM pg_sequences WHERE schemaname = 'public'"
        )
        steps = [
            *(f'DELETE FROM public."{table}"' for table in names),
            *(f'INSERT INTO public."{table}" OVERRIDING SYSTEM VALUE SELECT * FROM "{name}"."{table}"' for table in names),
            *(f"PERFORM setval('public.{sequence}', {last}, {is_used})" for sequence, last, is_used in counters),
        ]
        self._run(  # as a replica does: keys are not looked up, and the order of tables doesn't matter
            f'CREATE FUNCTION "{name}".restore() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica'
            f" AS $$ BEGIN {'; '.join(steps)}; END $$"
        )

    def restore(self, name: str) -> None:
        if self._tables != self._present_tables():
            self._make_tables()
        self._run(f'SELECT "{name}".restore()')

    def close(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()

    def _make_tables(self) -> None:
        """Anew after a test of migrations, which makes its own."""
        self._run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        Base.metadata.create_all(self._connection)
        self._tables = self._present_tables()

    def _present_tables(self) -> str:
        query = "SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        return str(self._connection.exec_driver_sql(query).scalar())

    def _run(self, *statements: str) -> None:
        self._connection.exec_driver_sql("; ".join(statements))


def path_of(app: Flask) -> Path:
    return Path(str(db.engine.url.database))


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Somebody else's write that goes on and on."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()
