"""Deliveries: every attempt to hand a message over, written before the network is touched."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kanban.db import Base


class Delivery(Base):
    """One attempt. outcome: started, sent, retry, failed, tray, or unknown (the worker died in the middle)."""

    __tablename__ = "delivery"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), index=True)
    attempt: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(10), default="started")
    answer: Mapped[str] = mapped_column(Text, default="")
