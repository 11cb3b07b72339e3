"""One board: its columns with heads and first windows; and the whole way, which is the columns of two boards."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, selectinload

from kanban.actor import Actor
from kanban.errors import NotFound
from kanban.i18n import _
from kanban.models import Board, Order, Organisation, Person, Status
from kanban.policy import may_move_into, why_not_into
from kanban.queries.cards import Window, first_windows
from kanban.queries.filter import Filter

LONG_NAME = 20


@dataclass(frozen=True)
class Head:
    """A column's head. locked: why this person may not move orders here, or ""."""

    status: Status
    count: int
    total: int
    locked: str

    @property
    def load(self) -> str:
        """full or over its limit, else ""."""
        limit = self.status.limit
        return "" if not limit or self.count < limit else "full" if self.count == limit else "over"


@dataclass(frozen=True)
class Column:
    head: Head
    window: Window


@dataclass(frozen=True)
class BoardView:
    board: Board
    columns: tuple[Column, ...]
    shown: int
    all: int
    makes: Board | None = None  # the board whose orders are made from these

    @property
    def has_long_names(self) -> bool:
        """Whether a name takes two lines, so that all first cards start level."""
        return any(len(column.head.status.name) > LONG_NAME for column in self.columns)


@dataclass(frozen=True)
class Choice:
    id: int
    name: str


def board_view(session: Session, person: Actor, board_id: int, chosen: Filter) -> BoardView:
    """A fixed number of statements, and a bounded number of cards, whatever the board holds."""
    board = session.get(Board, board_id)
    if board is None:
        raise NotFound(_("There is no such board."))
    statuses = statuses_of(session, [board_id])
    columns = columns_of(session, person, statuses, chosen)
    makes = session.scalar(select(Board).where(Board.source_id == board_id).order_by(Board.position).limit(1))
    return BoardView(board, columns, sum(column.head.count for column in columns), sum(status.order_count for status in statuses), makes)


def statuses_of(session: Session, board_ids: Sequence[int]) -> list[Status]:
    return list(
        session.scalars(
            select(Status)
            .where(Status.board_id.in_(board_ids))
            .order_by(Status.board_id, Status.position, Status.id)
            .options(selectinload(Status.moving))
        )
    )


def columns_of(session: Session, person: Actor, statuses: Sequence[Status], chosen: Filter) -> tuple[Column, ...]:
    conditions = chosen.conditions(person)
    windows = first_windows(session, statuses, conditions)
    return tuple(Column(head, windows[head.status.id]) for head in heads(session, person, statuses, conditions))


def heads(session: Session, person: Actor, statuses: Sequence[Status], conditions: list[ColumnElement[bool]]) -> list[Head]:
    """Counts and sums: kept ones, or where a filter is on, counted with it."""
    counted: dict[int, tuple[int, int]] = {status.id: (status.order_count, status.order_total) for status in statuses}
    if conditions:
        rows = session.execute(
            select(Order.status_id, func.count(), func.coalesce(func.sum(Order.total), 0))
            .where(Order.status_id.in_(list(counted)), *conditions)
            .group_by(Order.status_id)
        )
        counted = dict.fromkeys(counted, (0, 0)) | {id_: (count, int(total)) for id_, count, total in rows}
    return [Head(status, *counted[status.id], _locked(person, status)) for status in statuses]


def _locked(person: Actor, status: Status) -> str:
    return "" if may_move_into(person, status) else why_not_into(status) if status.moving else ""


def choices(session: Session) -> tuple[list[Choice], list[Choice]]:
    """People and organisations for the filter."""
    people = session.execute(select(Person.id, Person.name).where(Person.active).order_by(Person.name, Person.id))
    firms = session.execute(select(Organisation.id, Organisation.name).where(Organisation.active).order_by(Organisation.name))
    return [Choice(*row) for row in people], [Choice(*row) for row in firms]


@dataclass(frozen=True)
class Stretch:
    """Neighbouring columns of one document on the whole way."""

    board: Board
    columns: tuple[Column, ...]
    part: str  # before, work, after, or all


def way_view(session: Session, person: Actor, chosen: Filter) -> list[Stretch]:
    """The columns of the first board that others are made from, with those of the other in their place."""
    work = session.scalar(select(Board).where(Board.source_id.is_not(None)).order_by(Board.position, Board.id).limit(1))
    if work is None or work.source_id is None:
        return []
    main = session.get_one(Board, work.source_id)
    columns = columns_of(session, person, statuses_of(session, [main.id, work.id]), chosen)
    of_main = tuple(column for column in columns if column.head.status.board_id == main.id)
    of_work = tuple(column for column in columns if column.head.status.board_id == work.id)
    places = [column.head.status.id for column in of_main]
    cut = places.index(work.way_after_id) + 1 if work.way_after_id in places else len(places)
    stretches = [Stretch(main, of_main[:cut], "before"), Stretch(work, of_work, "work"), Stretch(main, of_main[cut:], "after")]
    return [stretch for stretch in stretches if stretch.columns]
