"""Keeping what became of each attempt."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from kanban.config import Config
from kanban.db import table
from kanban.live import publish
from rules.models import SECRET_KINDS, Delivery, Message
from rules.post import held
from rules.post.in_flight import Tried
from rules.post.pause import age_from
from rules.transports import Answer

_M, _D = table(Message), table(Delivery)
# Of this very attempt: a lease that ran out meanwhile takes nothing from what is known, unless somebody took the message anew.
_TRIED = (
    (_M.c.id == bindparam("of_message"))
    & (_M.c.attempts == bindparam("of_attempt"))
    & ((_M.c.state == "sending") | (_M.c.state == "waiting"))
)
_END = (
    update(_D)
    .where(_D.c.message_id == bindparam("of_message"), _D.c.attempt == bindparam("of_attempt"))
    .values(outcome=bindparam("new_outcome"), ended_at=bindparam("new_ended_at"), answer=bindparam("new_answer"))
)


def settle(session: Session, tried: Sequence[Tried], config: Config, dropped: Sequence[Message] = ()) -> None:
    """sent, retry at, failed or tray, for messages that were tried. A message somebody else holds by now is left alone.
    dropped: cancelled when their turn came, so that pages that show them are out of date too."""
    ends = [(one, _end_of(session, one, config)) for one in tried]
    by_shape: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    for one, values in ends:
        row = {f"new_{name}": value for name, value in values.items()}
        by_shape[tuple(values)].append(row | {"of_message": one.message.id, "of_attempt": one.message.attempts})
    connection = session.connection()
    for names, rows in by_shape.items():
        connection.execute(update(_M).where(_TRIED).values({name: bindparam(f"new_{name}") for name in names}), rows)
    if tried:
        connection.execute(_END, [_attempt_of(one, str(values["state"])) for one, values in ends])
    ended = [*(one.message for one in tried), *dropped]
    topics = {f"messages-{one.order_id}" for one in ended if one.order_id}
    topics |= {f"bell-{one.person_id}" for one in ended if one.channel == "notice"}
    if ended:
        publish(session, "messages", *sorted(topics))


def _end_of(session: Session, one: Tried, config: Config) -> dict[str, object]:
    message, answer = one.message, _answer(one)
    values: dict[str, object] = {"state": answer.outcome, "lease_until": None, "claimed_by": None, "error": answer.text}
    if answer.outcome in ("retry", "unclear"):
        due_at = next_try(age_from(session, message.created_at), message.attempts, one.ended_at, config)
        values["state"] = "waiting" if due_at else "failed"
        if answer.outcome == "unclear" and held.is_enough(session, message.id):
            values |= {"state": "failed", "error": held.UNCLEAR + answer.text}
            held.tell(session, [message], one.ended_at, config)
        elif due_at and not answer.by_account:  # where the account is at fault its pause says when, and the order stays
            values["due_at"] = due_at
    elif answer.outcome == "sent":
        values |= {"error": "", "sent_at": one.ended_at}
    if message.kind in SECRET_KINDS and values["state"] != "waiting":
        values |= {"text": "", "layout": {}}  # a link that opens an account is not kept
    return values


def _attempt_of(one: Tried, state: str) -> dict[str, object]:
    answer = _answer(one)
    outcome = "failed" if state == "failed" and answer.outcome == "retry" else answer.outcome
    return {
        "of_message": one.message.id,
        "of_attempt": one.message.attempts,
        "new_outcome": outcome,
        "new_ended_at": one.ended_at,
        "new_answer": answer.text,
    }


def _answer(one: Tried) -> Answer:
    assert one.answer is not None
    return one.answer


def next_try(created_at: datetime, attempts: int, now: datetime, config: Config) -> datetime | None:
    """1 min, doubling, up to a cap; None once the message is too old to be tried again."""
    wait = min(config.retry_first_s * 2 ** min(attempts - 1, 30), config.retry_cap_s)
    due_at = now + timedelta(seconds=wait)
    return due_at if due_at <= created_at + timedelta(seconds=config.retry_for_s) else None
