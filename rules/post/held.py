"""Messages of which nobody knows whether they arrived, again and again: held for a person, in the log and at the bell."""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from kanban.config import Config
from kanban.i18n import _, force_locale
from kanban.live import publish
from kanban.settings import setting
from rules.models import Delivery, Message
from rules.post import admin_notices
from rules.post.admin_notices import AdminNotice

log = logging.getLogger(__name__)

# Attempts whose end nobody knows: so many may have arrived, and no more of one message ever do.
IN_DOUBT, MOST_IN_DOUBT = ("unclear", "unknown"), 3
MOST_UNCLEAR = 2  # of them those that the other side took and never answered: it does so again
HELD = "held: the worker ended in the middle of it, and it may have arrived each time"
UNCLEAR = "held: the server took the message again and never said whether it arrived; last: "


def is_enough(session: Session, message_id: int) -> bool:
    """Whether a message that has just ended unclear is not to be tried again."""
    ends = session.scalars(select(Delivery.outcome).where(Delivery.message_id == message_id, Delivery.outcome.in_(IN_DOUBT))).all()
    return ends.count("unclear") + 1 >= MOST_UNCLEAR or len(ends) + 1 >= MOST_IN_DOUBT


def hold(session: Session, ids: Sequence[int], now: datetime, config: Config) -> None:
    """Of messages that were just freed, those that were in doubt too often go no more by themselves. Needs a numbered transaction."""
    if not ids:
        return
    doubts = select(func.count()).select_from(Delivery).where(Delivery.message_id == Message.id, Delivery.outcome.in_(IN_DOUBT))
    query = select(Message).where(Message.id.in_(ids), Message.state == "waiting", doubts.scalar_subquery() >= MOST_IN_DOUBT)
    found = session.scalars(query.execution_options(populate_existing=True)).all()
    if not found:
        return
    session.execute(update(Message).where(Message.id.in_([one.id for one in found])).values(state="failed", error=HELD))
    tell(session, found, now, config)
    publish(session, "messages", *sorted({f"messages-{one.order_id}" for one in found if one.order_id}))


def tell(session: Session, held: Sequence[Message], now: datetime, config: Config) -> None:
    """Every administrator, once of each message."""
    for one in held:
        log.error("nobody knows whether a message arrived: it is held", extra={"message_id": one.id, "order": one.order_id})
    admin_notices.tell(session, [_told(session, one) for one in held], now, config)


def _told(session: Session, one: Message) -> AdminNotice:
    with force_locale(setting(session, "language")):
        said = _(
            "“%(subject)s” to %(address)s is on hold: it is unknown whether it arrived. See the message log.",
            subject=one.subject[:200],
            address=one.address,
        )
    return AdminNotice("held", f"held-{one.id}-{one.attempts}", said, one.order_id)
