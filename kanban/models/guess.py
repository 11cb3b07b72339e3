"""Tries that are counted: passwords, wishes for a link, and what else has a limit."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kanban.db import UNSEEN, Base


class Guess(Base):
    """key: a hash of the limit and of whose it is: addresses of strangers are kept nowhere."""

    __tablename__ = "guess"
    __table_args__ = (Index(None, "key", "at"), Index(None, "at"), UNSEEN)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
