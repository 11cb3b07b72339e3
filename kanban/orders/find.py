"""Orders, found for a verb: with what its facts need, and locked where the database has row locks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban.db import Record, table
from kanban.errors import NotFound
from kanban.facts import LinkedOrder
from kanban.i18n import _
from kanban.models import Board, Order, Person, Status

PAGE = 500
OPEN = ("new", "active", "waiting")  # phases of orders that are not over


def find_order(session: Session, order_id: int, *, removed: bool = False) -> Order:
    """The order with its parties and people, for a change. Raises NotFound, also for one that was removed, unless it is meant.

    Locked before it is read: PostgreSQL looks again at a row that it waited for, but not at the rows that are joined to it, and
    an order that had got another status meanwhile would not be found. The order it is made from is locked first, so that of two
    that are linked one is changed after the other, whichever of them was meant.
    """
    lock_order(session, order_id)
    order = session.scalar(_BY_ID, {"id": order_id})
    if order is None:
        raise NotFound(_("Order not found."))
    if not removed:
        require_there(order)
    return order


def require_there(order: Order) -> None:
    """Raises NotFound for an order that was removed."""
    if order.removed_at is not None:
        raise NotFound(_("%(number)s has been removed. An administrator can restore it.", number=order.number))


def open_orders(session: Session, board_id: int) -> Iterator[Sequence[Order]]:
    """The board's orders that are not over, with their parties and people, a page at a time."""
    statuses = select(Status.id).where(Status.board_id == board_id, Status.phase.in_(OPEN))
    last = 0
    while True:
        mine = _whole().where(Order.board_id == board_id, Order.status_id.in_(statuses), Order.removed_at.is_(None), Order.id > last)
        page = session.scalars(mine.order_by(Order.id).limit(PAGE)).all()
        if page:
            yield page
        if len(page) < PAGE:
            return
        last = page[-1].id


def _whole() -> Select[Order]:
    return select(Order).options(
        joinedload(Order.board, innerjoin=True),
        joinedload(Order.status, innerjoin=True),
        joinedload(Order.customer, innerjoin=True),
        joinedload(Order.organisation),
        joinedload(Order.responsible),
        joinedload(Order.author),
        selectinload(Order.people),
    )


_ORDER = table(Order).c
_SOURCE = select(_ORDER.source_id).where(_ORDER.id == bindparam("id"), _ORDER.source_id.is_not(None))
_LOCK = select(_ORDER.id).where((_ORDER.id == bindparam("id")) | _ORDER.id.in_(_SOURCE)).order_by(_ORDER.id).with_for_update(key_share=True)
_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_SOURCES = select(_ORDER.source_id).where(_ORDER.id.in_(_IDS), _ORDER.source_id.is_not(None))
_LOCK_MANY = select(_ORDER.id).where(_ORDER.id.in_(_IDS) | _ORDER.id.in_(_SOURCES)).order_by(_ORDER.id).with_for_update(key_share=True)
_BY_ID = _whole().where(Order.id == bindparam("id")).execution_options(populate_existing=True)


def lock_order(session: Session, order_id: int) -> None:
    """Until the transaction ends, where the database has row locks."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(_LOCK, {"id": order_id})


def lock_orders(session: Session, order_ids: Iterable[int]) -> None:
    """Many of them, with the orders they were made from, in the order of their ids: two that want the same wait for each other, and no
    ring closes."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(_LOCK_MANY, {"ids": list(order_ids)})


def find_status(session: Session, status_id: int) -> Status | None:
    return session.get(Status, status_id, populate_existing=True)


_O, _S, _B, _P = table(Order).c, table(Status).c, table(Board).c, table(Person).c
_LINKS = (
    select(
        _O.id,
        _O.number,
        _O.board_id,
        _O.source_id,
        _S.id.label("status_id"),
        _S.name,
        _S.phase,
        _B.order_name,
        _O.total,
        _O.paid,
        _O.ship_on,
        _P.id.label("responsible_id"),
        _P.name.label("responsible"),
    )
    .join(table(Status), _O.status_id == _S.id)
    .join(table(Board), _O.board_id == _B.id)
    .outerjoin(table(Person), _O.responsible_id == _P.id)
    .where(_O.removed_at.is_(None))
    .order_by(_O.id)
)
_LINKED = _LINKS.where((_O.source_id == bindparam("order_id")) | (_O.id == bindparam("source_id")))
_LINKED_OF = _LINKS.where(_O.source_id.in_(bindparam("ids", expanding=True)) | _O.id.in_(bindparam("sources", expanding=True)))


def linked(session: Session, order: Order) -> list[LinkedOrder]:
    """A summary of the orders made from this one, and of the one it is made from."""
    rows = session.connection().execute(_LINKED, {"order_id": order.id, "source_id": order.source_id or 0})
    return [_summary(row, order) for row in rows]


def linked_of(session: Session, orders: Sequence[Order]) -> dict[int, list[LinkedOrder]]:
    """{order id: what `linked` says of it}, by one statement."""
    found: dict[int, list[LinkedOrder]] = defaultdict(list)
    asked = {"ids": [order.id for order in orders], "sources": [order.source_id for order in orders if order.source_id]}
    rows = session.connection().execute(_LINKED_OF, asked).all() if orders else []
    by_id = {order.id: order for order in orders}
    made_of: dict[int | None, list[Order]] = defaultdict(list)
    for order in orders:
        made_of[order.source_id].append(order)
    for row in rows:
        kin = [*made_of.get(row.id, ()), *([by_id[row.source_id]] if row.source_id in by_id else [])]
        for order in kin:
            found[order.id].append(_summary(row, order))
    return found


def _summary(row: Record, order: Order) -> LinkedOrder:
    fields = {
        "number": row.number,
        "status": {"id": row.status_id, "name": row.name},
        "total": row.total,
        "paid": row.paid,
        "ship_on": row.ship_on.isoformat() if row.ship_on else None,
        "responsible": {"id": row.responsible_id, "name": row.responsible} if row.responsible_id else None,
    }
    is_source = row.id == order.source_id
    return LinkedOrder(row.id, row.number, row.board_id, row.order_name, row.status_id, row.name, row.phase, is_source, fields)
