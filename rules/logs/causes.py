"""What an event caused, and what had caused it."""

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.i18n import _
from kanban.models import Event, Order, Todo
from rules.models import Rule
from rules.words.events import what_happened

MOST = 1_000


@dataclass(frozen=True)
class Caused:
    """An event that a rule, or the news of a linked order, made of this one; id None: a to-do that a rule gave."""

    id: int | None
    order_id: int
    number: str
    what: str


class Cause(NamedTuple):
    """What made an event. rule: its name, or ""; what: what had happened then."""

    event_id: int
    order_id: int
    number: str
    rule: str
    what: str


def caused_by(session: Session, event: Event) -> dict[int | None, list[Caused]]:
    """By rule; under None what linked orders were told."""
    rows = session.execute(
        select(Event.id, Event.order_id, Order.number, Event.kind, Event.before, Event.after, Event.cause_rule_id)
        .join(Order, Order.id == Event.order_id)
        .where(Event.cause_event_id == event.id)
        .order_by(Event.id)
        .limit(MOST)
    )
    found: dict[int | None, list[Caused]] = defaultdict(list)
    for id_, order_id, number, kind, before, after, rule_id in rows:
        found[rule_id].append(Caused(id_, order_id, number, what_happened(kind, before, after)))
    todos = (
        select(Todo.order_id, Order.number, Todo.text, Todo.cause_rule_id)
        .join(Order, Order.id == Todo.order_id)
        .where(Todo.cause_event_id == event.id)
        .order_by(Todo.id)
        .limit(MOST)
    )
    for order_id, number, said, rule_id in session.execute(todos):
        found[rule_id].append(Caused(None, order_id, number, _("to-do: %(what)s", what=said)))
    return found


def cause_of(session: Session, event: Event) -> Cause | None:
    if event.cause_event_id is None:
        return None
    row = session.execute(
        select(Event.id, Event.order_id, Order.number, Rule.name, Event.kind, Event.before, Event.after)
        .join(Order, Order.id == Event.order_id)
        .outerjoin(Rule, Rule.id == event.cause_rule_id)
        .where(Event.id == event.cause_event_id)
    ).one_or_none()
    return Cause(row[0], row[1], row[2], row[3] or "", what_happened(row.kind, row.before, row.after)) if row else None
