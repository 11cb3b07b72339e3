"""To-dos on orders."""

from datetime import date, datetime, time

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kanban import clock
from kanban.db import NEVER_REUSED, UNSEEN, Base
from kanban.models.order import Order
from kanban.models.person import Person, Role

TODO_KINDS = ("task", "reminder", "calendar", "contact")


class Todo(Base):
    """What a person, or whoever holds a role, is to do on an order: a task, a reminder, a calendar entry, or a contact (a
    call, a meeting, a message to the customer).

    ring_at: when it calls at the bell; None where it won't (any more). noticed_at: when it did.
    author_name, done_by_name: names of that time. cause_event_id, cause_rule_id: set where a rule made it.
    key: of the request, so that a repeat is known.
    """

    __tablename__ = "todo"
    __table_args__ = (
        Index(None, "order_id", "id"),
        Index(None, "person_id", "done_at", "due_on"),
        Index(None, "role_id", "done_at", "due_on"),
        Index(None, "ring_at"),
        Index(None, "cause_event_id"),
        NEVER_REUSED | UNSEEN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10), default="task")
    text: Mapped[str] = mapped_column(String(500))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    role_id: Mapped[int | None] = mapped_column(ForeignKey("role.id", ondelete="SET NULL"))
    due_on: Mapped[date | None]
    due_time: Mapped[time | None]
    ring_at: Mapped[datetime | None]
    noticed_at: Mapped[datetime | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    author_name: Mapped[str] = mapped_column(String(120), default="")
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    done_by_name: Mapped[str] = mapped_column(String(120), default="")
    cause_event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"))
    cause_rule_id: Mapped[int | None]
    key: Mapped[str | None] = mapped_column(String(64), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    order: Mapped[Order] = relationship(lazy="raise")
    person: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[person_id])
    role: Mapped[Role | None] = relationship(lazy="raise")
