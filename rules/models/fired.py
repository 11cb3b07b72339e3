"""What rules of time have come due, so that each comes due once for an order and a date."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import UNSEEN, Base

_OF_LISTS = text("order_id IS NULL")


class DueMark(Base):
    """mark: what it came due for: the date of the order, the moment it entered its status, or its last event; without an order
    the day of a list."""

    __tablename__ = "fired"
    __table_args__ = (
        Index(None, "rule_id", "order_id", "mark", unique=True),
        Index(None, "order_id"),
        Index("ix_fired_list", "rule_id", "mark", unique=True, sqlite_where=_OF_LISTS, postgresql_where=_OF_LISTS),
        UNSEEN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id", ondelete="CASCADE"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id", ondelete="CASCADE"))
    mark: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(default=clock.now)
