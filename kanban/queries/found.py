"""Orders found by words, on all boards."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.db import table
from kanban.models import Board, Customer, Order, Status
from kanban.queries.filter import Filter

MOST_FOUND = 50


@dataclass(frozen=True)
class SearchHit:
    id: int
    number: str
    title: str
    customer: str
    status: str
    tone: str
    board: str


@dataclass(frozen=True)
class FoundOrders:
    """The newest first. has_more: that there are others beyond MOST_FOUND."""

    orders: tuple[SearchHit, ...] = ()
    has_more: bool = False


_O, _C, _S, _B = table(Order).c, table(Customer).c, table(Status).c, table(Board).c
_FOUND = (
    select(_O.id, _O.number, _O.title, _C.name, _S.name, _S.tone, _B.name)
    .join(table(Customer), _O.customer_id == _C.id)
    .join(table(Status), _O.status_id == _S.id)
    .join(table(Board), _O.board_id == _B.id)
    .where(_O.removed_at.is_(None))
    .order_by(_O.id.desc())
    .limit(MOST_FOUND + 1)
)


def find_orders(session: Session, person: Actor, words: str) -> FoundOrders:
    """Orders in which all the words occur. None for no words."""
    conditions = Filter(q=words).conditions(person)
    if not conditions:
        return FoundOrders()
    rows = [SearchHit(*row) for row in session.connection().execute(_FOUND.where(*conditions))]
    return FoundOrders(tuple(rows[:MOST_FOUND]), len(rows) > MOST_FOUND)
