"""Gateways: the ways of SMS and of messengers."""

from sqlalchemy import ColumnElement, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kanban.db import UNSEEN, Base
from rules.models.account import Outlet


class Gateway(Outlet, Base):
    """One a channel. service: a ServiceKey of rules.transports.services; sealed_fields: its settings as sealed JSON."""

    __tablename__ = "gateway"
    __table_args__ = UNSEEN

    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    service: Mapped[str] = mapped_column(String(20))
    sealed_fields: Mapped[str] = mapped_column(Text, default="")

    @property
    def is_row(self) -> ColumnElement[bool]:
        return Gateway.channel == self.channel
