"""What a worker has to do next, by one statement: an idle one asks nothing else."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.models import ResetRequest, Todo
from rules.models import Message

_M = table(Message).c
_NEXT = select(
    select(func.min(_M.due_at)).where(_M.state == "waiting").scalar_subquery(),
    select(func.min(table(Todo).c.ring_at)).scalar_subquery(),
    exists(select(table(ResetRequest).c.id)),
)


@dataclass(frozen=True)
class Upcoming:
    """message_at: when the first message that waits is due, ring_at: when the first to-do calls; None: there is none. has_resets:
    whether somebody wishes for a new password."""

    message_at: datetime | None
    ring_at: datetime | None
    has_resets: bool

    def comes_at(self, now: datetime) -> datetime | None:
        """The first moment after now at which something is due."""
        return min((at for at in (self.message_at, self.ring_at) if at is not None and at > now), default=None)


def upcoming(session: Session) -> Upcoming:
    message_at, ring_at, has_resets = session.connection().execute(_NEXT).one()
    return Upcoming(message_at, ring_at, bool(has_resets))
