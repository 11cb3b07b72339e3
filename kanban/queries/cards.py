"""Cards: rows of orders shaped for a column, read a window at a time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, Text, bindparam, cast, select, union_all
from sqlalchemy.orm import Session

from kanban import clock
from kanban.columns import ColumnRow
from kanban.db import Query, Record, UtcDateTime, table
from kanban.models import Board, Customer, Order, Person, Status
from kanban.tags import tag_tone

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


class Tag(NamedTuple):
    name: str
    tone: str


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
    blocked: str
    source_id: int | None
    tags: tuple[Tag, ...] = ()
    works: tuple[Work, ...] = ()

    @property
    def state(self) -> str:
        """The one state that is coloured: late, stuck, soon; else done or plain."""
        return self.ship_state if self.ship_state == "late" or not self.stuck else "stuck"


@dataclass(frozen=True)
class Window:
    """Cards of one status; next_id and next_rank: where the next window begins, if there is one."""

    cards: tuple[Card, ...]
    next_id: int | None = None
    next_rank: str = ""


_O, _C, _P = table(Order).c, table(Customer).c, table(Person).c
_CARDS = select(
    _O.id,
    _O.number,
    _O.version,
    _O.status_id,
    _O.rank,
    _O.title,
    _O.total,
    _O.paid,
    _O.ship_on,
    _O.entered_at,
    _O.source_id,
    _O.blocked,
    cast(_O.tags, Text).label("tags"),
    _C.name.label("customer"),
    _P.name.label("responsible"),
    _P.tone,
).select_from(table(Order).join(table(Customer), _O.customer_id == _C.id).outerjoin(table(Person), _O.responsible_id == _P.id))


class _CardRow(NamedTuple):
    """A row of _CARDS."""

    id: int
    number: str
    version: int
    status_id: int
    rank: str
    title: str
    total: int
    paid: int
    ship_on: date | None
    entered_at: datetime
    source_id: int | None
    blocked: str
    tags: str  # JSON
    customer: str
    responsible: str | None
    tone: str | None


def first_windows(session: Session, columns: Sequence[ColumnRow], conditions: list[ColumnElement[bool]]) -> dict[int, Window]:
    """{status id: its first window}; two statements, however many columns and orders there are."""
    if not columns:
        return {}
    kinds = tuple((column.id, column.is_over) for column in columns)
    query = _first_query(kinds) if not conditions else _build_first_query(kinds, conditions)
    rows = session.connection().execute(query, {"since": _recently(), "most": FIRST_WINDOW + 1}).all()
    return _windows(session, columns, rows, FIRST_WINDOW)


def _recently() -> datetime:
    """By days, so that a page stays true as long as nothing changes and no day ends."""
    return clock.start_of(clock.today() - RECENT)


@lru_cache(maxsize=64)
def _first_query(kinds: tuple[tuple[int, bool], ...]) -> Query:
    """Without a filter the statement is the same every time, and building it costs more than running it."""
    return _build_first_query(kinds, [])


def _build_first_query(kinds: tuple[tuple[int, bool], ...], conditions: list[ColumnElement[bool]]) -> Query:
    parts = [select(_ids(id_, is_over, conditions, recent=not conditions).subquery().c.id) for id_, is_over in kinds]
    wanted = union_all(*parts).subquery()
    return _CARDS.join(wanted, wanted.c.id == _O.id)


def next_window(session: Session, column: ColumnRow, conditions: list[ColumnElement[bool]], start_id: int) -> Window:
    """The window that begins with the card start_id. Empty where that card has left the column."""
    start = session.execute(select(_O.rank, _O.entered_at).where(_O.id == start_id, _O.status_id == column.id)).one_or_none()
    if start is None:
        return Window(())
    here: ColumnElement[bool] = _O.entered_at <= start.entered_at if column.is_over else _O.rank >= start.rank
    part = _ids(column.id, column.is_over, [*conditions, here], recent=not conditions).subquery()
    rows = session.connection().execute(_CARDS.join(part, part.c.id == _O.id), {"since": _recently(), "most": WINDOW + 1}).all()
    return _windows(session, [column], rows, WINDOW)[column.id]


def cards_of(session: Session, ids: Iterable[int], conditions: list[ColumnElement[bool]], columns: Mapping[int, ColumnRow]) -> list[Card]:
    """Single cards, of those orders that stand in these columns and that the conditions let through."""
    rows = session.connection().execute(_BY_ID.where(*conditions) if conditions else _BY_ID, {"ids": list(ids)}).all()
    rows = [row for row in rows if row.status_id in columns]
    works = _works(session, [row.id for row in rows])
    today = clock.today()
    return [_card(row, columns[row.status_id], works, today) for row in rows]


_BY_ID = _CARDS.where(_O.id.in_(bindparam("ids", expanding=True)), _O.removed_at.is_(None))


def _ids(status_id: int, is_over: bool, conditions: list[ColumnElement[bool]], *, recent: bool) -> Query:
    """Ids of a column's beginning. A column that is over stands newest first, and shows old orders only to who searches."""
    query = select(_O.id).where(_O.status_id == status_id, _O.removed_at.is_(None), *conditions)
    if is_over:
        query = query.order_by(_O.entered_at.desc(), _O.id.desc())
        if recent:
            query = query.where(_O.entered_at > bindparam("since", type_=UtcDateTime()))
    else:
        query = query.order_by(_O.rank, _O.id)
    return query.limit(bindparam("most", type_=Integer))


