"""The firm's own organisations, and its customers."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from kanban.db import Base


class Organisation(Base):
    """A legal entity the firm works as."""

    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    active: Mapped[bool] = mapped_column(default=True)


class Customer(Base):
    """Who orders."""

    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    phone: Mapped[str] = mapped_column(String(40), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
