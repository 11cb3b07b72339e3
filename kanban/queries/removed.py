"""Orders that were removed, and what goes with one that is about to be."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.db import table
from kanban.models import Board, Customer, Event, Order, Status, Todo
from kanban.orders import RESTORABLE
from kanban.queries.order import Link, find_shown, links_of

MOST = 200


@dataclass(frozen=True)
class RemovalView:
    """links: orders it is linked with, which stay. todos: open ones, which rest."""

    order: Order
    links: tuple[Link, ...]
    todos: int


def removal_view(session: Session, order_id: int) -> RemovalView:
    """Raises NotFound."""
    order = find_shown(session, order_id)
    open_todos = select(func.count()).select_from(Todo).where(Todo.order_id == order_id, Todo.done_at.is_(None))
    return RemovalView(order, links_of(session, order), session.scalar(open_todos) or 0)


@dataclass(frozen=True)
class RemovedOrder:
    id: int
    number: str
    customer: str
    title: str
    board: str
    status: str
    tone: str
    removed_at: datetime
    by: str


_O, _C, _S, _B, _E = table(Order).c, table(Customer).c, table(Status).c, table(Board).c, table(Event).c
_BY = (
    select(_E.actor_name)
    .where(_E.order_id == _O.id, _E.kind == "order.removed")
    .order_by(_E.id.desc())
    .limit(1)
    .correlate(table(Order))
    .scalar_subquery()
)


def removed_orders(session: Session) -> tuple[RemovedOrder, ...]:
    """Those that can still be restored, at most MOST, the last one first."""
    query = (
        select(_O.id, _O.number, _C.name, _O.title, _B.name, _S.name, _S.tone, _O.removed_at, _BY)
        .join(table(Customer), _O.customer_id == _C.id)
        .join(table(Status), _O.status_id == _S.id)
        .join(table(Board), _O.board_id == _B.id)
        .where(_O.removed_at > clock.now() - RESTORABLE)
        .order_by(_O.removed_at.desc(), _O.id.desc())
        .limit(MOST)
    )
    return tuple(RemovedOrder(*row) for row in session.connection().execute(query))
