"""Cards: rows of orders shaped for a column, read a window at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, union_all
from sqlalchemy.orm import Session, aliased

from kanban import clock
from kanban.i18n import days_between
from kanban.models import Board, Customer, Order, Person, Status

FIRST_WINDOW = 12
WINDOW = 30
RECENT = timedelta(days=30)
SOON_DAYS = 3


@dataclass(frozen=True)
class Work:
    """An order made from this one, as a badge."""

    id: int
    number: str
    status: str
    tone: str
    icon: str


@dataclass(frozen=True)
class Card:
    """Everything a card shows, so that two equal cards have the same HTML."""

    id: int
    number: str
    version: int
    status_id: int
    rank: str
    customer: str
    title: str
    responsible: str
    tone: str
    total: int
    paid_share: int
    ship_on: date | None
    ship_state: str  # late, soon, plain or done
    ship_days: int
    days: int
    stuck: bool
    source_id: int | None
    works: tuple[Work, ...] = ()


@dataclass(frozen=True)
class Window:
    """Cards of one status; next_id and next_rank: where the next window begins, if there is one."""

    cards: tuple[Card, ...]
    next_id: int | None = None
    next_rank: str = ""


_Norm = dict[int, Status]


def first_windows(session: Session, statuses: Sequence[Status], conditions: list[ColumnElement[bool]]) -> dict[int, Window]:
    """{status id: its first window}; two statements, however many columns and orders there are."""
    if not statuses:
        return {}
    parts = [_ids(status, conditions, FIRST_WINDOW + 1) for status in statuses]
    wanted = union_all(*(select(part.c.id) for part in parts)).subquery()
    rows = session.execute(_card_columns().join(wanted, wanted.c.id == Order.id)).all()
    return _windows(session, statuses, rows, FIRST_WINDOW)


def next_window(session: Session, status: Status, conditions: list[ColumnElement[bool]], start_id: int) -> Window:
    """The window that begins with the card start_id. Empty where that card has left the column."""
    start = session.execute(select(Order.rank, Order.entered_at).where(Order.id == start_id, Order.status_id == status.id)).one_or_none()
    if start is None:
        return Window(())
    here: ColumnElement[bool] = Order.entered_at <= start.entered_at if status.is_over else Order.rank >= start.rank
    part = _ids(status, [*conditions, here], WINDOW + 1)
    rows = session.execute(_card_columns().join(part, part.c.id == Order.id)).all()
    return _windows(session, [status], rows, WINDOW)[status.id]


def cards_of(session: Session, ids: Iterable[int], conditions: list[ColumnElement[bool]]) -> list[Card]:
    """Single cards, of those orders that the conditions let through."""
    rows = session.execute(_card_columns().where(Order.id.in_(list(ids)), *conditions)).all()
    statuses = {row.status_id for row in rows}
    norms = {one.id: one for one in session.scalars(select(Status).where(Status.id.in_(statuses)))} if rows else {}
    works = _works(session, [row.id for row in rows])
    return [_card(row, norms, works) for row in rows]


def _ids(status: Status, conditions: list[ColumnElement[bool]], most: int) -> Any:
    """Ids of a column's beginning. A column that is over shows recent orders only, the newest first."""
    query = select(Order.id).where(Order.status_id == status.id, *conditions)
    if status.is_over:
        query = query.where(Order.entered_at > clock.now() - RECENT).order_by(Order.entered_at.desc(), Order.id.desc())
    else:
        query = query.order_by(Order.rank, Order.id)
    return query.limit(most).subquery()


def _card_columns() -> Any:
    return (
        select(
            Order.id, Order.number, Order.version, Order.status_id, Order.rank, Order.title, Order.total, Order.paid,
            Order.ship_on, Order.entered_at, Order.source_id, Customer.name.label("customer"),
            Person.name.label("responsible"), Person.tone,
        )
        .join(Customer, Order.customer_id == Customer.id)
        .outerjoin(Person, Order.responsible_id == Person.id)
    )  # fmt: skip


def _windows(session: Session, statuses: Sequence[Status], rows: Sequence[Any], most: int) -> dict[int, Window]:
    norms = {status.id: status for status in statuses}
    columns: dict[int, list[Any]] = {status.id: [] for status in statuses}
    for row in rows:
        columns[row.status_id].append(row)
    works = _works(session, [row.id for row in rows])
    windows = {}
    for id_, column in columns.items():
        if norms[id_].is_over:
            column.sort(key=lambda row: (row.entered_at, row.id), reverse=True)
        else:
            column.sort(key=lambda row: (row.rank, row.id))
        following = column[most] if len(column) > most else None
        cards = tuple(_card(row, norms, works) for row in column[:most])
        windows[id_] = Window(cards, following.id if following else None, following.rank if following else "")
    return windows


def _works(session: Session, ids: Sequence[int]) -> dict[int, list[Work]]:
    """Orders made from these, by the order they are made from."""
    made = aliased(Order)
    found: dict[int, list[Work]] = {}
    if ids:
        rows = session.execute(
            select(made.source_id, made.id, made.number, Status.name, Status.tone, Board.icon)
            .join(Status, made.status_id == Status.id)
            .join(Board, made.board_id == Board.id)
            .where(made.source_id.in_(ids))
            .order_by(made.id)
        )
        for source_id, id_, number, name, tone, icon in rows:
            found.setdefault(source_id or 0, []).append(Work(id_, number, name, tone, icon))
    return found


def _card(row: Any, statuses: _Norm, works: dict[int, list[Work]]) -> Card:
    status = statuses[row.status_id]
    days = _days(row.entered_at)
    ship_days = (row.ship_on - clock.today()).days if row.ship_on else 0
    return Card(
        id=row.id, number=row.number, version=row.version, status_id=row.status_id, rank=row.rank, customer=row.customer,
        title=row.title, responsible=row.responsible or "", tone=row.tone or "slate", total=row.total,
        paid_share=paid_share(row.paid, row.total), ship_on=row.ship_on, ship_state=ship_state(row.ship_on, status),
        ship_days=ship_days, days=days, stuck=bool(status.norm_days and days > status.norm_days and not status.is_over),
        source_id=row.source_id, works=tuple(works.get(row.id, ())),
    )  # fmt: skip


def _days(entered_at: datetime) -> int:
    return max(0, days_between(entered_at, clock.now()))


def paid_share(paid: int, total: int) -> int:
    """Percent, rounded down, so that 100 means paid in full."""
    return min(100, max(0, paid * 100 // total)) if total > 0 else 0


def ship_state(ship_on: date | None, status: Status) -> str:
    """late, soon, plain, or done where nobody waits for it any more."""
    if ship_on is None:
        return "plain"
    if status.is_over:
        return "done"
    days = (ship_on - clock.today()).days
    return "late" if days < 0 else "soon" if days <= SOON_DAYS else "plain"
