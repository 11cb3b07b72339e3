"""A lane at work: one account's due letters, claimed, handed to senders, settled. A thread of its own, a connection each
sender, so that a slow server holds up nobody else's letters, and a slow address only one sender."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from kanban import clock
from kanban.config import Config
from kanban.db import db, transaction
from rules import accounts, outbox, pause
from rules.accounts import Account
from rules.deliveries import settle
from rules.desk import Desk, Tried
from rules.frame import letter_of
from rules.models import MailAccount, Message
from rules.transports import Answer, Transport
from rules.transports.smtp import Smtp
from rules.transports.tray import Tray

log = logging.getLogger(__name__)

SETTLE_EACH = 10  # letters between commits: what a killed worker may send a second time, at most
SETTLE_S = 0.25
LOW = 10  # letters in hand below which more are claimed
MOST_SENDERS = 4
HELD_UP_S = 1.0


@dataclass
class LaneRun:
    """One run along a lane: until nothing is due, the account is at fault, or the worker is to stop."""

    app: Flask
    config: Config
    lane: outbox.Lane
    stopping: Callable[[], bool]
    desk: Desk = field(default_factory=Desk)
    senders: list[threading.Thread] = field(default_factory=list)
    pending: list[Tried] = field(default_factory=list)
    fault: Tried | None = None
    gave_back: bool = False
    only_asked_for: bool = False
    pause_began: bool = False

    def run(self) -> None:
        """Never raises: a failure of the database is logged, and leases give back what was claimed."""
        with self.app.app_context():
            try:
                self._work()
            except Exception:
                log.exception("lane %s stumbled", self.lane)
                self.desk.clear(clock.now())
            finally:
                self.desk.close()
                for sender in self.senders:
                    sender.join()
                db.session.remove()

    def _work(self) -> None:
        settled_at = clock.now()
        dry = False
        while True:
            if self.fault or self.pause_began or self.stopping():
                self.desk.clear(clock.now())
                dry = True
            elif not dry and self.desk.ready < LOW:
                dry = self._refill() < outbox.BATCH  # fewer: the rest waits behind what is in hand, or there is no more
            self._man()
            self._keep(self.desk.collect(SETTLE_S))
            is_empty = self.desk.is_empty
            if self.pending and (is_empty or len(self.pending) >= SETTLE_EACH or clock.now() - settled_at > timedelta(seconds=SETTLE_S)):
                self._settle()
                settled_at = clock.now()
            if is_empty and dry and (self.fault or self.gave_back or self.stopping() or not self._refill()):
                return

    def _refill(self) -> int:
        """Claims what the account's limits allow. Returns how many letters that were."""
        with transaction(numbered=False) as session:
            now = clock.now()
            self.only_asked_for = pause.pause_of(session) is not None
            stored = self._stored(session)
            most = outbox.BATCH
            if stored is not None:
                if not accounts.is_awake(stored, now):
                    return 0
                most = accounts.allowance(session, stored, now, most)
            claimed = outbox.claim(
                session, self.config.worker_name, self.config.lease_s, now, most, self.lane,
                account_id=stored.id if stored else None, sender=stored.address if stored else "", only_asked_for=self.only_asked_for,
            ) if most else []  # fmt: skip
            self._account = accounts.as_account(stored, self.config) if stored else None
        db.session.expunge_all()
        self.desk.put(claimed)
        return len(claimed)

    _account: Account | None = None

    def _stored(self, session: Session) -> MailAccount | None:
        if self.lane.account_id is not None:
            return session.get(MailAccount, self.lane.account_id)
        return accounts.system_account(session, self.config)

    def _man(self) -> None:
        """One sender; another where all of them have been at one letter for long."""
        count = len(self.senders)
        if self.desk.ready and (count == 0 or (count < MOST_SENDERS and self.desk.is_held_up(count, HELD_UP_S))):
            sender = threading.Thread(target=self._send, args=(self._account,), name=f"sender-{self.lane}-{count}", daemon=True)
            self.senders.append(sender)
            sender.start()

    def _send(self, account: Account | None) -> None:
        """A sender: letter after letter over one connection, until the desk is closed."""
        transport: Transport = Smtp(account, self.config.letter_deadline_s) if account else Tray()
        with self.app.app_context(), transport:
            while (message := self.desk.take()) is not None:
                answer = None if self._lease_is_short(message) else self._hand_over(transport, message)
                self.desk.finish(Tried(message, answer, clock.now()))

    def _hand_over(self, transport: Transport, message: Message) -> Answer:
        try:
            letter = letter_of(message, self.config.public_url)
        except Exception as error:
            log.exception("letter %s could not be made", message.id)
            return Answer("failed", type(error).__name__)
        return transport.send(letter)

    def _lease_is_short(self, message: Message) -> bool:
        left = message.lease_until - clock.now() if message.lease_until else timedelta(0)
        return left.total_seconds() < self.config.letter_deadline_s

    def _keep(self, done: list[Tried]) -> None:
        self.pending.extend(done)
        self.gave_back = self.gave_back or any(one.answer is None for one in done)
        self.fault = self.fault or next((one for one in done if one.answer is not None and one.answer.by_account), None)

    def _settle(self) -> None:
        pending, self.pending = self.pending, []
        tried = [one for one in pending if one.answer is not None]
        with transaction() as session:
            outbox.give_back(session, [one.message for one in pending if one.answer is None])
            settle(session, tried, self.config)
            self.pause_began = not self.only_asked_for and pause.pause_of(session) is not None
            if self._account is not None and self._account.stored_id is not None:
                self._note_health(session, self._account.stored_id, tried)

    def _note_health(self, session: Session, account_id: int, tried: list[Tried]) -> None:
        """When it last worked; or what it said, until when it is left alone, and who sends in its stead."""
        sent = [one.ended_at for one in tried if one.answer is not None and one.answer.outcome == "sent"]
        if sent:
            accounts.note_sent(session, account_id, sent[-1])
        bad = next((one for one in reversed(tried) if one.answer is not None and one.answer.by_account), None)
        stored = session.get(MailAccount, account_id, populate_existing=True) if bad else None
        if bad is None or bad.answer is None or stored is None:
            return
        until = accounts.pause_until(stored.failures, bad.answer.pause_s, bad.ended_at, self.config.retry_first_s)
        accounts.note_error(session, account_id, bad.answer.text, bad.ended_at, until)
        before = bad.ended_at - timedelta(seconds=self.config.retry_for_s)
        if pause.age_from(session, before) == before and pause.pause_of(session) is None:
            outbox.expire(session, self.lane, before, bad.answer.text)
        if self.lane.account_id is not None and stored.fall_back:
            outbox.hand_over(session, account_id, "own_account_failed")
