"""Signs of life."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from kanban.db import UNSEEN, Base


class Part(StrEnum):
    """A process of Potok."""

    WEB = "web"
    WORKER = "worker"


class Beat(Base):
    """When a process last wrote: that it can is what the beat says."""

    __tablename__ = "beat"
    __table_args__ = UNSEEN

    part: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]
