"""Places in a column. A rank is a text between its neighbours' ranks, compared byte by byte."""

from fractional_indexing import generate_key_between
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kanban.ids import read_id
from kanban.models import Order, Status


def rank_before(session: Session, status: Status, before: str, moving: int | None = None) -> str:
    """A rank in the status before the card with the id `before`; empty: the top; `end`, or a card that left: the end.

    A column that is over shows the newest first, so whatever comes there comes to its top.
    """
    here = [Order.status_id == status.id]
    if moving is not None:
        here.append(Order.id != moving)
    if before == "" or status.is_over:
        return str(generate_key_between(None, session.scalar(select(func.min(Order.rank)).where(*here))))
    following_id = read_id(before)
    following = session.scalar(select(Order.rank).where(*here, Order.id == following_id)) if following_id else None
    if following is None:
        return str(generate_key_between(session.scalar(select(func.max(Order.rank)).where(*here)), None))
    previous = session.scalar(select(func.max(Order.rank)).where(*here, Order.rank < following))
    return str(generate_key_between(previous, following))
