"""The security journal."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import NEVER_REUSED, UNSEEN, Base


class SecurityEvent(Base):
    """Who did what that bears on security, and from where.

    kind: of kanban.journal.Kind. who: the person's name, or the address that was typed where it is nobody's. about: whom or what
    it was done to. details: what its words need beside that. address: of the visitor; "" where it was done on the server itself.
    """

    __tablename__ = "security_event"
    __table_args__ = (Index(None, "kind", "id"), Index(None, "person_id", "id"), Index(None, "at"), NEVER_REUSED | UNSEEN)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    kind: Mapped[str] = mapped_column(String(30))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    who: Mapped[str] = mapped_column(String(254), default="")
    about: Mapped[str] = mapped_column(String(254), default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    address: Mapped[str] = mapped_column(String(45), default="")
