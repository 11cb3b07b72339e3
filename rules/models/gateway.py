"""Gateways: the ways of SMS and of messengers."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kanban.db import Base
from rules.models.account import Outlet


class Gateway(Outlet, Base):
    """One a channel. service: what rules.post.gateways knows; sealed_fields: its settings as sealed JSON."""

    __tablename__ = "gateway"

    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    service: Mapped[str] = mapped_column(String(20))
    sealed_fields: Mapped[str] = mapped_column(Text, default="")
