"""A comment that names people puts a notice at their bells, whatever rules there are."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.config import Config
from kanban.i18n import _, force_locale
from kanban.models import Event, Order, Person
from kanban.settings import setting
from rules.post import outbox
from rules.texts import MOST_SHORT, head_of

MENTION = "mention"


def tell(session: Session, event: Event, order: Order, config: Config) -> list[dict[str, Any]]:
    """One notice to each whom the comment names, but not to its author; told again for the same event it adds nothing.

    Where a rule said it, the notice waits for the undo window of what woke the rule. Returns the notices.
    """
    wanted = [id_ for id_ in event.after.get("mentions") or [] if id_ != event.actor_id]
    people = session.execute(select(Person.id, Person.name, Person.email).where(Person.id.in_(wanted), Person.active)).all()
    if not people:
        return []
    language = setting(session, "language")
    with force_locale(language):
        head = _("%(name)s in %(number)s:", name=event.actor_name, number=order.number)
    text = f"{head} {event.after['text']}"
    text = text if len(text) <= MOST_SHORT else text[: MOST_SHORT - 1] + "…"
    window = timedelta(seconds=config.undo_window_s if event.cause_rule_id else 0)
    host = config.public_host
    rows: list[dict[str, Any]] = []
    for one in people:
        key = outbox.message_key(event.id, "notice", one.email, MENTION)
        rows.append(
            {
                "key": key, "kind": MENTION, "channel": "notice", "event_id": event.id, "order_id": order.id, "person_id": one.id,
                "name": one.name, "address": one.email, "subject": head_of(text), "text": text, "language": language, "layout": {},
                "message_id": outbox.message_id(key, host), "state": "waiting", "due_at": event.at + window, "attempts": 0,
                "error": "", "note": "", "reply_to": "", "created_at": event.at,
            }
        )  # fmt: skip
    outbox.enqueue(session, [], rows)
    return rows
