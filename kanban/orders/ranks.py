"""Places in a column. A rank is a text between its neighbours' ranks, compared byte by byte."""

from fractional_indexing import generate_key_between, generate_n_keys_between
from sqlalchemy import Integer, bindparam, func, select, tuple_, update
from sqlalchemy.orm import Session

from kanban.db import Rank, table
from kanban.ids import read_id
from kanban.live import publish
from kanban.models import Order, Status

LONGEST = 100  # a gap that is halved again and again makes ranks longer, and their column holds 255

_O = table(Order).c
_HERE = (_O.status_id == bindparam("status_id"), _O.id != bindparam("moving"))
_FIRST = select(func.min(_O.rank)).where(*_HERE)
_LAST = select(func.max(_O.rank)).where(*_HERE)
_FOLLOWING = select(_O.rank).where(*_HERE, _O.id == bindparam("before"))
_PREVIOUS = (
    select(_O.rank)
    .where(*_HERE, tuple_(_O.rank, _O.id) < tuple_(bindparam("following", type_=Rank), bindparam("before", type_=Integer)))
    .order_by(_O.rank.desc(), _O.id.desc())
    .limit(1)
)


def rank_before(session: Session, status: Status, before: str, moving: int | None = None) -> str:
    """A rank in the status before the card with the id `before`; empty: the top; `end`, or a card that left: the end.

    A column that is over shows the newest first, so whatever comes there comes to its top.
    """
    rank = _between(session, status, before, moving)
    if rank is None or len(rank) > LONGEST:
        _respace(session, status)
        rank = _between(session, status, before, moving)
    assert rank is not None
    return rank


def _between(session: Session, status: Status, before: str, moving: int | None) -> str | None:
    """None where its neighbours have the same rank: each was put there while the other one was on its way."""
    connection = session.connection()
    here = {"status_id": status.id, "moving": moving or 0}
    if before == "" or status.is_over:
        return str(generate_key_between(None, connection.scalar(_FIRST, here)))
    following_id = read_id(before)
    following = connection.scalar(_FOLLOWING, here | {"before": following_id}) if following_id else None
    if following is None:
        return str(generate_key_between(connection.scalar(_LAST, here), None))
    previous = connection.scalar(_PREVIOUS, here | {"following": following, "before": following_id})
    return None if previous == following else str(generate_key_between(previous, following))


def _respace(session: Session, status: Status) -> None:
    """New, short ranks for the whole column, in the order they stand. Rare: after hundreds of moves into one gap."""
    session.flush()
    ids = session.scalars(select(_O.id).where(_O.status_id == status.id).order_by(_O.rank, _O.id)).all()
    ranks = generate_n_keys_between(None, None, len(ids))
    rows = [{"b_id": id_, "b_rank": rank} for id_, rank in zip(ids, ranks, strict=True)]
    session.connection().execute(
        update(table(Order)).where(_O.id == bindparam("b_id"), _O.status_id == status.id).values(rank=bindparam("b_rank")), rows
    )
    publish(session, f"board-{status.board_id}")
