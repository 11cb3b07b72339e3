"""The outbox: one text to one recipient by one channel."""

from datetime import datetime
from typing import Any, get_args

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import NEVER_REUSED, UNSEEN, Base
from kanban.models import SignInEmailKind

STATES = ("waiting", "sending", "sent", "failed", "cancelled", "tray")
SIGN_IN_KINDS: tuple[str, ...] = get_args(SignInEmailKind)  # to one person, and never copied to anybody
SECRET_KINDS = ("reset", "invitation")  # their link opens an account: nobody is shown them, and their words go once they are sent


class Message(Base):
    """A message. The outbox *is* the queue: `state`, `due_at` and `lease_until` are all a worker looks at.

    channel: email, sms, chat (a messenger) or notice (the bell). account_id: the mail account it is to go by; None: the
    firm's own. note: why it doesn't go by the account that was wished for: no_own_account, own_account_failed or account_gone.

    key: event, channel, address, template and copy number; unique, so no message is written twice for one event.
    kind: rule, copy (of a rule's message, sent again by hand), test, mention (in a comment), todo (that is due), or one of
    SIGN_IN_KINDS.
    queued_for: the address at enqueue, where it goes to another by now. dropped: why it was cancelled when its turn came, ""
    where a person cancelled it (see rules.post.addressees). text_kept: False once its words are no longer kept.
    layout: what the HTML frame shows beside the text (order, statuses, why the reader got it).
    """

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_claim", "channel", "account_id", "state", "due_at", "id"),
        Index(None, "state", "due_at"),
        Index("ix_message_tried", "channel", "account_id", "state", "attempts", "address", "id"),
        Index(None, "person_id", "channel", "id"),
        Index(None, "event_id"),
        Index(None, "order_id", "id"),
        Index(None, "rule_id", "state"),
        Index(None, "text_kept", "created_at"),
        NEVER_REUSED | UNSEEN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(500), unique=True)
    kind: Mapped[str] = mapped_column(String(10), default="rule")
    channel: Mapped[str] = mapped_column(String(10), default="email")
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id", ondelete="SET NULL"))
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("rule.id", ondelete="SET NULL"))
    template_id: Mapped[int | None] = mapped_column(ForeignKey("template.id", ondelete="SET NULL"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("mail_account.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(String(30), default="")
    reply_to: Mapped[str] = mapped_column(String(254), default="")
    name: Mapped[str] = mapped_column(String(120), default="")
    address: Mapped[str] = mapped_column(String(254))
    queued_for: Mapped[str] = mapped_column(String(254), default="")
    subject: Mapped[str] = mapped_column(String(400))
    text: Mapped[str] = mapped_column(Text)
    layout: Mapped[dict[str, Any]] = mapped_column(default=dict)
    language: Mapped[str] = mapped_column(String(5), default="en")
    message_id: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(80))
    error: Mapped[str] = mapped_column(Text, default="")
    dropped: Mapped[str] = mapped_column(String(20), default="")
    text_kept: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
