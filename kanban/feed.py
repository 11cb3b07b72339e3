"""The streams of a process: what changed goes to each of them without a thread of its own, with the parts that its page shows.

One thread, woken by each commit, reads the changes. Streams whose pages look alike are one audience: for it the parts are made
once, however many listen.
"""

import asyncio
import json
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Engine

from kanban.live import ENDS, MOST, RESYNC, changes_since, last_id, shown, topics_since
from kanban.queries.filter import Filter
from kanban.security import SignedIn
from kanban.wakeups import Listener, Topic, listen

LOOK_S = 2.0  # where nothing wakes it
BEAT_S = 15.0
LIFE_S = 120.0  # then the browser connects again, and its sign-in is asked for again
MOST_EACH = 6  # streams of one person; a page that was left is noticed only at a later beat, so the oldest goes
MOST_WAITING = 50  # messages for a stream that takes none; then its page is to be drawn anew
log = logging.getLogger("potok")


@dataclass(frozen=True)
class BoardPage:
    """A board, or the whole way, where board_id is None; chosen: its filter."""

    board_id: int | None
    chosen: Filter

    @property
    def is_way(self) -> bool:
        return self.board_id is None


@dataclass(frozen=True)
class Audience:
    """Pages that look alike: rights and language of whoever looks, and whose it is, where that shows. who: one of them, as whom
    the parts are made."""

    page: BoardPage
    access: str
    roles: frozenset[int]
    language: str
    person_id: int | None
    who: SignedIn = field(compare=False)


@dataclass(frozen=True)
class Place:
    """Where an order's card stands on a page; status None: it does not show it."""

    order: int
    status: int | None = None
    rank: str = ""

    def to_json(self) -> dict[str, object]:
        """As the event `potok:place` has it."""
        place: dict[str, object] = {"order": self.order, "status": self.status}
        return place if self.status is None else place | {"rank": self.rank}


@dataclass(frozen=True)
class Parts:
    """html: out-of-band parts. change: up to which they are true; 0 where there are none."""

    html: str
    places: tuple[Place, ...]
    change: int = 0


MakeParts = Callable[[Audience, list[str]], Parts | None]  # None: nothing of these topics is on the page, or too much


class Stream:
    """Server-sent events for one page: an id, and JSON with topics and, for a board, html and places; a comment as a beat. Ends
    after LIFE_S. audience: None for other pages."""

    def __init__(self, person_id: int, audience: Audience | None, last: int, topics: list[str]) -> None:
        self.person_id, self.audience = person_id, audience
        self._texts: deque[bytes] = deque([b"retry: 1500\n" + message(last, topics)])
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event | None = None
        self._is_over = False
        self._made_at = time.monotonic()

    @property
    def is_lost(self) -> bool:
        """Nobody came for it: the browser had gone before its answer began."""
        return self._loop is None and time.monotonic() - self._made_at > BEAT_S

    def put(self, text: bytes, last: int) -> None:
        """From any thread."""
        if len(self._texts) >= MOST_WAITING:
            self._texts.clear()
            text = message(last, [RESYNC])
        self._texts.append(text)
        self._wake()

    def end(self) -> None:
        """From any thread."""
        self._is_over = True
        self._wake()

    def _next(self) -> bytes | None:
        with suppress(IndexError):  # put() may have thrown all away just now
            return self._texts.popleft()
        return None

    def _wake(self) -> None:
        if self._loop is not None and self._news is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._news.set)

    async def texts(self) -> AsyncIterator[bytes]:
        news = self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        ends_at = time.monotonic() + LIFE_S
        while True:
            news.clear()
            while (text := self._next()) is not None:
                yield text
            if self._is_over or time.monotonic() >= ends_at:
                return
            timer = self._loop.call_later(BEAT_S, news.set)
            await news.wait()
            timer.cancel()
            if not (self._texts or self._is_over):
                yield b": beat\n\n"


def message(last: int, topics: list[str], parts: Parts | None = None) -> bytes:
    content: dict[str, object] = {"topics": topics}
    if parts is not None:
        content |= {"html": parts.html, "places": [place.to_json() for place in parts.places]}
    return f"id: {last}\ndata: {json.dumps(content)}\n\n".encode()


