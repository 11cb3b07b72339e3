"""Places in a column. A rank is a text between its neighbours' ranks, compared byte by byte."""

from fractional_indexing import generate_key_between
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.ids import read_id
from kanban.models import Order, Status

_O = table(Order).c
_HERE = (_O.status_id == bindparam("status_id"), _O.id != bindparam("moving"))
_FIRST = select(func.min(_O.rank)).where(*_HERE)
_LAST = select(func.max(_O.rank)).where(*_HERE)
_FOLLOWING = select(_O.rank).where(*_HERE, _O.id == bindparam("before"))
_PREVIOUS = select(func.max(_O.rank)).where(*_HERE, _O.rank < bindparam("following"))


def rank_before(session: Session, status: Status, before: str, moving: int | None = None) -> str:
    """A rank in the status before the card with the id `before`; empty: the top; `end`, or a card that left: the end.

    A column that is over shows the newest first, so whatever comes there comes to its top.
    """
    connection = session.connection()
    here = {"status_id": status.id, "moving": moving or 0}
    if before == "" or status.is_over:
        return str(generate_key_between(None, connection.scalar(_FIRST, here)))
    following_id = read_id(before)
    following = connection.scalar(_FOLLOWING, here | {"before": following_id}) if following_id else None
    if following is None:
        return str(generate_key_between(connection.scalar(_LAST, here), None))
    return str(generate_key_between(connection.scalar(_PREVIOUS, here | {"following": following}), following))
