"""The outbox: letters are put in with the change that caused them, and taken out by workers. The table is the queue."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kanban import clock
from kanban.db import table
from rules.models import Delivery, Message, Run

BATCH = 50


def message_key(event: int | str, channel: str, address: str, template: int | str, copy: int = 0) -> str:
    """One letter for one event, channel, address and template, however many rules matched."""
    return f"{event}:{channel}:{address.strip().casefold()}:{template}:{copy}"


def message_id(key: str, host: str) -> str:
    """A Message-ID that is the same whenever it is made from the same key (RFC 5322, 3.6.4)."""
    event = key.split(":", 1)[0]
    return f"<potok.{event}.{hashlib.sha256(key.encode()).hexdigest()[:20]}@{host}>"


def enqueue(session: Session, runs: Sequence[dict[str, Any]], messages: Sequence[dict[str, Any]]) -> None:
    """Inserts rows of runs and messages; what is there already stays as it is."""
    for model, rows in ((Run, runs), (Message, messages)):
        if rows:
            _insert_new(session, model, rows)


def _insert_new(session: Session, model: type[Run] | type[Message], rows: Sequence[dict[str, Any]]) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(table(model)).on_conflict_do_nothing(), list(rows))


def enqueue_plain(session: Session, *, kind: Literal["reset"], address: str, name: str, subject: str, text: str,
                  language: str, host: str, layout: dict[str, Any]) -> None:  # fmt: skip
    """A letter that no rule made: at once, with no undo window."""
    key = message_key(f"{kind}-{uuid.uuid4().hex[:12]}", "email", address, kind)
    session.add(
        Message(
            key=key, kind=kind, address=address, name=name, subject=subject, text=text, language=language, layout=layout,
            message_id=message_id(key, host), due_at=clock.now(),
        )
    )  # fmt: skip


def claim(session: Session, worker: str, lease_s: int, now: datetime, most: int = BATCH) -> list[Message]:
    """Takes due letters for this worker and writes a delivery for each, before any network is touched.

    In order of due time; a recipient's letters stay in order because one worker takes them together. On PostgreSQL
    other workers skip what is locked.
    """
    due = (
        select(Message.id)
        .where(Message.state == "waiting", Message.due_at <= now)
        .order_by(Message.due_at, Message.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    taken = session.scalars(due).all()
    if not taken:
        return []
    session.execute(
        update(Message)
        .where(Message.id.in_(taken))
        .values(state="sending", lease_until=now + timedelta(seconds=lease_s), claimed_by=worker, attempts=Message.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    messages = list(
        session.scalars(
            select(Message).where(Message.id.in_(taken)).order_by(Message.due_at, Message.id).execution_options(populate_existing=True)
        )
    )
    session.add_all(Delivery(message_id=one.id, attempt=one.attempts, started_at=now) for one in messages)
    return messages


def free_claims(session: Session, now: datetime, *, worker: str | None = None) -> int:
    """Letters whose lease ran out, or with `worker` all that its predecessor of the same name held, wait again.

    What became of the attempt is unknown: it is marked so, and the letter goes once more with the same Message-ID.
    """
    held = [Message.state == "sending"]
    held.append(Message.claimed_by == worker if worker else Message.lease_until < now)
    ids = session.scalars(select(Message.id).where(*held).with_for_update(skip_locked=True)).all()
    if ids:
        session.execute(update(Message).where(Message.id.in_(ids)).values(state="waiting", due_at=now, lease_until=None, claimed_by=None))
        session.execute(
            update(Delivery).where(Delivery.message_id.in_(ids), Delivery.outcome == "started").values(outcome="unknown", ended_at=now)
        )
    return len(ids)


def give_back(session: Session, messages: Iterable[Message], due_at: datetime | None = None) -> None:
    """Letters of a batch that were claimed but not tried go back: the attempt does not count. due_at: when to look again."""
    taken = list(messages)
    ids = [one.id for one in taken]
    if not ids:
        return
    values: dict[str, Any] = {"state": "waiting", "lease_until": None, "claimed_by": None, "attempts": Message.attempts - 1}
    session.execute(
        update(Message)
        .where(Message.id.in_(ids), Message.state == "sending", Message.claimed_by == taken[0].claimed_by)
        .values(values | ({"due_at": due_at} if due_at else {}))
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Delivery).where(Delivery.message_id.in_(ids), Delivery.outcome == "started"))


def cancel(session: Session, event_id: int) -> tuple[int, int]:
    """Cancels what an event still has waiting, unless some of it has gone. Returns (cancelled, gone).

    The rows are locked before they are counted: a worker that is claiming them is waited for, and then they have gone.
    """
    rows = session.execute(
        select(Message.id, Message.state, Message.attempts).where(Message.event_id == event_id).order_by(Message.id).with_for_update()
    ).all()
    gone = sum(row.state in ("sending", "sent", "tray", "failed") or row.attempts > 0 for row in rows)
    if gone:
        return 0, gone
    waiting = [row.id for row in rows if row.state == "waiting"]
    if waiting:
        session.execute(
            update(Message).where(Message.id.in_(waiting)).values(state="cancelled").execution_options(synchronize_session=False)
        )
    return len(waiting), 0


def waiting_of(session: Session, event_id: int) -> tuple[int, datetime | None]:
    """How many letters of an event still wait, and when the first leaves."""
    row = session.execute(
        select(func.count(), func.min(Message.due_at)).where(Message.event_id == event_id, Message.state == "waiting")
    ).one()
    return row[0], row[1]


def send_again(session: Session, message_id_: int, host: str) -> Message | None:
    """A new copy of a letter, due at once, with a Message-ID of its own. None where there is no such letter."""
    message = session.get(Message, message_id_)
    if message is None or message.kind == "reset":
        return None
    stem, _, _copy = message.key.rpartition(":")
    copies = session.scalar(select(func.count()).select_from(Message).where(Message.key.startswith(stem + ":", autoescape=True))) or 1
    key = f"{stem}:{copies}"
    copied = {
        column: getattr(message, column)
        for column in ("kind", "channel", "event_id", "order_id", "rule_id", "template_id", "person_id", "name", "address",
                       "subject", "text", "layout", "language")
    }  # fmt: skip
    again = Message(**copied, key=key, message_id=message_id(key, host), due_at=clock.now())
    session.add(again)
    session.flush()
    return again


def oldest_waiting(session: Session, now: datetime) -> datetime | None:
    """When the letter that has been due for longest was due; None where nothing is due."""
    return session.scalar(select(func.min(Message.due_at)).where(Message.state == "waiting", Message.due_at <= now))
