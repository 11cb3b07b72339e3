"""Handing claimed letters over, and keeping what became of each attempt."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from kanban import clock
from kanban.config import Config
from kanban.db import transaction
from kanban.live import publish
from rules import accounts, outbox
from rules.accounts import Account
from rules.frame import letter_of
from rules.models import Delivery, Message
from rules.transports import Answer
from rules.transports.smtp import Smtp
from rules.transports.tray import Tray

log = logging.getLogger(__name__)

SETTLE_EACH = 10  # letters between commits: what a killed worker may send a second time, at most
SETTLE_S = 0.25


@dataclass(frozen=True)
class Tried:
    message: Message
    answer: Answer
    ended_at: datetime


def deliver(messages: Sequence[Message], account: Account | None, config: Config, stopping: Callable[[], bool] = lambda: False) -> None:
    """Sends what a worker has claimed, one connection for all, settling as it goes. Needs an application context.

    When the account is at fault, the rest of the batch is not tried: its letters go back untouched and wait as long as
    the first. What is left also goes back before the lease could run out, and when the worker is to stop.
    """
    transport = Smtp(account, config.letter_deadline_s) if account else Tray()
    tried: list[Tried] = []
    settled_at = clock.now()
    with transport:
        for place, message in enumerate(messages):
            if stopping() or _lease_is_short(message, config):
                _settle(tried, account, config)
                with transaction(numbered=False) as session:
                    outbox.give_back(session, messages[place:])
                return
            answer = _send(transport, message, config)
            tried.append(Tried(message, answer, clock.now()))
            if answer.by_account:
                _settle(tried, account, config)
                wait = next_try(message.created_at, message.attempts, clock.now(), config)
                with transaction(numbered=False) as session:
                    outbox.give_back(session, messages[place + 1 :], wait or clock.now() + timedelta(seconds=config.retry_first_s))
                return
            if len(tried) >= SETTLE_EACH or clock.now() - settled_at > timedelta(seconds=SETTLE_S):
                _settle(tried, account, config)
                tried, settled_at = [], clock.now()
        _settle(tried, account, config)  # before QUIT: once the server said 250 the letter is sent, whatever comes


def _send(transport: Smtp | Tray, message: Message, config: Config) -> Answer:
    try:
        letter = letter_of(message, config.public_url)
    except Exception as error:
        log.exception("letter %s could not be made", message.id)
        return Answer("failed", f"{type(error).__name__}")
    return transport.send(letter)


def _lease_is_short(message: Message, config: Config) -> bool:
    left = message.lease_until - clock.now() if message.lease_until else timedelta(0)
    return left.total_seconds() < config.letter_deadline_s


def _settle(tried: Sequence[Tried], account: Account | None, config: Config) -> None:
    """sent, retry at, failed or tray: one commit for all of them."""
    if not tried:
        return
    with transaction() as session:
        for one in tried:
            _settle_one(session, one, config)
        _note_health(session, tried, account)
        topics = {f"letters-{one.message.order_id}" for one in tried if one.message.order_id}
        publish(session, "letters", *sorted(topics))


def _settle_one(session: Session, one: Tried, config: Config) -> None:
    message, answer = one.message, one.answer
    state, due_at = answer.outcome, None
    if answer.outcome == "retry":
        due_at = next_try(message.created_at, message.attempts, one.ended_at, config)
        state = "waiting" if due_at else "failed"
    values: dict[str, object] = {"state": state, "lease_until": None, "claimed_by": None, "error": "" if state == "sent" else answer.text}
    if due_at:
        values["due_at"] = due_at
    if state == "sent":
        values["sent_at"] = one.ended_at
    if message.kind == "reset" and state != "waiting":
        values |= {"text": "", "layout": {}}  # a link that opens an account is not kept
    still_ours = (Message.state == "sending") & (Message.claimed_by == message.claimed_by)
    session.execute(update(Message).where(Message.id == message.id, still_ours).values(**values))
    session.execute(
        update(Delivery)
        .where(Delivery.message_id == message.id, Delivery.attempt == message.attempts)
        .values(outcome="failed" if state == "failed" else answer.outcome, ended_at=one.ended_at, answer=answer.text)
    )


def next_try(created_at: datetime, attempts: int, now: datetime, config: Config) -> datetime | None:
    """1 min, doubling, up to a cap; None once the letter is too old to be tried again."""
    wait = min(config.retry_first_s * 2 ** min(attempts - 1, 30), config.retry_cap_s)
    due_at = now + timedelta(seconds=wait)
    return due_at if due_at <= created_at + timedelta(seconds=config.retry_for_s) else None


def _note_health(session: Session, tried: Sequence[Tried], account: Account | None) -> None:
    if account is None or account.stored_id is None:
        return
    sent = [one.ended_at for one in tried if one.answer.outcome == "sent"]
    if sent:
        accounts.note_health(session, account.stored_id, sent_at=sent[-1])
    bad = [one for one in tried if one.answer.by_account]
    if bad:
        accounts.note_health(session, account.stored_id, error=bad[-1].answer.text, at=bad[-1].ended_at)
