"""Actions that wait for their time."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import UNSEEN, Base

LATER_STATES = ("waiting", "done", "cancelled", "failed")


class Later(Base):
    """An action of a rule that an event triggered. action: its place in the version. status_id: where the order stood then.

    state: waiting, done, cancelled or failed. why: the reason it was cancelled, a code of rules.running.delayed.
    """

    __tablename__ = "later"
    __table_args__ = (
        Index(None, "event_id", "rule_id", "action", unique=True),
        Index(None, "state", "due_at"),
        Index(None, "order_id"),
        UNSEEN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"))
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id", ondelete="CASCADE"))
    version_id: Mapped[int]
    action: Mapped[int]
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id", ondelete="CASCADE"))
    status_id: Mapped[int]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    why: Mapped[str] = mapped_column(String(20), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
