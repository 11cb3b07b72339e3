"""Boards and their statuses: the columns orders move through."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kanban.db import Base
from kanban.models.person import Role

PHASES = ("new", "active", "waiting", "done", "cancelled")
OVER = ("done", "cancelled")  # phases in which nobody works on an order any more
SORTS = ("hand", "ship", "age", "total")  # how a column may be sorted
TONES = ("slate", "red", "orange", "amber", "olive", "green", "teal", "azure", "blue", "violet", "pink")

status_answering = Table(
    "status_answering",
    Base.metadata,
    Column("status_id", ForeignKey("status.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)
status_moving = Table(
    "status_moving",
    Base.metadata,
    Column("status_id", ForeignKey("status.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)


class Board(Base):
    """One kind of order. `source_id`: the board whose orders these are made from; `way_after_id`: the status of that
    board behind which these columns stand on the page of the whole way. card_fields: what its cards show, [] for the usual."""

    __tablename__ = "board"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    order_name: Mapped[str] = mapped_column(String(80))
    prefix: Mapped[str] = mapped_column(String(10))
    next_number: Mapped[int] = mapped_column(default=1)
    position: Mapped[int] = mapped_column(default=0)
    icon: Mapped[str] = mapped_column(String(40), default="receipt-text")
    source_id: Mapped[int | None] = mapped_column(ForeignKey("board.id", ondelete="SET NULL"))
    way_after_id: Mapped[int | None] = mapped_column(ForeignKey("status.id", ondelete="SET NULL", use_alter=True))
    card_fields: Mapped[list[str]] = mapped_column(default=list)

    statuses: Mapped[list["Status"]] = relationship(
        back_populates="board", order_by="Status.position", lazy="raise", foreign_keys="Status.board_id", passive_deletes="all"
    )


class Status(Base):
    """A column. `order_count` and `order_total` are kept by the verbs, so that heads never scan the board.

    gate: criteria (kanban.criteria) that must hold of an order that enters; {} for none. limit_refuses: nothing enters above the limit.
    sort: one of SORTS; a person may choose another.
    """

    __tablename__ = "status"
    __table_args__ = (Index(None, "board_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    board_id: Mapped[int] = mapped_column(ForeignKey("board.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    tone: Mapped[str] = mapped_column(String(10), default="slate")
    position: Mapped[int] = mapped_column(default=0)
    phase: Mapped[str] = mapped_column(String(10), default="active")
    limit: Mapped[int | None]
    norm_days: Mapped[int | None]
    gate: Mapped[dict[str, Any]] = mapped_column(default=dict)
    limit_refuses: Mapped[bool] = mapped_column(default=False)
    sort: Mapped[str] = mapped_column(String(10), default="hand")
    order_count: Mapped[int] = mapped_column(default=0)
    order_total: Mapped[int] = mapped_column(BigInteger, default=0)

    board: Mapped[Board] = relationship(back_populates="statuses", lazy="raise", foreign_keys=[board_id])
    answering: Mapped[list[Role]] = relationship(secondary=status_answering, lazy="raise", order_by=Role.position)
    moving: Mapped[list[Role]] = relationship(secondary=status_moving, lazy="raise", order_by=Role.position)

    @property
    def is_over(self) -> bool:
        """Whether nobody works on its orders any more."""
        return self.phase in OVER


class PersonColumn(Base):
    """How one person sees a column. collapsed: None, sort: "" where they have not chosen."""

    __tablename__ = "person_column"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    status_id: Mapped[int] = mapped_column(ForeignKey("status.id", ondelete="CASCADE"), primary_key=True)
    collapsed: Mapped[bool | None]
    sort: Mapped[str] = mapped_column(String(10), default="")
