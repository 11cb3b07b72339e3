"""Orders, found for a verb: with what its facts need, and locked where the database has row locks."""

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban.errors import NotFound
from kanban.i18n import _
from kanban.models import Board, Order, Status


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
    """A status with the roles that may move orders into it."""
    return session.scalar(select(Status).where(Status.id == status_id).options(selectinload(Status.moving)))


def linked(session: Session, order: Order) -> list[dict[str, Any]]:
    """A summary of the orders made from this one, and of the one it is made from."""
    link = [Order.source_id == order.id]
    if order.source_id:
        link.append(Order.id == order.source_id)
    rows = session.execute(
        select(Order.id, Order.number, Order.board_id, Status.id, Status.name, Status.phase, Board.order_name)
        .join(Status, Order.status_id == Status.id)
        .join(Board, Order.board_id == Board.id)
        .where(or_(*link))
        .order_by(Order.id)
    )
    return [
        {"id": id_, "number": number, "board": board, "order_name": order_name, "status": {"id": status, "name": name, "phase": phase}}
        for id_, number, board, status, name, phase, order_name in rows
    ]
