"""The live feed: which parts of which pages are out of date."""

from datetime import datetime

from sqlalchemy import Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import NEVER_REUSED, UNSEEN, Base


class LiveChange(Base):
    """A line of the feed. topics: such as `card-17`, `head-4`, `order-17`. boards: whether something changed that boards show.
    Ids grow in order of commit."""

    __tablename__ = "change"
    __table_args__ = (Index(None, "id", sqlite_where=text("boards"), postgresql_where=text("boards")), NEVER_REUSED | UNSEEN)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    topics: Mapped[list[str]]
    boards: Mapped[bool] = mapped_column(default=False, server_default=false())
