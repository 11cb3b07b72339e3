"""The desk of a lane: letters in hand, shared by its senders. Threads only, no database and no network."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from rules.models import Message
from rules.post.transports import Answer


@dataclass(frozen=True)
class Tried:
    """answer None: it was not tried after all."""

    message: Message
    answer: Answer | None
    ended_at: datetime


MOST_UNSETTLED = 20  # letters that were tried, or are being tried, and are not kept as such yet


class Desk:
    """No more are begun while MOST_UNSETTLED wait to be settled: whatever keeps the database from writing, no more than so many
    could go out twice. Each sender takes the next letter whose addressee nobody is writing to, so a recipient's letters stay in order and a
    slow address holds up one sender only."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ready: deque[Message] = deque()
        self._busy: dict[str, float] = {}
        self._done: list[Tried] = []
        self._unsettled = 0
        self._is_closed = False

    def put(self, messages: Iterable[Message]) -> None:
        with self._changed:
            self._ready.extend(messages)
            self._changed.notify_all()

    def take(self) -> Message | None:
        """The next letter, as soon as there is one; None once the desk is closed."""
        with self._changed:
            while True:
                may_begin = len(self._busy) + self._unsettled < MOST_UNSETTLED
                for place, message in enumerate(self._ready):
                    if may_begin and message.address not in self._busy:
                        del self._ready[place]
                        self._busy[message.address] = time.monotonic()
                        return message
                if self._is_closed:
                    return None
                self._changed.wait()

    def finish(self, tried: Tried) -> None:
        """What became of a letter. Refused for now: those behind it to the same address are not tried before it."""
        with self._changed:
            self._busy.pop(tried.message.address, None)
            self._done.append(tried)
            answer = tried.answer
            self._unsettled += answer is not None
            if answer is None or answer.outcome in ("retry", "unclear"):
                whose = None if answer is not None and answer.by_account else tried.message.address
                self._untouched(lambda one: whose is None or one.address == whose, tried.ended_at)
            self._changed.notify_all()

    def _untouched(self, which: Callable[[Message], bool], now: datetime) -> None:
        self._done.extend(Tried(one, None, now) for one in self._ready if which(one))
        self._ready = deque(one for one in self._ready if not which(one))

    def settled(self, count: int) -> None:
        """So many that were tried are kept as such."""
        with self._changed:
            self._unsettled -= count
            self._changed.notify_all()

    def clear(self, now: datetime) -> None:
        """Nothing more is begun: what lies ready is done with, untried."""
        with self._changed:
            self._untouched(lambda one: True, now)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def collect(self, wait_s: float) -> list[Tried]:
        """What was finished since, after waiting for the first a little."""
        with self._changed:
            if not self._done:
                self._changed.wait(wait_s)
            done, self._done = self._done, []
            return done

    @property
    def ready(self) -> int:
        with self._changed:
            return len(self._ready)

    @property
    def is_empty(self) -> bool:
        with self._changed:
            return not self._ready and not self._busy and not self._done

    def is_held_up(self, senders: int, longer_than_s: float) -> bool:
        """Whether letters lie ready while every sender has been at one for long."""
        with self._changed:
            since = time.monotonic() - longer_than_s
            return bool(self._ready) and len(self._busy) >= senders and all(begun < since for begun in self._busy.values())
