"""Two people, one order: the second one hears who was first."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.errors import Conflict
from kanban.i18n import _
from kanban.models import Event, Order


def require_fresh(session: Session, order: Order, version: int) -> None:
    """Raises Conflict where the order has changed since that version."""
    if order.version != version:
        raise Conflict(_who_was_first(session, order), order)


def _who_was_first(session: Session, order: Order) -> str:
    """«К-0383 уже переместила Ирина Ким: теперь в «Установка»», said without a gender."""
    last = session.scalar(select(Event).where(Event.order_id == order.id).order_by(Event.id.desc()).limit(1))
    name = last.actor_name if last else ""
    if last is not None and last.kind == "order.moved":
        return _(
            "%(name)s moved %(number)s a moment before you, and it is now in “%(status)s”.",
            number=order.number,
            name=name,
            status=order.status.name,
        )
    return _("%(name)s changed %(number)s a moment before you. Check it and try again.", number=order.number, name=name)
