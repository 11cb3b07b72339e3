"""Workflow rules and their versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kanban import clock
from kanban.db import NEVER_REUSED, UNSEEN, Base

GONE = "gone"  # the trigger key of a rule whose status was removed
MODES = ("draft", "log", "on", "paused")


class Rule(Base):
    """A rule. `trigger_key` («entered:12», «field:1:ship_on»: rules.definition.evaluator) is what an event is looked up by; the rest is
    in its version.

    active: evaluated at all; a rule that isn't is a draft. log_only: its runs are recorded, nothing is sent or changed.
    paused_until: not evaluated before that time.
    watched_from: rules of time don't come due for what lay before.
    in_matrix: the rule that the page «Who is told» writes, at most one a status.
    """

    __tablename__ = "rule"
    __table_args__ = (Index(None, "trigger_key", "active"), Index(None, "board_id"), NEVER_REUSED | UNSEEN)

    id: Mapped[int] = mapped_column(primary_key=True)
    board_id: Mapped[int] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    active: Mapped[bool] = mapped_column(default=True)
    log_only: Mapped[bool] = mapped_column(default=False)
    paused_until: Mapped[datetime | None]
    in_matrix: Mapped[bool] = mapped_column(default=False)
    watched_from: Mapped[datetime] = mapped_column(default=clock.now)
    trigger_key: Mapped[str] = mapped_column(String(40))
    status_id: Mapped[int | None] = mapped_column(ForeignKey("status.id"), index=True)
    version_id: Mapped[int | None] = mapped_column(ForeignKey("rule_version.id", use_alter=True, ondelete="SET NULL"))

    version: Mapped["RuleVersion"] = relationship(lazy="raise", foreign_keys=[version_id], post_update=True)

    @property
    def mode(self) -> str:
        """One of MODES, as it is now: a pause ends by itself."""
        if not self.active:
            return "draft"
        if self.paused_until is not None and self.paused_until > clock.now():
            return "paused"
        return "log" if self.log_only else "on"


class RuleVersion(Base):
    """What a rule said at one time. Never changed after it was written.

    board_id: None in versions written before 0003. trigger, status_id, options: see rules.definition.triggers. criteria: see
    kanban.criteria. actions: see rules.definition.actions. All of it is read by rules.queries.versions, which says where it can't be.
    """

    __tablename__ = "rule_version"
    __table_args__ = (Index(None, "rule_id", "number", unique=True), NEVER_REUSED | UNSEEN)

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id", ondelete="CASCADE"))
    number: Mapped[int]
    board_id: Mapped[int | None]
    trigger: Mapped[str] = mapped_column(String(20))
    status_id: Mapped[int | None]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    criteria: Mapped[dict[str, Any]]
    actions: Mapped[list[Any]]
    tell_actor: Mapped[bool] = mapped_column(default=False)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
