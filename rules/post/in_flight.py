"""The queue of a lane: messages in hand, shared by its senders. Threads only, no database and no network."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from rules.models import Message
from rules.transports import Answer

MOST_SENDERS = 4
BESIDE_S = 0.25  # a message that is on its way for longer has another begun beside it


@dataclass(frozen=True)
class Tried:
    """answer None: it was not tried after all."""

    message: Message
    answer: Answer | None
    ended_at: datetime


class InFlightQueue:
    """Messages lie ready until the lane has written down that they begin: so a lane that dies knows which ones it was at, and one
    that can't write begins none. While the other side is quick there is one at a time, else up to MOST_SENDERS, none of them to
    the same address: a recipient's messages stay in order, and a slow address holds up one sender only."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ready: deque[Message] = deque()
        self._begun: deque[Message] = deque()
        self._busy: dict[str, float] = {}
        self._done: list[Tried] = []
        self._is_closed = self._is_woken = False

    def put(self, messages: Iterable[Message]) -> None:
        with self._changed:
            self._ready.extend(messages)

    def next(self) -> Message | None:
        """The message that may begin now, which is off the queue until begin() or put_back(); None where none may."""
        with self._changed:
            now = time.monotonic()
            if len(self._busy) >= MOST_SENDERS or any(now - since < BESIDE_S for since in self._busy.values()):
                return None
            for place, message in enumerate(self._ready):
                if message.address not in self._busy:
                    del self._ready[place]
                    return message
            return None

    def begin(self, message: Message) -> None:
        """It is written down: a sender may take it."""
        with self._changed:
            self._busy[message.address] = time.monotonic()
            self._begun.append(message)
            self._changed.notify_all()

    def put_back(self, message: Message) -> None:
        """It did not begin: it is the first again."""
        with self._changed:
            self._ready.appendleft(message)

    def withdraw(self, message: Message, now: datetime) -> None:
        """It is not to begin: done with, untried."""
        with self._changed:
            self._done.append(Tried(message, None, now))

    def take(self) -> Message | None:
        """For a sender: the next message that has begun, as soon as there is one; None once the queue is closed."""
        with self._changed:
            while not self._begun:
                if self._is_closed:
                    return None
                self._changed.wait()
            return self._begun.popleft()

    def finish(self, tried: Tried) -> None:
        """What became of a message. Refused for now: those behind it to the same address are not tried before it."""
        with self._changed:
            self._busy.pop(tried.message.address, None)
            self._done.append(tried)
            answer = tried.answer
            if answer is not None and answer.outcome in ("retry", "unclear"):
                whose = None if answer.by_account else tried.message.address
                self._untouched(lambda one: whose is None or one.address == whose, tried.ended_at)
            self._changed.notify_all()

    def _untouched(self, which: Callable[[Message], bool], now: datetime) -> None:
        self._done.extend(Tried(one, None, now) for one in self._ready if which(one))
        self._ready = deque(one for one in self._ready if not which(one))

    def clear(self, now: datetime) -> None:
        """Nothing more is begun: what lies ready is done with, untried."""
        with self._changed:
            self._untouched(lambda one: True, now)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def wake(self) -> None:
        """collect() returns at once."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def collect(self, wait_s: float) -> list[Tried]:
        """What was finished since, after waiting for the first a little."""
        with self._changed:
            if not self._done and not self._is_woken:
                self._changed.wait(wait_s)
            self._is_woken = False
            done, self._done = self._done, []
            return done

    @property
    def ready(self) -> int:
        with self._changed:
            return len(self._ready)

    @property
    def under_way(self) -> int:
        with self._changed:
            return len(self._busy)

    @property
    def is_empty(self) -> bool:
        with self._changed:
            return not self._ready and not self._busy and not self._done
