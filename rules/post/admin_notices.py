"""Notices at the bell of every administrator: what needs somebody who answers for the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.config import Config
from kanban.db import insert_new
from kanban.models import Person
from kanban.settings import setting
from rules.models import Message
from rules.post.outbox import message_id, message_key


@dataclass(frozen=True)
class Told:
    """key: of what it is about, so that nobody is told of it twice. text: in the firm's language."""

    kind: str
    key: str
    text: str
    order_id: int | None = None


def tell(session: Session, told: Sequence[Told], now: datetime, config: Config) -> None:
    host, language = config.public_host, setting(session, "language")
    admins = session.scalars(select(Person).where(Person.access == "admin", Person.active)).all()
    rows: list[dict[str, Any]] = []
    for one in told:
        for admin in admins:
            key = message_key(one.key, "notice", admin.email, one.kind)
            rows.append(
                {
                    "key": key, "kind": one.kind, "channel": "notice", "event_id": None, "order_id": one.order_id, "person_id": admin.id,
                    "name": admin.name, "address": admin.email, "subject": one.text[:400], "text": one.text, "language": language,
                    "layout": {}, "message_id": message_id(key, host), "state": "waiting", "due_at": now, "attempts": 0, "error": "",
                    "note": "", "reply_to": "", "created_at": now,
                }
            )  # fmt: skip
    insert_new(session, Message, rows)
