"""Letters of which nobody knows whether they arrived, again and again: held for a person, in the log and at the bell."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from kanban.config import Config
from kanban.i18n import _, force_locale
from kanban.live import publish
from kanban.settings import setting
from rules.models import Delivery, Message
from rules.post import admin_notices
from rules.post.admin_notices import Told

MOST_UNKNOWN = 3  # attempts whose end nobody knows, and which the letter had for itself
HELD = "held: the worker ended in the middle of it three times, and it may have arrived each time"


def hold(session: Session, ids: Sequence[int], now: datetime, config: Config) -> int:
    """Of letters that were just freed, those that were tried so too often go no more by themselves. How many. Needs a numbered
    transaction."""
    if not ids:
        return 0
    beside = aliased(Delivery)  # of one claim: whoever was taken together with others may not even have been begun
    with_others = select(beside.id).where(beside.started_at == Delivery.started_at, beside.message_id != Delivery.message_id).exists()
    unknown = (
        select(func.count()).select_from(Delivery).where(Delivery.message_id == Message.id, Delivery.outcome == "unknown", ~with_others)
    )
    query = select(Message).where(Message.id.in_(ids), Message.state == "waiting", unknown.scalar_subquery() >= MOST_UNKNOWN)
    found = session.scalars(query.execution_options(populate_existing=True)).all()
    if not found:
        return 0
    held = [one.id for one in found]
    session.execute(update(Message).where(Message.id.in_(held)).values(state="failed", error=HELD))
    admin_notices.tell(session, [_told(session, one) for one in found], now, config)
    publish(session, "letters", *sorted({f"letters-{one.order_id}" for one in found if one.order_id}))
    return len(found)


def _told(session: Session, one: Message) -> Told:
    with force_locale(setting(session, "language")):
        said = _("“%(subject)s” to %(address)s is held: nobody knows whether it arrived. See the log of e-mails.",
                 subject=one.subject[:200], address=one.address)  # fmt: skip
    return Told("held", f"held-{one.id}-{one.attempts}", said, one.order_id)
