"""Workflow rules and their versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kanban import clock
from kanban.db import Base

TRIGGERS = ("placed", "entered", "left", "changed", "field", "paid", "commented", "linked", "all_linked")


class Rule(Base):
    """A rule. `trigger_key` («entered:12», «field:1:ship_on»: rules.evaluator) is what an event is looked up by; the rest is
    in its version.

    in_matrix: the rule that the page «Who is told» writes, at most one a status.
    """

    __tablename__ = "rule"
    __table_args__ = (Index(None, "trigger_key", "active"), Index(None, "board_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    board_id: Mapped[int] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    active: Mapped[bool] = mapped_column(default=True)
    in_matrix: Mapped[bool] = mapped_column(default=False)
    trigger_key: Mapped[str] = mapped_column(String(40))
    status_id: Mapped[int | None] = mapped_column(ForeignKey("status.id"), index=True)
    version_id: Mapped[int | None] = mapped_column(ForeignKey("rule_version.id", use_alter=True, ondelete="SET NULL"))

    version: Mapped["RuleVersion"] = relationship(lazy="raise", foreign_keys=[version_id], post_update=True)


class RuleVersion(Base):
    """What a rule said at one time. Never changed after it was written.

    options: of the trigger: {"field"}, {"percent"} or {"sum"}, {"phase"}. criteria: the tree of kanban.criteria.
    actions: see rules.actions and rules.changes. tell_actor: also the person who did it.
    """

    __tablename__ = "rule_version"
    __table_args__ = (Index(None, "rule_id", "number", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("rule.id", ondelete="CASCADE"))
    number: Mapped[int]
    trigger: Mapped[str] = mapped_column(String(20))
    status_id: Mapped[int | None]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    criteria: Mapped[dict[str, Any]]
    actions: Mapped[list[Any]]
    tell_actor: Mapped[bool] = mapped_column(default=False)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
