"""A lane at work: the due letters of one account, gateway or bell, claimed, handed to its crew, settled. A thread of its own,
a connection each sender, so that a slow server holds up nobody else's letters, and a slow address only one sender."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from kanban import clock
from kanban.config import Config
from kanban.db import db, transaction
from kanban.errors import Busy, Unwritable
from rules.models import Message
from rules.post import outbox, pause
from rules.post.crew import Crew
from rules.post.deliveries import settle
from rules.post.desk import Desk, Tried
from rules.post.ways import Way, may_leave, note_health, stored_of, way_of

log = logging.getLogger(__name__)

LOOK_S = 0.25  # at least so often: whether another letter may begin beside a slow one, and whether to stop
LOW = 10  # letters in hand below which more are claimed


@dataclass
class LaneRun:
    """One run along a lane: until nothing is due, the account is at fault, or the worker is to stop."""

    app: Flask
    config: Config
    lane: outbox.Lane
    stopping: Callable[[], bool]
    desk: Desk = field(default_factory=Desk)
    pending: list[Tried] = field(default_factory=list)
    dropped: list[Message] = field(default_factory=list)
    fault: Tried | None = None
    gave_back: bool = False
    only_asked_for: bool = False
    pause_began: bool = False
    way: Way | None = None

    def __post_init__(self) -> None:
        self.crew = Crew(self.app, self.config, self.desk, f"{self.lane.account_id or self.lane.channel}")

    def run(self) -> None:
        """Never raises: a failure is logged, what is known of letters is kept, and leases free the others."""
        with self.app.app_context():
            try:
                self._work()
            except Exception:
                log.exception("lane %s stumbled", self.lane)
                self.desk.clear(clock.now())
            finally:
                self.crew.go_home()
                self._keep_each()
                db.session.remove()

    def _work(self) -> None:
        looked_at, dry = 0.0, False
        while True:
            if self.fault or self.pause_began or self.stopping():
                self.desk.clear(clock.now())
                dry = True
            elif self.desk.ready < LOW and (not dry or time.monotonic() - looked_at > self.config.poll_s):
                dry = self._refill() < outbox.BATCH  # fewer: the rest waits behind what is in hand, or there is no more yet
                looked_at = time.monotonic()
            self._write()
            if self.way is not None:
                self.crew.man(self.way.open)
            is_over = self.desk.is_empty and dry and not self.pending
            if is_over and (self.fault or self.gave_back or self.stopping() or not self._refill()) and not self.dropped:
                return
            self._keep(self.desk.collect(LOOK_S))

    def _refill(self) -> int:
        """Claims what the limits of the way allow. Returns how many letters that were; none where nothing can be written just now."""
        try:
            return self._claim()
        except (Busy, Unwritable):
            return 0

    def _claim(self) -> int:
        with transaction(numbered=False) as session:
            outbox.take_turn(session, self.lane)
            now = clock.now()
            self.only_asked_for = pause.pause_of(session) is not None
            stored = stored_of(session, self.lane, self.config)
            is_gone = stored is None and self.lane.account_id is not None
            most = 0 if is_gone else may_leave(session, stored, now, outbox.BATCH)
            if is_gone:  # its letters are the firm's account's by now, those in hand too
                self.desk.clear(now)
            if not most:
                return 0
            self.way = way_of(stored, self.lane, self.config)
            dropped: list[Message] = []
            claimed = outbox.claim(
                session, self.config.worker_name, self.config.lease_s, now, most, self.lane,
                account_id=self.way.account_id, sender=self.way.sender, only_asked_for=self.only_asked_for,
                dropped=dropped,
            )  # fmt: skip
        self.dropped += dropped
        db.session.expunge_all()
        self.desk.put(claimed)
        return len(claimed)

    def _keep(self, done: list[Tried]) -> None:
        self.pending.extend(done)
        self.gave_back = self.gave_back or any(one.answer is None for one in done)
        self.fault = self.fault or next((one for one in done if one.answer is not None and one.answer.by_account), None)

    def _write(self) -> None:
        """Keeps what became of letters, and in the same transaction that the next one begins: a worker that dies leaves no more than
        the letters under way in doubt. Where nothing can be written just now all of it stays in hand for the next go."""
        begins = self._next()
        if not (self.pending or self.dropped or begins):
            return
        tried = [one for one in self.pending if one.answer is not None]
        try:
            with transaction(numbered=bool(tried or self.dropped)) as session:
                outbox.give_back(session, [one.message for one in self.pending if one.answer is None])
                settle(session, tried, self.config, self.dropped)
                self.pause_began = not self.only_asked_for and pause.pause_of(session) is not None
                if self.way is not None and self.way.stored is not None:
                    note_health(session, self.way.stored, self.lane, tried, self.config)
                may_begin = begins is not None and not self.pause_began and self._begin(session, begins)
        except (Busy, Unwritable):
            if begins is not None:
                self.desk.put_back(begins)
            return
        self.pending, self.dropped = [], []
        if begins is not None and may_begin:
            self.desk.begin(begins)
        elif begins is not None and self.pause_began:
            self.desk.put_back(begins)
        for one in tried:
            _log(one)

    def _begin(self, session: Session, message: Message) -> bool:
        return outbox.begin(session, message, clock.now(), self.config.letter_deadline_s)

    def _keep_each(self) -> None:
        """After a failure: what is known is kept letter by letter, so that one that can't be takes no other with it."""
        for one in [*self.pending, *self.desk.collect(0)]:
            try:
                with transaction() as session:
                    if one.answer is None:
                        outbox.give_back(session, [one.message])
                    else:
                        settle(session, [one], self.config)
            except Exception:
                log.exception("letter %s: what became of it can't be kept", one.message.id)

    def _next(self) -> Message | None:
        """The letter to begin; one whose lease would end before it could is given back."""
        while (found := self.desk.next()) is not None:
            left = found.lease_until - clock.now() if found.lease_until else timedelta(0)
            if left.total_seconds() >= self.config.letter_deadline_s:
                return found
            self.desk.withdraw(found, clock.now())
        return None


def _log(one: Tried) -> None:
    """What came of one attempt; whose address it was is in the log of letters."""
    assert one.answer is not None
    level = logging.INFO if one.answer.outcome in ("sent", "tray") else logging.WARNING
    log.log(level, "%s %s", one.message.channel, one.answer.outcome, extra={"letter": one.message.id, "order": one.message.order_id})
