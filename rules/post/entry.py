"""A message to be put into the outbox, before it is a row."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from rules.definition.channels import Channel
from rules.post.layout import Layout

MOST_SUBJECT = 400


class SenderNote(StrEnum):
    """Why a message does not go by the account that was wished for."""

    NONE = ""
    NO_OWN_ACCOUNT = "no_own_account"
    OWN_ACCOUNT_FAILED = "own_account_failed"
    ACCOUNT_GONE = "account_gone"


def message_key(event: int | str, channel: Channel, address: str, template: int | str, copy: int = 0) -> str:
    """One message for one event, channel, address and template, however many rules matched."""
    return f"{event}:{channel}:{address.strip().casefold()}:{template}:{copy}"


def message_id(key: str, host: str) -> str:
    """A Message-ID that is the same whenever it is made from the same key (RFC 5322, 3.6.4)."""
    event = key.split(":", 1)[0]
    return f"<potok.{event}.{hashlib.sha256(key.encode()).hexdigest()[:20]}@{host}>"


@dataclass(frozen=True)
class OutboxEntry:
    """Its columns: see rules.models.Message. host: of the Message-ID."""

    key: str
    kind: str
    channel: Channel
    name: str
    address: str
    subject: str
    text: str
    language: str
    host: str
    due_at: datetime
    created_at: datetime
    person_id: int | None = None
    event_id: int | None = None
    order_id: int | None = None
    rule_id: int | None = None
    template_id: int | None = None
    account_id: int | None = None
    note: SenderNote = SenderNote.NONE
    reply_to: str = ""
    layout: Layout = field(default_factory=Layout)

    @property
    def addressee(self) -> str:
        """Whom it goes to, by name where it is known."""
        return self.name or self.address

    def at(self, now: datetime) -> "OutboxEntry":
        """The same, made and due now."""
        return replace(self, due_at=now, created_at=now)

    def to_row(self) -> dict[str, object]:
        return {
            "key": self.key,
            "kind": self.kind,
            "channel": self.channel.value,
            "event_id": self.event_id,
            "order_id": self.order_id,
            "rule_id": self.rule_id,
            "template_id": self.template_id,
            "person_id": self.person_id,
            "account_id": self.account_id,
            "note": self.note.value,
            "reply_to": self.reply_to,
            "name": self.name,
            "address": self.address,
            "subject": self.subject[:MOST_SUBJECT],
            "text": self.text,
            "layout": self.layout.to_json(),
            "language": self.language,
            "message_id": message_id(self.key, self.host),
            "state": "waiting",
            "due_at": self.due_at,
            "attempts": 0,
            "error": "",
            "created_at": self.created_at,
        }
