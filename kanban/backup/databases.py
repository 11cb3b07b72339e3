"""The database as one file of its own program: SQLite's, or PostgreSQL's pg_dump. Consistent, whoever writes meanwhile."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from kanban.errors import Refused
from kanban.i18n import _


class BackupError(Refused):
    """A backup can't be made, read or put back; its text says why."""


class Database(Protocol):
    file_name: str

    def size(self) -> int:
        """In bytes, about. Raises BackupError."""

    def dump(self, path: Path) -> None:
        """Raises BackupError."""

    def load(self, path: Path) -> None:
        """Into an empty database. Raises BackupError."""

    def is_empty(self) -> bool:
        """Also where there is none yet."""


def database_of(url: str) -> Database:
    found = make_url(url.replace("postgres://", "postgresql://"))
    return Sqlite(Path(found.database or "")) if found.get_backend_name() == "sqlite" else Postgresql(found)


class Sqlite:
    file_name = "database.sqlite3"

    def __init__(self, path: Path) -> None:
        self._path = path

    def size(self) -> int:
        files = (Path(f"{self._path}{more}") for more in ("", "-wal"))
        return sum(path.stat().st_size for path in files if path.exists())

    def dump(self, path: Path) -> None:
        """In one step: a backup by and by begins anew at each write of another process, and under load never ends."""
        try:
            with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as source, closing(sqlite3.connect(path)) as copy:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
                found = copy.execute("PRAGMA integrity_check(3)").fetchall()
        except sqlite3.Error as error:
            raise BackupError(_("The database can't be copied: %(error)s.", error=error)) from error
        if found != [("ok",)]:
            raise BackupError(_("The database is damaged: %(error)s.", error="; ".join(str(row[0]) for row in found)[:300]))

    def load(self, path: Path) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f"{self._path.name}.part")  # half a database would be in the way of the next try
        shutil.copyfile(path, part)
        part.chmod(0o600)
        part.rename(self._path)

    def is_empty(self) -> bool:
        return not any(Path(f"{self._path}{more}").exists() for more in ("", "-wal"))


class Postgresql:
    file_name = "database.pgdump"

    def __init__(self, url: URL) -> None:
        self._full = url.set(drivername="postgresql+psycopg")
        bare = url.set(drivername="postgresql", password=None)
        self._url = bare.render_as_string(hide_password=False)
        self._environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})

    def size(self) -> int:
        with self._connected() as connection:
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)

    def dump(self, path: Path) -> None:
        self._run("pg_dump", "--format=custom", "--compress=0", "--no-owner", "--no-privileges", f"--file={path}", self._url)
        self._run("pg_restore", "--list", str(path))

    def load(self, path: Path) -> None:
        all_or_none = ("--exit-on-error", "--single-transaction")
        self._run("pg_restore", "--no-owner", "--no-privileges", *all_or_none, f"--dbname={self._url}", str(path))

    def is_empty(self) -> bool:
        with self._connected() as connection:
            return not inspect(connection).get_table_names()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        engine = create_engine(self._full)
        try:
            with engine.connect() as connection:
                yield connection
        except OperationalError as error:
            raise BackupError(_("The database can't be reached: %(error)s.", error=str(error.orig).strip()[:200])) from error
        finally:
            engine.dispose()

    def _run(self, program: str, *arguments: str) -> str:
        """By the programs of PATH: they must not be older than the server. The password goes by the environment, which others don't see."""
        found = shutil.which(program)
        if found is None:
            raise BackupError(
                _("%(name)s is missing: install the PostgreSQL client programs of the server's version or newer.", name=program)
            )
        done = subprocess.run([found, *arguments], env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BackupError(_("%(program)s failed: %(error)s", program=program, error=done.stderr.strip()[-300:]))
        return done.stdout
