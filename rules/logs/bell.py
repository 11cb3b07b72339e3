"""The bell: a person's notices, newest first, and what they have read. Everything here is asked for by the person's id."""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from kanban import clock
from kanban.errors import NotFound
from kanban.i18n import _
from kanban.live import publish
from rules.models import Message

NEWEST = 30
MOST_COUNTED = 100  # more is «99+», and the count costs the same however many there are


def notices_of(session: Session, person_id: int, most: int = NEWEST) -> Sequence[Message]:
    return session.scalars(
        select(Message)
        .where(Message.person_id == person_id, Message.channel == "notice", Message.state == "sent")
        .order_by(Message.id.desc())
        .limit(most)
    ).all()


def unread_count(session: Session, person_id: int) -> int:
    """Among the newest MOST_COUNTED."""
    newest = (
        select(Message.read_at)
        .where(Message.person_id == person_id, Message.channel == "notice", Message.state == "sent")
        .order_by(Message.id.desc())
        .limit(MOST_COUNTED)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(newest).where(newest.c.read_at.is_(None))) or 0


def open_notice(session: Session, person_id: int, notice_id: int) -> Message:
    """Marks it read. Raises NotFound, for another person's too."""
    notice = session.scalar(
        select(Message).where(Message.id == notice_id, Message.person_id == person_id, Message.channel == "notice", Message.state == "sent")
    )
    if notice is None:
        raise NotFound(_("Notice not found."))
    if notice.read_at is None:
        notice.read_at = clock.now()
        publish(session, f"bell-{person_id}")
    return notice


def read_all(session: Session, person_id: int) -> None:
    session.execute(
        update(Message)
        .where(Message.person_id == person_id, Message.channel == "notice", Message.state == "sent", Message.read_at.is_(None))
        .values(read_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    publish(session, f"bell-{person_id}")
