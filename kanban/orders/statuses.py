"""Counts and sums of the column heads, kept as orders come and go, so that no page scans a board."""

from sqlalchemy import bindparam, case, update
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.models import Status

_S = table(Status)
_ADD = (
    update(_S)
    .where(_S.c.id == bindparam("status_id"))
    .values(order_count=_S.c.order_count + bindparam("count"), order_total=_S.c.order_total + bindparam("sum"))
)
_ENTERED = _S.c.id == bindparam("entered_id")
_CARRY = (
    update(_S)
    .where(_S.c.id.in_((bindparam("left_id"), bindparam("entered_id"))))
    .values(
        order_count=_S.c.order_count + case((_ENTERED, 1), else_=-1),
        order_total=_S.c.order_total + case((_ENTERED, bindparam("sum")), else_=bindparam("minus")),
    )
)


def add_to_head(session: Session, status_id: int, count: int, total: int) -> None:
    """Adds to one head; negative takes away."""
    session.flush()
    session.connection().execute(_ADD, {"status_id": status_id, "count": count, "sum": total})


def carry_head(session: Session, left_id: int, entered_id: int, total: int) -> None:
    """One order of this total goes from one head to the other, in one statement."""
    session.connection().execute(_CARRY, {"left_id": left_id, "entered_id": entered_id, "sum": total, "minus": -total})
