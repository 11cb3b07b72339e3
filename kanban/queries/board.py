"""One board: its columns with heads and first windows; and the whole way, which is the columns of two boards."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.columns import BoardRow, ColumnRow, columns_of_boards
from kanban.db import table
from kanban.errors import NotFound
from kanban.i18n import _
from kanban.models import Order, Organisation, Person
from kanban.policy import may_move_into, why_not_into
from kanban.queries.cards import Window, first_windows
from kanban.queries.filter import Filter

LONG_NAME = 20


@dataclass(frozen=True)
class Head:
    """A column's head. locked: why this person may not move orders here, or ""."""

    status: ColumnRow
    count: int
    total: int
    locked: str

    @property
    def is_full(self) -> bool:
        """Whether it takes no more orders."""
        return bool(self.status.limit and self.status.limit_refuses and self.status.order_count >= self.status.limit)

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
    board: BoardRow
    columns: tuple[Column, ...]
    shown: int
    all: int

    @property
    def has_long_names(self) -> bool:
        """Whether a name takes two lines, so that all first cards start level."""
        return any(len(column.head.status.name) > LONG_NAME for column in self.columns)


def board_view(session: Session, person: Actor, board_id: int, chosen: Filter, boards: Sequence[BoardRow]) -> BoardView:
    """A fixed number of statements, and a bounded number of cards, whatever the board holds. boards: all there are."""
    board = next((one for one in boards if one.id == board_id), None)
    if board is None:
        raise NotFound(_("Board not found."))
    rows = columns_of_boards(session, [board_id])
    columns = columns_of(session, person, rows, chosen)
    return BoardView(board, columns, sum(column.head.count for column in columns), sum(row.order_count for row in rows))


def columns_of(session: Session, person: Actor, rows: Sequence[ColumnRow], chosen: Filter) -> tuple[Column, ...]:
    conditions = chosen.conditions(person)
    windows = first_windows(session, rows, conditions)
    return tuple(Column(head, windows[head.status.id]) for head in heads(session, person, rows, conditions))


def heads(session: Session, person: Actor, rows: Sequence[ColumnRow], conditions: list[ColumnElement[bool]]) -> list[Head]:
    """Counts and sums: kept ones, or where a filter is on, counted with it."""
    counted: dict[int, tuple[int, int]] = {row.id: (row.order_count, row.order_total) for row in rows}
    if conditions:
        found = session.execute(
            select(Order.status_id, func.count(), func.coalesce(func.sum(Order.total), 0))
            .where(Order.status_id.in_(list(counted)), Order.removed_at.is_(None), *conditions)
            .group_by(Order.status_id)
        )
        counted = dict.fromkeys(counted, (0, 0)) | {id_: (count, int(total)) for id_, count, total in found}
    return [Head(row, *counted[row.id], _locked(person, row)) for row in rows]


def count_shown(session: Session, rows: Sequence[ColumnRow], conditions: list[ColumnElement[bool]]) -> tuple[int, int]:
    """(how many orders of these columns the filter leaves, how many there are)."""
    everything = sum(row.order_count for row in rows)
    if not conditions:
        return everything, everything
    here = (Order.status_id.in_([row.id for row in rows]), Order.removed_at.is_(None))
    left = select(func.count()).select_from(Order).where(*here, *conditions)
    return session.scalar(left) or 0, everything


def _locked(person: Actor, row: ColumnRow) -> str:
    return "" if may_move_into(person, row) else why_not_into(row) if row.moving else ""


@dataclass(frozen=True)
class Choice:
    id: int
    name: str


_P, _F = table(Person).c, table(Organisation).c
_PEOPLE = select(_P.id, _P.name).where(_P.active).order_by(_P.name, _P.id)
_FIRMS = select(_F.id, _F.name).where(_F.active).order_by(_F.name)


def choices(session: Session) -> tuple[list[Choice], list[Choice]]:
    """People and organisations for the filter."""
    connection = session.connection()
    return [Choice(*row) for row in connection.execute(_PEOPLE)], [Choice(*row) for row in connection.execute(_FIRMS)]


@dataclass(frozen=True)
class Stretch:
    """Neighbouring columns of one document on the whole way."""

    board: BoardRow
    columns: tuple[Column, ...]
    part: str  # before, work, after, or all


def boards_of_way(boards: Sequence[BoardRow]) -> tuple[BoardRow, BoardRow] | tuple[None, None]:
    """The first board whose orders are made from another's, after that other."""
    work = next((board for board in boards if board.source_id is not None), None)
    return (next(board for board in boards if board.id == work.source_id), work) if work else (None, None)


@dataclass(frozen=True)
class WayView:
    stretches: tuple[Stretch, ...]

    @property
    def columns(self) -> list[Column]:
        return [column for stretch in self.stretches for column in stretch.columns]

    @property
    def shown(self) -> int:
        return sum(column.head.count for column in self.columns)

    @property
    def all(self) -> int:
        return sum(column.head.status.order_count for column in self.columns)


def way_view(session: Session, person: Actor, chosen: Filter, boards: Sequence[BoardRow]) -> WayView:
    """The columns of the first board that others are made from, with those of the other in their place. boards: all there are."""
    main, work = boards_of_way(boards)
    if main is None or work is None:
        return WayView(())
    columns = columns_of(session, person, columns_of_boards(session, [main.id, work.id]), chosen)
    of_main = tuple(column for column in columns if column.head.status.board_id == main.id)
    of_work = tuple(column for column in columns if column.head.status.board_id == work.id)
    places = [column.head.status.id for column in of_main]
    cut = places.index(work.way_after_id) + 1 if work.way_after_id in places else len(places)
    stretches = [Stretch(main, of_main[:cut], "before"), Stretch(work, of_work, "work"), Stretch(main, of_main[cut:], "after")]
    return WayView(tuple(stretch for stretch in stretches if stretch.columns))