def _windows(session: Session, columns: Sequence[ColumnRow], rows: Sequence[Record], most: int) -> dict[int, Window]:
    by_status: dict[int, list[Record]] = {column.id: [] for column in columns}
    for row in rows:
        by_status[row.status_id].append(row)
    works = _works(session, [row.id for row in rows])
    today = clock.today()
    windows = {}
    for column in columns:
        found = by_status[column.id]
        if column.is_over:
            found.sort(key=lambda row: (row.entered_at, row.id), reverse=True)
        else:
            found.sort(key=lambda row: (row.rank, row.id))
        following = found[most] if len(found) > most else None
        cards = tuple(_card(row, column, works, today) for row in found[:most])
        windows[column.id] = Window(cards, following.id if following else None, following.rank if following else "")
    return windows


_M, _S, _B = table(Order).alias("made"), table(Status).c, table(Board).c
_WORKS = (
    select(_M.c.source_id, _M.c.id, _M.c.number, _S.name, _S.tone, _B.icon)
    .join(table(Status), _M.c.status_id == _S.id)
    .join(table(Board), _M.c.board_id == _B.id)
    .where(_M.c.source_id.in_(bindparam("ids", expanding=True)), _M.c.removed_at.is_(None))
    .order_by(_M.c.id)
)


def _works(session: Session, ids: Sequence[int]) -> dict[int, list[Work]]:
    """Orders made from these, by the order they are made from."""
    found: dict[int, list[Work]] = {}
    for source_id, *work in session.connection().execute(_WORKS, {"ids": list(ids)}):
        found.setdefault(source_id, []).append(Work(*work))
    return found


def _card(row: Record, column: ColumnRow, works: dict[int, list[Work]], today: date) -> Card:
    days = clock.days_since(row.entered_at, today)
    return _made(tuple(row), column.is_over, column.norm_days, tuple(works.get(row.id, ())), days, today)


@lru_cache(maxsize=2_000)
def _made(values: tuple[Any, ...], is_over: bool, norm_days: int | None, works: tuple[Work, ...], days: int, today: date) -> Card:
    """Of a row of _CARDS. The same row makes the same card, all day."""
    row = _CardRow(*values)
    return Card(
        id=row.id,
        number=row.number,
        version=row.version,
        status_id=row.status_id,
        rank=row.rank,
        customer=row.customer,
        title=row.title,
        responsible=row.responsible or "",
        tone=row.tone or "slate",
        total=row.total,
        paid_share=paid_share(row.paid, row.total),
        ship_on=row.ship_on,
        ship_state=ship_state(row.ship_on, is_over, today),
        ship_days=(row.ship_on - today).days if row.ship_on else 0,
        days=days,
        stuck=bool(norm_days and days > norm_days and not is_over),
        blocked=row.blocked,
        source_id=row.source_id,
        tags=tuple([Tag(name, tag_tone(name)) for name in json.loads(row.tags)]),
        works=works,
    )


def paid_share(paid: int, total: int) -> int:
    """Percent, rounded down, so that 100 means paid in full."""
    return min(100, max(0, paid * 100 // total)) if total > 0 else 0


def ship_state(ship_on: date | None, is_over: bool, today: date) -> str:
    """late, soon, plain, or done where nobody waits for it any more."""
    if ship_on is None:
        return "plain"
    if is_over:
        return "done"
    days = (ship_on - today).days
    return "late" if days < 0 else "soon" if days <= SOON_DAYS else "plain"
