"""The end of messages that waited while no worker ran and no mail account was set: the demo's past."""

from datetime import timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from kanban.db import table
from rules.models import Delivery, Message

TOOK = timedelta(seconds=1)


def set_aside(session: Session) -> None:
    """All that waits ends at its own time, as a worker would have ended it: notices at the bell, everything else in the tray,
    from where nothing is sent by itself. By four statements."""
    waiting = session.execute(select(Message.id, Message.channel, Message.due_at).where(Message.state == "waiting")).all()
    if not waiting:
        return
    attempts = [
        {
            "message_id": id_,
            "attempt": 1,
            "sender": "",
            "outcome": "sent" if channel == "notice" else "tray",
            "answer": "",
            "started_at": due_at + TOOK,
            "ended_at": due_at + TOOK,
        }
        for id_, channel, due_at in waiting
    ]
    session.execute(insert(table(Delivery)), attempts)
    ended = update(Message).where(Message.state == "waiting").execution_options(synchronize_session=False)
    session.execute(ended.where(Message.channel == "notice").values(state="sent", sent_at=Message.due_at, attempts=1))
    session.execute(ended.values(state="tray", attempts=1))
