"""The worker's sign of life."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from kanban.db import Base


class WorkerBeat(Base):
    """When a worker last looked at the outbox."""

    __tablename__ = "worker_beat"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]
