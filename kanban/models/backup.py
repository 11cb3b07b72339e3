"""Backups that were made, are being made, or failed."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from kanban.db import NEVER_REUSED, UNSEEN, Base


class Backup(Base):
    """One try. state: of BackupState. name: of its file; size: in bytes. by: who asked for it, "" where it was its time.
    worker: the one that makes it. error: a sentence, for those who keep the server."""

    __tablename__ = "backup"
    __table_args__ = NEVER_REUSED | UNSEEN

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    by: Mapped[str] = mapped_column(String(254), default="")
    worker: Mapped[str] = mapped_column(String(80), default="")
    name: Mapped[str] = mapped_column(String(120), default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    error: Mapped[str] = mapped_column(String(500), default="")
