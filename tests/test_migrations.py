"""Databases of earlier states of Potok come up to date with all their rows.

tests/states/<revision>.sql.gz is the dump of a SQLite database that the code of that time filled: orders placed, moved and
undone, e-mails sent, waiting and cancelled, comments, to-dos, rules with versions, an account, a gateway, somebody who left.
Whoever adds a migration adds the state before it.
"""

import gzip
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from commands.migrate import upgrade
from kanban.db import Base, db
from tests.cast import Signed

STATES = sorted((Path(__file__).parent / "states").glob("*.sql.gz"))
# What a migration is there to change, by table and column.
CHANGED = {("order", "search")}
RENAMED = {"worker_beat": ("beat", {"part": "worker"})}  # its name now, and what each row has got
READERS: tuple[tuple[type[Any], Callable[[Any], Any]], ...] = (
    (sa.JSON, json.loads),
    (sa.Boolean, bool),
    (sa.DateTime, lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC)),
    (sa.Date, date.fromisoformat),
    (sa.Time, time.fromisoformat),
)
Rows = dict[str, list[dict[str, Any]]]


@pytest.mark.parametrize("state", STATES, ids=lambda path: path.name[:4])
def test_the_rows_of_an_earlier_state_are_kept(bare_app: Flask, state: Path) -> None:
    dump = gzip.decompress(state.read_bytes()).decode()
    before = rows_of(dump)
    assert all(before[name] for name in ("order", "event", "person", "rule", "rule_version", "message", "run", "delivery"))
    Base.metadata.drop_all(db.engine)
    if db.engine.dialect.name == "sqlite":
        connection = db.engine.raw_connection()
        connection.executescript(f"PRAGMA foreign_keys=OFF; {dump}; PRAGMA foreign_keys=ON")
        connection.close()
    else:
        upgrade(bare_app, state.name[:4])
        fill(before)
    upgrade(bare_app)
    tables = sa.MetaData()
    tables.reflect(db.engine)
    for name, rows in before.items():
        now, more = RENAMED.get(name, (name, {}))
        assert kept(tables.tables[now], [row | more for row in rows]) == [], name
    assert strays(tables) == []
    owner = Signed(bare_app.test_client(), "owner@melnikov.example")
    for page in ("/boards/1", "/orders/1", "/settings/rules", "/settings/rules/1", "/settings/messages", "/settings/messages/1", "/way"):
        assert owner.get(page).status_code == 200, page


def rows_of(dump: str) -> Rows:
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(dump)
        connection.row_factory = sqlite3.Row
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'alembic_version'"
        )
        return {name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for (name,) in names.fetchall()}


def fill(rows: Rows) -> None:
    """The dump's rows in PostgreSQL's tables of the same revision; numbers go on behind them."""
    tables = sa.MetaData()
    tables.reflect(db.engine)
    with db.engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))  # tables point at each other in rings
        for name, some in rows.items():
            table = tables.tables[name]
            if some:
                connection.execute(sa.insert(table), [{key: typed(value, table.c[key]) for key, value in row.items()} for row in some])
            if "id" in table.c and some:
                connection.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'), max(id)) FROM \"{name}\""))


def kept(table: sa.Table, rows: list[dict[str, Any]]) -> list[str]:
    """How the table differs from the rows of the dump."""
    with db.engine.connect() as connection:
        now = {tuple(plain(row[key]) for key in keys(table)): row for row in connection.execute(sa.select(table)).mappings()}
    columns = [column for column in table.c if rows and column.name in rows[0] and (table.name, column.name) not in CHANGED]
    found = [f"{len(now)} rows, not {len(rows)}"] if len(now) != len(rows) else []
    for row in rows:
        other = now[tuple(plain(typed(row[key], table.c[key])) for key in keys(table))]
        for column in columns:
            was, is_ = plain(typed(row[column.name], column)), plain(other[column.name])
            if was != is_:
                found.append(f"{column.name}: {was!r} became {is_!r}")
    return found


def keys(table: sa.Table) -> list[str]:
    return [column.name for column in table.primary_key]


def typed(value: Any, column: sa.Column[Any]) -> Any:
    """A value of SQLite's dump as the column's Python type."""
    read = next((read for kind, read in READERS if isinstance(column.type, kind)), None)
    return value if value is None or read is None else read(value)


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return value


def strays(tables: sa.MetaData) -> list[str]:
    """Rows that point nowhere. PostgreSQL was not asked when they came in."""
    found = []
    with db.engine.connect() as connection:
        for table in tables.tables.values():
            for key in table.foreign_keys:
                there = key.column.table.alias()
                missing = sa.select(sa.func.count()).where(
                    key.parent.is_not(None), ~sa.select(there).where(there.c[key.column.name] == key.parent).correlate(table).exists()
                )
                if connection.scalar(missing):
                    found.append(f"{table.name}.{key.parent.name}")
    return found
