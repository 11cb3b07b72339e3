"""A comment that names people puts a notice at their bells, whatever rules there are."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.config import Config
from kanban.i18n import _, force_locale
from kanban.models import Event, Order, Person
from kanban.settings import setting
from rules.definition.channels import Channel
from rules.definition.texts import MOST_SHORT, head_of
from rules.post import outbox
from rules.post.entry import OutboxEntry, message_key

MENTION = "mention"


def tell(session: Session, event: Event, order: Order, config: Config) -> list[OutboxEntry]:
    """One notice to each whom the comment names, but not to its author; told again for the same event it adds nothing.

    Where a rule said it, the notice waits for the undo window of what triggered the rule. Returns the notices.
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
    due_at = event.at + timedelta(seconds=config.undo_window_s if event.cause_rule_id else 0)
    notices = [
        OutboxEntry(
            message_key(event.id, Channel.NOTICE, person.email, MENTION),
            MENTION,
            Channel.NOTICE,
            person.name,
            person.email,
            head_of(text),
            text,
            language,
            config.public_host,
            due_at,
            event.at,
            person.id,
            event.id,
            order.id,
        )
        for person in people
    ]
    outbox.enqueue(session, [], notices)
    return notices
