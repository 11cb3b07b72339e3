"""The database: one typed Base, one session, one way to write."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from enum import Enum
from typing import Any, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Dialect, Engine, MetaData, String, Table, TypeDecorator, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from kanban.faults import Fault, as_refusal, refusal_of
from kanban.fold import fold
from kanban.turns import Turns

NUMBERING_LOCK = 7202  # an arbitrary number, the same in every process
WRITE_WAIT_S = 10.0  # how long a writer waits for its turn, twice at most: in the process, then at the file
AFTER_COMMIT = "after_commit"  # in a session's info: what is to be done once the transaction is kept
SAVED = "saved"  # in a session's info: what of a request's transactions was saved, since the session began
_writers = Turns()  # on SQLite the threads of a process queue here, instead of asking the file again and again


class Saved(Enum):
    NOTHING = "nothing"
    ALL = "all"
    PART = "part"  # a transaction failed after an earlier one was committed


def what_was_saved() -> Saved:
    found: Saved = db.session().info.get(SAVED, Saved.NOTHING)
    return found


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
NEVER_REUSED = {"sqlite_autoincrement": True}

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})


def table(model: type[Base]) -> Table:
    """The table of a model, for Core on the hot paths."""
    return cast(Table, model.__table__)


def insert_new(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Inserts what isn't there yet; what is stays as it is."""
    if rows:
        session.execute(_insert_new(session, model), list(rows))


def is_new(session: Session, model: type[Base], row: dict[str, Any]) -> bool:
    """Inserts one row; False where it is there already."""
    return bool(session.execute(_insert_new(session, model).values(row)).rowcount)  # type: ignore[attr-defined]


def _insert_new(session: Session, model: type[Base]) -> postgresql.Insert | sqlite.Insert:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return insert(table(model)).on_conflict_do_nothing()


@contextmanager
def transaction(*, numbered: bool = True) -> Iterator[Session]:
    """The one way to write: begins, gives the session, commits; rolls back on any error.

    First ends the read transaction that a look-up opened, so that what was found before is read again inside.
    SQLite: BEGIN IMMEDIATE, so a writer waits for its turn instead of failing at its first write.
    PostgreSQL: with `numbered`, writers take turns, so that events and changes get their numbers in order of commit.
    Nothing slow belongs inside: no network, no password hashing, no files. Raises Busy where the turn does not come within
    WRITE_WAIT_S, Unwritable where the disk is full or can't be written.
    """
    session = db.session()
    session.rollback()
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    with _turn() if is_sqlite else nullcontext():
        try:
            connection = session.connection(execution_options={"potok_write": True})
            if numbered and not is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": NUMBERING_LOCK})
            yield session
            session.commit()
            session.info.setdefault(SAVED, Saved.ALL)
            for work in session.info.pop(AFTER_COMMIT, ()):
                work()
        except BaseException as error:
            session.rollback()
            session.info.pop(AFTER_COMMIT, None)
            if SAVED in session.info:
                session.info[SAVED] = Saved.PART
            refusal = as_refusal(error) if isinstance(error, OperationalError | InternalError) else None
            if refusal is None:
                raise
            raise refusal from error


def revision(session: Session) -> str:
    """Of the tables, as migrations count them."""
    return str(session.scalar(text("SELECT version_num FROM alembic_version")))


def after_commit(session: Session, work: Callable[[], object]) -> None:
    """Done only if the transaction is kept. It must not raise, nor use the session."""
    session.info.setdefault(AFTER_COMMIT, []).append(work)


def promised(session: Session) -> int:
    """How much after_commit() was told so far: for a savepoint, which takes back what was told within."""
    return len(session.info.get(AFTER_COMMIT, ()))


def take_back(session: Session, promised_before: int) -> None:
    del session.info.get(AFTER_COMMIT, [])[promised_before:]


@contextmanager
def _turn() -> Iterator[None]:
    if not _writers.take(WRITE_WAIT_S):
        raise refusal_of(Fault.BUSY)
    try:
        yield
    finally:
        _writers.end()


@event.listens_for(Engine, "connect")
def _set_up_sqlite(connection: Any, _record: Any) -> None:
    if type(connection).__module__.split(".")[0] != "sqlite3":
        return
    connection.isolation_level = None  # BEGIN is ours, see below
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # an answer comes after the commit is on disk
    cursor.execute(f"PRAGMA busy_timeout={WRITE_WAIT_S * 1000:.0f}")
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
