"""Counts and sums of the column heads, kept as orders come and go, so that no page scans a board: added at the commit."""

from sqlalchemy.orm import Session

from kanban.transactions import pending


def add_to_head(session: Session, status_id: int, count: int, total: int) -> None:
    """Adds to one head; negative takes away."""
    pending(session).heads.append((status_id, count, total))


def carry_head(session: Session, left_id: int, entered_id: int, total: int) -> None:
    """One order of this total goes from one head to the other."""
    pending(session).heads += [(left_id, -1, -total), (entered_id, 1, total)]
