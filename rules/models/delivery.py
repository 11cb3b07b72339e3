"""Deliveries: every attempt to hand a message over, written before the network is touched."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kanban.db import UNSEEN, Base


class Delivery(Base):
    """One attempt. outcome: claimed (not begun), started, sent, retry, failed, tray, unclear (the other side took the message and
    never answered) or unknown (the worker died in the middle). account_id: the mail account it went by. sender: its address.
    address: to which it went; "" for attempts of earlier versions."""

    __tablename__ = "delivery"
    __table_args__ = (Index(None, "account_id", "started_at"), UNSEEN)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("mail_account.id", ondelete="SET NULL"))
    sender: Mapped[str] = mapped_column(String(254), default="")
    address: Mapped[str] = mapped_column(String(254), default="")
    attempt: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(10), default="started")
    answer: Mapped[str] = mapped_column(Text, default="")
