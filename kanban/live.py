"""The live feed: publish() inside the transaction, and one poller a process that wakes the streams."""

import json
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Engine, delete, func, insert, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.db import table
from kanban.models import Change

POLL_S = 0.2
BEAT_S = 15.0
LIFE_S = 120.0  # then the browser connects again, and its sign-in is asked for again
MOST = 500
MOST_EACH = 6  # streams of one person; a page that was left is noticed only at a later beat, so the oldest goes
_PUBLISH = insert(table(Change))
_ENDS = "!"  # begins a topic that is for the streams' processes, and sent to nobody


def publish(session: Session, *topics: str) -> None:
    """Says that these parts are out of date, once the transaction commits."""
    session.connection().execute(_PUBLISH, {"topics": list(dict.fromkeys(topics)), "at": clock.now()})


def end_streams(session: Session, person_id: int) -> None:
    """Every process ends the live streams of this person, once the transaction commits; who is still signed in is back at once."""
    publish(session, f"{_ENDS}{person_id}")


def prune(session: Session, before: datetime) -> None:
    """Forgets old changes, but the newest: after a quiet day a page would take the next one for a sign that it missed some."""
    newest = select(func.max(Change.id)).scalar_subquery()
    session.execute(delete(Change).where(Change.at < before, Change.id < newest))


class Feed:
    """What a process knows of the feed. The poller asks the database only while somebody listens."""

    def __init__(self, engine: Engine, most_streams: int) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._recent: list[tuple[int, list[str]]] = []
        self._last = 0
        self._streams: list[tuple[int, object]] = []  # (person, stream), the oldest first
        self._most = most_streams
        self._poller: threading.Thread | None = None
        self._is_over = False

    def last_id(self) -> int:
        """The newest change there is."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.max(Change.id))) or 0

    def since(self, last: int) -> tuple[int, list[str]]:
        """(newest id, topics since `last`); topics are ["resync"] where too much was missed."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(Change.id, Change.topics).where(Change.id > last).order_by(Change.id).limit(MOST + 1)).all()
            first = connection.scalar(select(func.min(Change.id))) or 0
            newest = connection.scalar(select(func.max(Change.id))) or 0
        if len(rows) > MOST or last > newest or (first and last < first - 1):
            return newest, ["resync"]
        return (rows[-1][0] if rows else last), _shown(topic for row in rows for topic in row[1])

    def end(self) -> None:
        """All streams, for the end of the process. Asked for by a signal, so nothing is waited for here."""
        self._is_over = True

    def has_room(self, person_id: int) -> bool:
        """Whether a stream may begin. Somebody who holds the most already may: then their oldest one ends."""
        with self._changed:
            return len(self._streams) < self._most or self._count(person_id) >= MOST_EACH

    def _count(self, person_id: int) -> int:
        return sum(who == person_id for who, _stream in self._streams)

    def stream(self, last: int | None, person_id: int) -> Iterator[str]:
        """Server-sent events: id and a JSON list of topics; a comment as a beat; ends after LIFE_S."""
        with self._changed:
            mine = (person_id, object())
            self._streams.append(mine)
            if self._count(person_id) > MOST_EACH:
                self._streams.remove(next(one for one in self._streams if one[0] == person_id))
                self._changed.notify_all()
            if self._poller is None:
                self._last = self.last_id()
                self._recent.clear()
                self._poller = threading.Thread(target=self._poll, name="live-poller", daemon=True)
                self._poller.start()
            here = self._last if last is None else last
        try:
            yield f"retry: 1500\nid: {here}\ndata: []\n\n"
            end = time.monotonic() + LIFE_S
            while time.monotonic() < end:
                here, topics = self._next(here)
                if mine not in self._streams:
                    return
                yield f"id: {here}\ndata: {json.dumps(topics)}\n\n" if topics else ": beat\n\n"
        finally:
            with self._changed:
                if mine in self._streams:
                    self._streams.remove(mine)

    def _next(self, here: int) -> tuple[int, list[str]]:
        with self._changed:
            if here >= self._last:
                self._changed.wait(BEAT_S)
            if here >= self._last:
                return here, []
            if self._recent and self._recent[0][0] <= here + 1:
                return self._last, _shown(topic for number, topics in self._recent if number > here for topic in topics)
        return self.since(here)

    def _poll(self) -> None:
        while True:
            time.sleep(POLL_S)
            with self._changed:
                if self._is_over:
                    self._streams.clear()
                    self._changed.notify_all()
                if not self._streams:
                    self._poller = None
                    return
                last = self._last
            try:
                with self._engine.connect() as connection:
                    rows = connection.execute(
                        select(Change.id, Change.topics).where(Change.id > last).order_by(Change.id).limit(MOST)
                    ).all()
            except Exception:  # the database is away for a moment: look again at the next beat
                continue
            if rows:
                with self._changed:
                    self._recent = [*self._recent, *((row[0], row[1]) for row in rows)][-MOST:]
                    self._last = rows[-1][0]
                    ended = {topic for row in rows for topic in row[1] if topic.startswith(_ENDS)}
                    self._streams = [one for one in self._streams if f"{_ENDS}{one[0]}" not in ended]
                    self._changed.notify_all()


def _shown(topics: Iterable[str]) -> list[str]:
    return [topic for topic in dict.fromkeys(topics) if not topic.startswith(_ENDS)]
