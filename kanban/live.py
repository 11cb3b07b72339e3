"""What changed, as rows of the database: told inside the transaction, read by every process that has streams (feed.py)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Integer, bindparam, delete, func, select, text
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.models import LiveChange
from kanban.transactions import pending

MOST = 500  # changes; who missed more has missed all
RESYNC = "resync"
_C = table(LiveChange).c
_LAST = select(func.max(_C.id))
_OF_BOARDS = [select(one).where(text("boards")).order_by(_C.id.desc()).limit(1).scalar_subquery() for one in (_C.id, _C.at)]
_SINCE = select(_C.id, _C.topics).where(_C.id > bindparam("last")).order_by(_C.id).limit(bindparam("most", type_=Integer))
_RANGE = select(func.min(_C.id), func.max(_C.id))
_SEEN = select(_LAST.scalar_subquery(), *_OF_BOARDS)
ENDS = "!"  # begins a topic that is for the streams' processes, and sent to nobody


def publish(session: Session, *topics: str) -> None:
    """Says that these parts are out of date, once the transaction commits."""
    pending(session).topics += topics


@dataclass(frozen=True)
class BoardsVersion:
    """Number and time of the newest change that boards show; a database that was restored counts anew, at another time."""

    change: int | None
    at: datetime | None


@dataclass(frozen=True)
class Seen:
    """The newest change that a transaction sees: a page that is made of it has missed none."""

    newest: int
    boards: BoardsVersion


def last_seen(session: Session) -> Seen:
    newest, change, at = session.connection().execute(_SEEN).one()
    return Seen(newest or 0, BoardsVersion(change, at))


def end_streams(session: Session, person_id: int) -> None:
    """Every process ends the live streams of this person, once the transaction commits; who is still signed in is back at once."""
    publish(session, f"{ENDS}{person_id}")


def prune(session: Session, before: datetime) -> None:
    """Forgets old changes, but the newest: after a quiet day a page would take the next one for a sign that it missed some. That of
    boards stays too, or pages that were kept would look newer than what there is."""
    newest, of_boards = (select(func.max(LiveChange.id)).where(*those).scalar_subquery() for those in ([], [LiveChange.boards]))
    session.execute(delete(LiveChange).where(LiveChange.at < before, LiveChange.id < func.coalesce(of_boards, newest)))


def last_id(connection: Connection) -> int:
    """The newest change there is."""
    return connection.scalar(_LAST) or 0


def changes_since(connection: Connection, last: int) -> list[tuple[int, list[str]]]:
    """(id, topics) of the oldest MOST changes after `last`."""
    rows = connection.execute(_SINCE, {"last": last, "most": MOST}).all()
    return [(row[0], row[1]) for row in rows]


def topics_since(connection: Connection, last: int) -> tuple[int, list[str]]:
    """(newest id, topics since `last`); topics are [RESYNC] where too much was missed."""
    rows = connection.execute(_SINCE, {"last": last, "most": MOST + 1}).all()
    first, newest = connection.execute(_RANGE).one()
    if len(rows) > MOST or last > (newest or 0) or (first and last < first - 1):
        return newest or 0, [RESYNC]
    return (rows[-1][0] if rows else last), shown(topic for row in rows for topic in row[1])


def shown(topics: Iterable[str]) -> list[str]:
    return [topic for topic in dict.fromkeys(topics) if not topic.startswith(ENDS)]
