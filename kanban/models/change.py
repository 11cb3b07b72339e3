"""The live feed: which parts of which pages are out of date."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import NEVER_REUSED, Base


class Change(Base):
    """A line of the feed. topics: such as `card-17`, `head-4`, `order-17`. Ids grow in order of commit."""

    __tablename__ = "change"
    __table_args__ = (NEVER_REUSED,)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    topics: Mapped[list[str]]
