"""The database: one typed Base, one session. What writes to it: transactions.py."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Delete, Dialect, Engine, MetaData, Row, Select, String, Table, TypeDecorator, Update, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.orm import DeclarativeBase, Session

from kanban.fold import fold

BUSY_S = 10.0  # how long SQLite asks for the file again
OFF_BOARDS = "off_boards"  # in the info of a table, or an option of a statement: no board shows what it writes


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept and given back in UTC. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a zone")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Query = Select[*tuple[Any, ...]]  # over columns of tables, whose types a type checker doesn't see
Record = Row[*tuple[Any, ...]]  # of such a query


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, list[str]: JSON, str: String}


# A rank is compared byte by byte, whatever the language of the server.
Rank = String(255).with_variant(String(255, collation="C"), "postgresql")

# What is asked about in parts: PostgreSQL would read the text of plain JSON anew for each.
Parts = JSON().with_variant(postgresql.JSONB(), "postgresql")

# On SQLite an id that was given once is never given again.
NEVER_REUSED: dict[str, Any] = {"sqlite_autoincrement": True}

# No board shows what is in such a table.
UNSEEN: dict[str, Any] = {"info": {OFF_BOARDS: True}}

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})


def table(model: type[Base]) -> Table:
    """The table of a model, for Core on the hot paths."""
    return cast(Table, model.__table__)


def insert_new(session: Session, model: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    """Inserts what isn't there yet; what is stays as it is."""
    if rows:
        session.execute(_insert_new(session, model), list(rows))


def row_count(session: Session, statement: Update | Delete) -> int:
    """Executes an UPDATE or DELETE. Returns how many rows that were."""
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def is_new(session: Session, model: type[Base], row: Mapping[str, object]) -> bool:
    """Inserts one row; False where it is there already. (An INSERT's count is not kept by every driver; what it returns is.)"""
    statement = _insert_new(session, model).values(dict(row)).returning(*table(model).primary_key)
    return session.execute(statement).first() is not None


def _insert_new(session: Session, model: type[Base]) -> postgresql.Insert | sqlite.Insert:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return insert(table(model)).on_conflict_do_nothing()


def revision(session: Session) -> str:
    """Of the tables, as migrations count them."""
    return str(session.scalar(text("SELECT version_num FROM alembic_version")))


@event.listens_for(Engine, "connect")
def _set_up_sqlite(connection: Any, _record: Any) -> None:
    if type(connection).__module__.split(".")[0] != "sqlite3":
        return
    connection.isolation_level = None  # BEGIN is ours, see below
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # an answer comes after the commit is on disk
    cursor.execute(f"PRAGMA busy_timeout={BUSY_S * 1000:.0f}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.close()
    connection.create_function("lower", 1, _of_text(str.casefold), deterministic=True)  # SQLite's own knows ASCII only
    connection.create_function("fold", 1, _of_text(fold), deterministic=True)


def _of_text(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, str) else value


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("potok_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
