"""Runs: what came of each rule that matched an event."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import UNSEEN, Base

_FAILED = text("outcome IN ('failed', 'stopped')")


class Run(Base):
    """One rule that matched one event, or, without an event, the list that a rule sent.

    outcome: done, nobody (matched, but no one to write to), failed, stopped, or logged.
    notes: who was skipped and why, what failed: [{"why": code, "name": …}].
    """

    __tablename__ = "run"
    __table_args__ = (
        Index(None, "event_id", "rule_id", unique=True),
        Index(None, "rule_id", "id"),
        Index("ix_run_failed", "rule_id", "id", sqlite_where=_FAILED, postgresql_where=_FAILED),
        UNSEEN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"))
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id", ondelete="CASCADE"))
    version_id: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(10))
    notes: Mapped[list[Any]]
    at: Mapped[datetime] = mapped_column(default=clock.now)