class Feed:
    """The poller asks the database only while somebody listens."""

    def __init__(self, engine: Engine, most_streams: int, make_parts: MakeParts) -> None:
        self._engine, self._most, self._make_parts = engine, most_streams, make_parts
        self._lock = threading.Lock()
        self._streams: list[Stream] = []  # the oldest first
        self._last = 0
        self._recent: deque[tuple[int, list[str]]] = deque(maxlen=MOST)
        self._poller: threading.Thread | None = None
        self._listener: Listener | None = None
        self._is_over = False

    def join(self, person_id: int, last: int | None, audience: Audience | None = None) -> Stream | None:
        """A stream that begins after the change `last`, or now. None where all are taken, but for somebody who holds the most already:
        then their oldest one ends."""
        with self._engine.connect() as connection:  # not under the lock, for which the loop may have to wait
            newest = last_id(connection)
            topics = topics_since(connection, last)[1] if last is not None else []
        with self._lock:
            if self._is_over or (len(self._streams) >= self._most and len(self._of(person_id)) < MOST_EACH):
                return None
            if self._poller is None:
                self._last = newest
                self._listener = listen(self._engine, Topic.FEED)
                self._poller = threading.Thread(target=self._listen, args=(self._listener,), name="live-poller", daemon=True)
                self._poller.start()
            topics += shown(topic for id_, of_change in self._recent if id_ > newest for topic in of_change)  # told to the others already
            stream = Stream(person_id, audience, self._last, topics)
            self._streams.append(stream)
            if len(mine := self._of(person_id)) > MOST_EACH:
                self._streams.remove(mine[0])
                mine[0].end()
        return stream

    async def follow(self, stream: Stream) -> AsyncIterator[bytes]:
        try:
            async for text in stream.texts():
                yield text
        finally:
            self.leave(stream)

    def leave(self, stream: Stream) -> None:
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)

    def end(self) -> None:
        """All streams, for the end of the process. Asked for by a signal, so nothing is waited for here."""
        self._is_over = True
        for stream in list(self._streams):
            stream.end()
        if self._listener is not None:
            self._listener.end()

    def _of(self, person_id: int) -> list[Stream]:
        return [stream for stream in self._streams if stream.person_id == person_id]

    def _listen(self, listener: Listener) -> None:
        try:
            self._poll(listener)
        finally:
            listener.close()
            with self._lock:
                if self._listener is listener:  # it failed: the next stream begins another
                    self._poller = self._listener = None

    def _poll(self, listener: Listener) -> None:
        while True:
            listener.wait(LOOK_S)
            with self._lock:
                self._streams = [stream for stream in self._streams if not stream.is_lost and not self._is_over]
                if not self._streams:
                    self._poller = self._listener = None
                    return
            try:
                with self._engine.connect() as connection:
                    changes = changes_since(connection, self._last)
            except Exception:  # the database is away for a moment: look again at the next beat
                continue
            if changes:
                self._tell(changes)

    def _tell(self, changes: list[tuple[int, list[str]]]) -> None:
        topics = [topic for _id, of_change in changes for topic in of_change]
        ended = {topic for topic in topics if topic.startswith(ENDS)}
        with self._lock:
            self._last = last = changes[-1][0]
            self._recent.extend(changes)
            gone = [stream for stream in self._streams if f"{ENDS}{stream.person_id}" in ended]
            self._streams = [stream for stream in self._streams if stream not in gone]
            told = list(self._streams)
        for stream in gone:
            stream.end()
        said = shown(topics)
        if not said:
            return
        texts: dict[Audience | None, bytes] = {None: message(last, said)}
        for stream in told:
            if stream.audience not in texts:
                texts[stream.audience] = message(last, said, self._parts(stream.audience, said))
            stream.put(texts[stream.audience], last)

    def _parts(self, audience: Audience | None, topics: list[str]) -> Parts | None:
        try:
            return self._make_parts(audience, topics) if audience else None
        except Exception:
            log.exception("parts of %s could not be made", audience.page if audience else "")
            return None
