"""Counts and sums of the column heads, kept as orders come and go, so that no page scans a board: added at the commit."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kanban.errors import Conflict
from kanban.i18n import _
from kanban.models import Order, Status
from kanban.transactions import pending

ROOM_LOCK = 7203  # with the id of a status: an arbitrary number, the same in every process


def add_to_head(session: Session, status_id: int, count: int, total: int) -> None:
    """Adds to one head; negative takes away."""
    pending(session).heads.append((status_id, count, total))


def carry_head(session: Session, left_id: int, entered_id: int, total: int) -> None:
    """One order of this total goes from one head to the other."""
    pending(session).heads += [(left_id, -1, -total), (entered_id, 1, total)]


def require_room(session: Session, order: Order, status: Status) -> None:
    """Raises Conflict where the status is full, and takes nothing above its limit. Two that enter at once go one after the other."""
    if not (status.limit and status.limit_refuses):
        return
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:lock, :status)"), {"lock": ROOM_LOCK, "status": status.id})
    there = session.scalar(select(Status.order_count).where(Status.id == status.id)) or 0
    there += sum(count for status_id, count, _total in pending(session).heads if status_id == status.id)
    if there >= status.limit:
        raise Conflict(_("“%(status)s” is full: its limit is %(limit)s.", status=status.name, limit=status.limit), order)
