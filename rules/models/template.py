"""Message templates."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import UNSEEN, Base


class Template(Base):
    """Subject and text in Liquid, with fields of the order. skip_empty: leave out lines whose fields are all empty.

    kind: see rules.definition.channels.TemplateKind.
    """

    __tablename__ = "template"
    __table_args__ = UNSEEN

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), default="letter")
    name: Mapped[str] = mapped_column(String(120))
    subject: Mapped[str] = mapped_column(String(400))
    text: Mapped[str] = mapped_column(Text)
    skip_empty: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
