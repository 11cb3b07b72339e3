"""A lane at work: the due messages of one account, gateway or bell, claimed, handed to its pool, settled. A thread of its own,
a connection each sender, so that a slow server holds up nobody else's messages, and a slow address only one sender."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from kanban import clock
from kanban.config import Config
from kanban.db import db
from kanban.errors import Busy, Unwritable
from kanban.transactions import Turn, transaction
from rules.models import Message
from rules.post import outbox, pause
from rules.post.deliveries import settle
from rules.post.in_flight import InFlightQueue, Tried
from rules.post.routes import Route, may_leave, note_health, route_of, stored_of
from rules.post.sender_pool import SenderPool

log = logging.getLogger(__name__)

REFILL_S = 0.25  # at least so often: whether more is due while some is in hand
LOOK_S = 0.25  # at least so often: whether another message may begin beside a slow one, and whether to stop
LOW = 10  # messages in hand below which more are claimed


@dataclass
class LaneWorker:
    """One run along a lane: until nothing is due, the account is at fault, or the worker is to stop."""

    app: Flask
    config: Config
    lane: outbox.Lane
    stopping: Callable[[], bool]
    queue: InFlightQueue = field(default_factory=InFlightQueue)
    has_more: threading.Event = field(default_factory=threading.Event)
    pending: list[Tried] = field(default_factory=list)
    dropped: list[Message] = field(default_factory=list)
    fault: Tried | None = None
    gave_back: bool = False
    only_asked_for: bool = False
    pause_began: bool = False
    route: Route | None = None

    def __post_init__(self) -> None:
        self.pool = SenderPool(self.app, self.config, self.queue, f"{self.lane.account_id or self.lane.channel}")

    def run(self) -> None:
        """Never raises: a failure is logged, what is known of messages is kept, and leases free the others."""
        with self.app.app_context():
            try:
                self._work()
            except Exception:
                log.exception("lane %s failed", self.lane)
                self.queue.clear(clock.now())
            finally:
                self.pool.stop()
                self._keep_each()
                db.session.remove()

    def look_again(self) -> None:
        """More is due. By another thread."""
        self.has_more.set()
        self.queue.wake()

    def _work(self) -> None:
        looked_at, dry = 0.0, False
        while True:
            if self.has_more.is_set():
                self.has_more.clear()
                dry = False
            if self.fault or self.pause_began or self.stopping():
                self.queue.clear(clock.now())
                dry = True
            elif self.queue.ready < LOW and (not dry or time.monotonic() - looked_at > REFILL_S):
                dry = self._refill() < outbox.BATCH  # fewer: the rest waits behind what is in hand, or there is no more yet
                looked_at = time.monotonic()
            self._write()
            if self.route is not None:
                self.pool.scale(self.route.open)
            is_over = self.queue.is_empty and dry and not self.pending
            if is_over and (self.fault or self.gave_back or self.stopping() or not self._has_more_now()) and not self.dropped:
                return
            self._keep(self.queue.collect(LOOK_S))

    def _refill(self) -> int:
        """Claims what the limits of the route allow. Returns how many messages that were; none where nothing can be written just now."""
        try:
            return self._claim()
        except (Busy, Unwritable):
            return 0

    def _has_more_now(self) -> bool:
        """Asks first whether anything is due at all, as a rule nothing is, and that needs no turn to write."""
        is_due = outbox.has_due(db.session(), self.lane, clock.now())
        db.session.rollback()
        return is_due and self._refill() > 0

    def _claim(self) -> int:
        """What is claimed with nothing under way begins in the same transaction."""
        with transaction(Turn.NONE) as session:
            outbox.take_turn(session, self.lane)
            now = clock.now()
            self.only_asked_for = pause.pause_of(session) is not None
            stored = stored_of(session, self.lane, self.config)
            is_gone = stored is None and self.lane.account_id is not None
            most = 0 if is_gone else may_leave(session, stored, now, outbox.BATCH)
            if is_gone:  # its messages are the firm's account's by now, those in hand too
                self.queue.clear(now)
            if not most:
                return 0
            self.route = route_of(stored, self.lane, self.config)
            dropped: list[Message] = []
            claimed = outbox.claim(
                session,
                self.config.worker_name,
                self.config.lease_s,
                now,
                most,
                self.lane,
                account_id=self.route.account_id,
                sender=self.route.sender,
                only_asked_for=self.only_asked_for,
                dropped=dropped,
            )
            may_begin = claimed[:1] if self.queue.is_empty and not self.pending else []
            begun = [message for message in may_begin if self._begin(session, message)]
        self.dropped += dropped
        db.session.expunge_all()
        self.queue.put(claimed[len(begun) :])
        for message in begun:
            self.queue.begin(message)
            self.pool.scale(self.route.open)  # now: nothing may come between what is written down and its sender
        return len(claimed)

    def _keep(self, done: list[Tried]) -> None:
        self.pending.extend(done)
        self.gave_back = self.gave_back or any(one.answer is None for one in done)
        self.fault = self.fault or next((one for one in done if one.answer is not None and one.answer.by_account), None)

    def _write(self) -> None:
        """Keeps what became of messages, and in the same transaction that the next one begins: a worker that dies leaves no more than
        the messages under way in doubt. Where nothing can be written just now all of it stays in hand for the next go."""
        begins = self._next()
        if not (self.pending or self.dropped or begins):
            return
        tried = [one for one in self.pending if one.answer is not None]
        try:
            with transaction(Turn.NONE) as session:
                outbox.give_back(session, [one.message for one in self.pending if one.answer is None])
                settle(session, tried, self.config, self.dropped)
                self.pause_began = not self.only_asked_for and pause.pause_of(session) is not None
                if self.route is not None and self.route.stored is not None:
                    note_health(session, self.route.stored, self.lane, tried, self.config)
                may_begin = begins is not None and not self.pause_began and self._begin(session, begins)
        except (Busy, Unwritable):
            if begins is not None:
                self.queue.put_back(begins)
            return
        self.pending, self.dropped = [], []
        if begins is not None and may_begin:
            self.queue.begin(begins)
        elif begins is not None and self.pause_began:
            self.queue.put_back(begins)
        for one in tried:
            _log(one)

    def _begin(self, session: Session, message: Message) -> bool:
        return outbox.begin(session, message, clock.now(), self.config.letter_deadline_s)

    def _keep_each(self) -> None:
        """After a failure: what is known is kept message by message, so that one that can't be takes no other with it."""
        for one in [*self.pending, *self.queue.collect(0)]:
            try:
                with transaction() as session:
                    if one.answer is None:
                        outbox.give_back(session, [one.message])
                    else:
                        settle(session, [one], self.config)
            except Exception:
                log.exception("message %s: what became of it can't be kept", one.message.id)

    def _next(self) -> Message | None:
        """The message to begin; one whose lease would end before it could is given back."""
        while (found := self.queue.next()) is not None:
            left = found.lease_until - clock.now() if found.lease_until else timedelta(0)
            if left.total_seconds() >= self.config.letter_deadline_s:
                return found
            self.queue.withdraw(found, clock.now())
        return None


def _log(one: Tried) -> None:
    """What came of one attempt; whose address it was is in the log of messages."""
    assert one.answer is not None
    level = logging.INFO if one.answer.outcome in ("sent", "tray") else logging.WARNING
    log.log(level, "%s %s", one.message.channel, one.answer.outcome, extra={"message_id": one.message.id, "order": one.message.order_id})
