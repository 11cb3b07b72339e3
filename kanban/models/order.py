"""Orders: the cards."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kanban import clock
from kanban.db import Base, Rank
from kanban.models.board import Board, Status
from kanban.models.party import Customer, Organisation
from kanban.models.person import Person

_REMOVED = text("removed_at IS NOT NULL")


class Order(Base):
    """A card. Money is whole kopecks (or cents). `rank` orders the column; `version` grows with every change but a
    change of rank; `search` is what the filter looks in, casefolded. blocked: why nobody can go on with it; "" where they can.
    removed_at: it is shown nowhere, and can be restored for some time."""

    __tablename__ = "order"
    __table_args__ = (
        Index(None, "board_id", "number", unique=True),
        Index(None, "status_id", "rank", "id"),
        Index(None, "status_id", "entered_at", "id"),
        Index(None, "board_id", "responsible_id"),
        Index(None, "author_id", "id"),
        Index(None, "board_id", "ship_on"),
        Index(None, "board_id", "installation_on"),
        Index(None, "board_id", "order_on"),
        Index("ix_order_removed_at", "removed_at", sqlite_where=_REMOVED, postgresql_where=_REMOVED),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    board_id: Mapped[int] = mapped_column(ForeignKey("board.id"))
    status_id: Mapped[int] = mapped_column(ForeignKey("status.id"))
    number: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(200), default="")
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    responsible_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    order_on: Mapped[date | None]
    ship_on: Mapped[date | None]
    installation_on: Mapped[date | None]
    warranty_months: Mapped[int | None]
    installation_address: Mapped[str] = mapped_column(String(400), default="")
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    paid: Mapped[int] = mapped_column(BigInteger, default=0)
    description: Mapped[str] = mapped_column(Text, default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("order.id", ondelete="SET NULL"), index=True)
    rank: Mapped[str] = mapped_column(Rank)
    entered_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    removed_at: Mapped[datetime | None]
    blocked: Mapped[str] = mapped_column(String(200), default="")
    version: Mapped[int] = mapped_column(default=1)
    search: Mapped[str] = mapped_column(Text, default="")

    board: Mapped[Board] = relationship(lazy="raise")
    status: Mapped[Status] = relationship(lazy="raise")
    customer: Mapped[Customer] = relationship(lazy="raise")
    organisation: Mapped[Organisation | None] = relationship(lazy="raise")
    responsible: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[responsible_id])
    author: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[author_id])
    people: Mapped[list["OrderPerson"]] = relationship(lazy="raise", cascade="all, delete-orphan")


class OrderPerson(Base):
    """Who fills a role on an order."""

    __tablename__ = "order_person"

    order_id: Mapped[int] = mapped_column(ForeignKey("order.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("role.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
