"""The words of messages are kept for a while; then only who, when, by which rule and why."""

from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from kanban.db import table
from rules.models import Message
from rules.post.layout import read_layout

AT_ONCE = 500
_M = table(Message)
_OLDEST = (
    select(_M.c.id, _M.c.layout)
    .where(_M.c.text_kept, _M.c.created_at < bindparam("before"), _M.c.state.not_in(("waiting", "sending")))
    .order_by(_M.c.created_at, _M.c.id)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)
_FORGET = update(_M).where(_M.c.id == bindparam("of_message")).values(subject="", text="", layout=bindparam("new_layout"), text_kept=False)


def forget_texts(session: Session, before: datetime) -> bool:
    """Of some of the oldest messages from before that time; whether there may be more. What still waits keeps its words.

    Why its reader was chosen stays: it says who may see that there was a message (hidden copies).
    """
    rows = session.connection().execute(_OLDEST, {"before": before}).all()
    if rows:
        values = [{"of_message": id_, "new_layout": read_layout(layout).kept.to_json()} for id_, layout in rows]
        session.connection().execute(_FORGET, values)
    return len(rows) == AT_ONCE
