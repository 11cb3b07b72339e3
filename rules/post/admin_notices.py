"""Notices at the bell of every administrator: what needs somebody who answers for the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.config import Config
from kanban.db import insert_new
from kanban.models import Person
from kanban.settings import setting
from kanban.wakeups import Topic, wake
from rules.definition.channels import Channel
from rules.models import Message
from rules.post.entry import OutboxEntry, message_key


@dataclass(frozen=True)
class AdminNotice:
    """key: of what it is about, so that nobody is told of it twice. text: in the company's language."""

    kind: str
    key: str
    text: str
    order_id: int | None = None


def tell(session: Session, notices: Sequence[AdminNotice], now: datetime, config: Config) -> None:
    language = setting(session, "language")
    admins = session.scalars(select(Person).where(Person.access == "admin", Person.active)).all()
    entries = [_entry(notice, admin, language, now, config) for notice in notices for admin in admins]
    wake(session, Topic.OUTBOX)
    insert_new(session, Message, [entry.to_row() for entry in entries])


def _entry(notice: AdminNotice, admin: Person, language: str, now: datetime, config: Config) -> OutboxEntry:
    key = message_key(notice.key, Channel.NOTICE, admin.email, notice.kind)
    return OutboxEntry(
        key,
        notice.kind,
        Channel.NOTICE,
        admin.name,
        admin.email,
        notice.text,
        notice.text,
        language,
        config.public_host,
        now,
        now,
        person_id=admin.id,
        order_id=notice.order_id,
    )
