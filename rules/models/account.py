"""Mail accounts."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kanban import clock
from kanban.db import Base


class MailAccount(Base):
    """Where letters go out. The password is sealed (rules.accounts). security: tls, starttls or none."""

    __tablename__ = "mail_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(254))
    sender_name: Mapped[str] = mapped_column(String(120), default="")
    host: Mapped[str] = mapped_column(String(254))
    port: Mapped[int]
    security: Mapped[str] = mapped_column(String(10))
    username: Mapped[str] = mapped_column(String(254), default="")
    sealed_password: Mapped[str] = mapped_column(Text, default="")
    timeout_s: Mapped[int] = mapped_column(default=20)
    last_sent_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    last_error_at: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
