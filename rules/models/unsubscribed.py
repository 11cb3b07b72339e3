"""Addresses whose owners want no messages."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import UNSEEN, Base


class Unsubscribed(Base):
    """An address, casefolded, that asked for no messages of rules. An employee gets notices in their stead."""

    __tablename__ = "unsubscribed"
    __table_args__ = UNSEEN

    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
