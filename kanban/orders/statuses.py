"""Counts and sums of the column heads, kept as orders come and go, so that no page scans a board."""

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from kanban.models import Status


def add_to_head(session: Session, status_id: int, count: int, total: int) -> None:
    """Adds to one head; negative takes away."""
    session.execute(
        update(Status)
        .where(Status.id == status_id)
        .values(order_count=Status.order_count + count, order_total=Status.order_total + total)
        .execution_options(synchronize_session=False)
    )


def carry_head(session: Session, left_id: int, entered_id: int, total: int) -> None:
    """One order of this total goes from one head to the other, in one statement."""
    entered = Status.id == entered_id
    session.execute(
        update(Status)
        .where(Status.id.in_((left_id, entered_id)))
        .values(
            order_count=Status.order_count + case((entered, 1), else_=-1),
            order_total=Status.order_total + case((entered, total), else_=-total),
        )
        .execution_options(synchronize_session=False)
    )
