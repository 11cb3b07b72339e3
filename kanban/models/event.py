"""History: what happened, one row per change, in the past tense."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import NEVER_REUSED, UNSEEN, Base, Parts


class Event(Base):
    """A change of an order. Ids grow in order of commit.

    before, after: what changed, names included, so that history reads true after a status is gone.
    facts: the snapshot that rules judged (kanban.facts). key: of the request, so that a repeat is known.
    cause_event_id, cause_rule_id: set where a rule did it. undoes_id: the event this one takes back.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "order_id", "id"),
        Index(None, "board_id", "kind", "id"),
        Index(None, "cause_event_id"),
        NEVER_REUSED | UNSEEN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    board_id: Mapped[int]
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id", ondelete="CASCADE"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    actor_name: Mapped[str] = mapped_column(String(120), default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    key: Mapped[str | None] = mapped_column(String(64), unique=True)
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    facts: Mapped[dict[str, Any]] = mapped_column(Parts, default=dict)
    cause_event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"))
    cause_rule_id: Mapped[int | None]
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"))
