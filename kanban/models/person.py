"""Employees, the firm's roles, and where a person is signed in."""

from datetime import datetime
from typing import Literal

from sqlalchemy import Column, ForeignKey, Index, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kanban import clock
from kanban.db import UNSEEN, Base

ACCESSES = ("admin", "staff", "viewer")
THEMES = ("", "light", "dark")  # "": the system's
SignInEmailKind = Literal["reset", "invitation", "security"]  # what a message of the doors is about

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


class Person(Base):
    """An employee. `fs_uniquifier` stands in their cookies and is replaced to end all sign-ins.

    chat: where a messenger finds them, such as a Telegram chat id. must_change_password: an administrator typed the one of now.
    unlocked_at: when an administrator last lifted the limits to guessing for them. theme: light, dark, or "" for the system's.
    compact: cards are small. single_keys: a single key is a shortcut, without Ctrl.
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
    theme: Mapped[str] = mapped_column(String(10), default="")
    compact: Mapped[bool] = mapped_column(default=False)
    single_keys: Mapped[bool] = mapped_column(default=True)
    active: Mapped[bool] = mapped_column(default=True)
    password: Mapped[str | None] = mapped_column(String(255))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    unlocked_at: Mapped[datetime | None]
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    seen_at: Mapped[datetime | None]

    held_roles: Mapped[list[Role]] = relationship(secondary=person_role, lazy="raise", order_by=Role.position)

    @property
    def role_ids(self) -> list[int]:
        return [role.id for role in self.held_roles]


class SignIn(Base):
    """A place where a person is signed in. Its row is asked for at every request; without it a cookie is worth nothing.

    seen_at: of a request, some minutes old at most. confirmed_at: when the password was typed there last.
    """

    __tablename__ = "sign_in"
    __table_args__ = UNSEEN

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)
    confirmed_at: Mapped[datetime] = mapped_column(default=clock.now)

    person: Mapped[Person] = relationship(lazy="raise")


class OneTimeLink(Base):
    """A link by which a person chooses a password, once. purpose: invitation or reset. author_id: the administrator who gave it."""

    __tablename__ = "one_time_link"
    __table_args__ = (Index(None, "person_id", "created_at"), UNSEEN)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(10))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class ResetRequest(Base):
    """Somebody asked for a new password for this address. The worker finds out whether it is anybody's."""

    __tablename__ = "reset_request"
    __table_args__ = UNSEEN

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(5))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
