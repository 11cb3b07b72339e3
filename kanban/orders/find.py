"""Orders, found for a verb: with what its facts need, and locked where the database has row locks."""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban import facts
from kanban.db import table
from kanban.errors import NotFound
from kanban.i18n import _
from kanban.models import Board, Order, Person, Status


def find_order(session: Session, order_id: int) -> Order:
    """The order with its parties and people, for a change. Raises NotFound."""
    order = session.scalar(
        select(Order)
        .where(Order.id == order_id)
        .options(
            joinedload(Order.board, innerjoin=True),
            joinedload(Order.status, innerjoin=True),
            joinedload(Order.customer, innerjoin=True),
            joinedload(Order.organisation),
            joinedload(Order.responsible),
            joinedload(Order.author),
            selectinload(Order.people),
        )
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFound(_("There is no such order."))
    return order


def find_status(session: Session, status_id: int) -> Status | None:
    return session.get(Status, status_id, populate_existing=True)


_O, _S, _B, _P = table(Order).c, table(Status).c, table(Board).c, table(Person).c
_LINKED = (
    select(
        _O.id,
        _O.number,
        _O.board_id,
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
    .where((_O.source_id == bindparam("order_id")) | (_O.id == bindparam("source_id")))
    .order_by(_O.id)
)


def linked(session: Session, order: Order) -> list[dict[str, Any]]:
    """A summary of the orders made from this one, and of the one it is made from."""
    rows = session.connection().execute(_LINKED, {"order_id": order.id, "source_id": order.source_id or 0})
    return [
        {
            "id": row.id,
            "number": row.number,
            "board": row.board_id,
            "order_name": row.order_name,
            "status": {"id": row.status_id, "name": row.name, "phase": row.phase},
            "is_source": row.id == order.source_id,
            "fields": {
                "number": row.number,
                "status": {"id": row.status_id, "name": row.name},
                "total": row.total,
                "paid": row.paid,
                "ship_on": facts.iso(row.ship_on),
                "responsible": {"id": row.responsible_id, "name": row.responsible} if row.responsible_id else None,
            },
        }
        for row in rows
    ]
