"""Employees, the firm's roles, and where a person is signed in."""

from datetime import datetime

from flask_security.core import UserMixin
from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kanban import clock
from kanban.db import Base

ACCESSES = ("admin", "staff", "viewer")

person_role = Table(
    "person_role",
    Base.metadata,
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Role(Base):
    """A role of the firm: manager, designer… What a person may do in Potok is `Person.access`, another thing."""

    __tablename__ = "role"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    position: Mapped[int] = mapped_column(default=0)


class Person(Base, UserMixin):
    """An employee. `email` is kept as flask-security normalises it; `fs_uniquifier` is replaced to end all sign-ins.

    chat: where a messenger finds them, such as a Telegram chat id.
    held_roles are the firm's; flask-security, which would take `roles` for rights, is not to find them.
    """

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    phone: Mapped[str] = mapped_column(String(40), default="")
    chat: Mapped[str] = mapped_column(String(80), default="")
    access: Mapped[str] = mapped_column(String(10), default="staff")
    language: Mapped[str] = mapped_column(String(5), default="")
    tone: Mapped[str] = mapped_column(String(10), default="slate")
    active: Mapped[bool] = mapped_column(default=True)
    password: Mapped[str | None] = mapped_column(String(255))
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    seen_at: Mapped[datetime | None]

    held_roles: Mapped[list[Role]] = relationship(secondary=person_role, lazy="raise", order_by=Role.position)

    @property
    def role_ids(self) -> list[int]:
        return [role.id for role in self.held_roles]


class SignIn(Base):
    """A place where a person is signed in. Its row is asked for at every request; without it a cookie is worth nothing."""

    __tablename__ = "sign_in"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    person: Mapped[Person] = relationship(lazy="raise")
