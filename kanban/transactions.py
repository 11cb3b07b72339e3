"""The one way to write, and what a transaction still has to do when its work is done: at its commit, and after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from sqlalchemy import Delete, Insert, Table, Update, bindparam, event, insert, text, update
from sqlalchemy.engine import Connection, Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.orm import Session

from kanban import clock, wakeups
from kanban.db import OFF_BOARDS, db, table
from kanban.faults import Fault, as_refusal, fault_of, refusal_of
from kanban.models import LiveChange, Status
from kanban.turns import Turns
from kanban.wakeups import Topic

WRITE_LOCK, NUMBERING_LOCK = 7201, 7202  # arbitrary numbers, the same in every process
WRITE_WAIT_S = 10.0  # how long a writer waits for its turn, twice at most: in the process, then at the file
_PENDING = "pending"  # in a session's info: Pending
_SAVED = "saved"  # in a session's info: what of a request's transactions was saved, since the session began
_CHANGED_BOARDS = "changed_boards"  # in a connection's info: whether a statement wrote what boards show
_FAULT = "fault"  # in a connection's info: what stood in the way of a statement and passes by itself
_writers = Turns()  # on SQLite the threads of a process queue here, instead of asking the file again and again


class Turn(StrEnum):
    """What else may be written meanwhile, on PostgreSQL; SQLite has one writer. alone: nothing but what takes no turn. shared: what
    is shared, too; such a transaction locks each row before it decides by it. none: everything."""

    ALONE = "pg_advisory_xact_lock"
    SHARED = "pg_advisory_xact_lock_shared"
    NONE = ""


class Saved(Enum):
    NOTHING = "nothing"
    ALL = "all"
    PART = "part"  # a transaction failed after an earlier one was committed


@dataclass
class Pending:
    """What a transaction does at its end. A savepoint that fails takes back what was added within: see mark and rewind.

    topics: for the live feed. heads: (status, orders, sum) to be added to column heads. work: done once all is kept.
    """

    topics: list[str] = field(default_factory=list)
    heads: list[tuple[int, int, int]] = field(default_factory=list)
    work: list[Callable[[], object]] = field(default_factory=list)

    def mark(self) -> tuple[int, int, int]:
        return len(self.topics), len(self.heads), len(self.work)

    def rewind(self, mark: tuple[int, int, int]) -> None:
        topics, heads, work = mark
        del self.topics[topics:], self.heads[heads:], self.work[work:]


def pending(session: Session) -> Pending:
    found: Pending = session.info.setdefault(_PENDING, Pending())
    return found


def after_commit(session: Session, work: Callable[[], object]) -> None:
    """Done only if the transaction is kept. It must not raise, nor use the session."""
    pending(session).work.append(work)


def what_was_saved() -> Saved:
    found: Saved = db.session().info.get(_SAVED, Saved.NOTHING)
    return found


@contextmanager
def transaction(turn: Turn = Turn.ALONE, *, aside: bool = False) -> Iterator[Session]:
    """The one way to write: begins, gives the session, commits; rolls back on any error. aside: what is saved is nothing of what
    somebody asked for, so it does not count in what_was_saved().

    First ends the read transaction that a look-up opened, so that what was found before is read again inside.
    SQLite: BEGIN IMMEDIATE, so a writer waits for its turn instead of failing at its first write. PostgreSQL: an advisory lock,
    as `turn` says. Nothing slow belongs inside: no network, no password hashing, no files. Raises Busy where the turn does not
    come within WRITE_WAIT_S, Unwritable where the disk is full or can't be written.
    """
    session = db.session()
    session.rollback()
    session.info.pop(_PENDING, None)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    with _turn_in_process() if is_sqlite else nullcontext():
        try:
            connection = session.connection(execution_options={"potok_write": True})
            for name in (_CHANGED_BOARDS, _FAULT):
                connection.info.pop(name, None)
            if turn and not is_sqlite:
                connection.execute(text(f"SELECT {turn}(:lock)"), {"lock": WRITE_LOCK})
            yield session
            session.flush()
            _require_no_fault(session.connection())
            _finish(session, session.connection())
            wakeups.before_commit(session)
            session.commit()
            if not aside:
                session.info.setdefault(_SAVED, Saved.ALL)
            wakeups.after_commit(session)
            for work in session.info.pop(_PENDING, Pending()).work:
                work()
        except BaseException as error:
            session.rollback()
            session.info.pop(_PENDING, None)
            wakeups.after_rollback(session)
            if _SAVED in session.info:
                session.info[_SAVED] = Saved.PART
            refusal = as_refusal(error) if isinstance(error, OperationalError | InternalError) else None
            if refusal is None:
                raise
            raise refusal from error


@contextmanager
def savepoint(session: Session) -> Iterator[None]:
    """What fails within is as if it had not been: also on PostgreSQL, where an error of the database ends all that is not behind a
    SAVEPOINT."""
    mark = pending(session).mark()
    try:
        with session.begin_nested():
            yield
    except Exception:
        pending(session).rewind(mark)
        raise


_H = table(Status).c
_ADD_TO_HEAD = (
    update(table(Status))
    .where(_H.id == bindparam("status"))
    .values(order_count=_H.order_count + bindparam("count"), order_total=_H.order_total + bindparam("sum"))
)
_PUBLISH = insert(table(LiveChange))


def _finish(session: Session, connection: Connection) -> None:
    """What others wait for: the heads of the columns and the change's number, which grows in order of commit. On PostgreSQL nothing
    but COMMIT follows under this lock, and whoever has it waits for nobody, so it closes no ring."""
    left = pending(session)
    changed_boards = bool(left.heads) or connection.info.pop(_CHANGED_BOARDS, False)
    if not (left.topics or changed_boards):
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": NUMBERING_LOCK})
    for change in _sums(left.heads):
        connection.execute(_ADD_TO_HEAD, change)
    topics = list(dict.fromkeys(left.topics))
    connection.execute(_PUBLISH, {"topics": topics, "at": clock.now(), "boards": changed_boards})
    wakeups.wake(session, Topic.FEED)


def _sums(heads: list[tuple[int, int, int]]) -> list[dict[str, int]]:
    """One change for each status, in the order of their ids."""
    sums: dict[int, tuple[int, int]] = {}
    for status, count, total in heads:
        counted, summed = sums.get(status, (0, 0))
        sums[status] = counted + count, summed + total
    return [{"status": status, "count": count, "sum": total} for status, (count, total) in sorted(sums.items()) if count or total]


@contextmanager
def _turn_in_process() -> Iterator[None]:
    if not _writers.take(WRITE_WAIT_S):
        raise refusal_of(Fault.BUSY)
    try:
        yield
    finally:
        _writers.end()


def _require_no_fault(connection: Connection) -> None:
    """A rule that fails is noted and the move goes on; but where it failed because others were at work, nothing is kept: asked again,
    all of it is done. Raises Busy."""
    fault = connection.info.pop(_FAULT, None)
    if fault is not None:
        raise refusal_of(fault)


@event.listens_for(Engine, "handle_error")
def _note_fault(context: ExceptionContext) -> None:
    error = context.sqlalchemy_exception
    if context.connection is not None and isinstance(error, DBAPIError) and fault_of(error) in (Fault.BUSY, Fault.AWAY):
        context.connection.info[_FAULT] = fault_of(error)


@event.listens_for(Engine, "before_execute")
def _note_written(connection: Connection, statement: Any, _many: Any, _one: Any, options: Any) -> None:
    """Every statement that SQLAlchemy writes with, the ORM's too; only what is known to show on no board counts for nothing."""
    if isinstance(statement, Insert | Update | Delete) and OFF_BOARDS not in options:
        written = statement.table
        if not isinstance(written, Table) or OFF_BOARDS not in written.info:
            connection.info[_CHANGED_BOARDS] = True
