"""Events of the past that a trigger may have waited for, found in SQL by kind, board and what changed; facts are read of those
alone. Ids grow with time, so where a period begins is found by halving, without an index over time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select, true, type_coerce
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.models import Customer, Event, Order, Status
from rules.definition.content import RuleContent
from rules.definition.triggers import (
    AllLinked,
    ByHand,
    DateNears,
    Entered,
    FieldChanged,
    Idle,
    Left,
    LinkedEntered,
    Paid,
    Stays,
    Weekly,
)
from rules.running.recipients import PastCustomer

_E = table(Event).c
_COLUMNS = (_E.id, _E.order_id, _E.kind, _E.at, _E.actor_id, _E.actor_name, _E.cause_event_id)
AT_ONCE = 1000
NOT_KEPT = ("paid_percent",)  # fields of the catalogue that an event doesn't keep in its before and after


class Part(NamedTuple):
    """A piece of the facts: all of «was», or one of their fields."""

    name: str
    field: str = ""


class Past(NamedTuple):
    """An event. texts: the parts of its facts that were asked for, as JSON; None where the facts don't have one. customer: of today."""

    id: int
    order_id: int
    kind: str
    at: datetime
    actor_id: int | None
    actor_name: str
    cause_event_id: int | None
    texts: tuple[str | None, ...]
    customer: PastCustomer | None


def events_for(
    session: Session, rule_id: int, content: RuleContent, since: datetime, most: int, parts: Sequence[Part], *, customers: bool
) -> Iterator[Past]:
    """Newest first. customers: with name, email and phone of the order's customer of today. What took a move back is left out: it
    triggers no rules unless messages had gone."""
    orders, people = table(Order), table(Customer)
    named = [people.c.name.label("customer"), people.c.email, people.c.phone] if customers else []
    asked = and_(_E.id >= first_since(session, since), _E.undoes_id.is_(None), _waited_for(session, rule_id, content))
    text_of = _text_on_sqlite if session.get_bind().dialect.name == "sqlite" else _text_of
    found = select(*_COLUMNS, *named, *map(text_of, parts)).where(asked).order_by(_E.id.desc()).limit(most)
    if customers:
        found = found.join(orders, orders.c.id == _E.order_id).join(people, people.c.id == orders.c.customer_id)
    begin, end = len(_COLUMNS), len(_COLUMNS) + len(named)
    for rows in session.connection().execution_options(yield_per=AT_ONCE).execute(found).partitions():
        for row in rows:
            yield Past._make((*row[:begin], row[end:], PastCustomer(*row[begin:end]) if customers else None))


def _text_of(part: Part) -> ColumnElement[str]:
    return cast(_E.facts[part.name][part.field] if part.field else _E.facts[part.name], Text)


def _text_on_sqlite(part: Part) -> ColumnElement[str]:
    """SQLite's arrow tells absent from null; what SQLAlchemy would write there does not."""
    path = f"$.{part.name}.{part.field}" if part.field else f"$.{part.name}"
    return type_coerce(_E.facts, Text).op("->", return_type=Text())(path)


def first_since(session: Session, since: datetime) -> int:
    """The id of the first event from then on: about 20 look-ups by number, however many events there are."""
    low, high = 1, (session.scalar(select(func.max(_E.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        found = session.execute(select(_E.id, _E.at).where(_E.id >= middle).order_by(_E.id).limit(1)).one()
        if found.at < since:
            low = found.id + 1
        else:
            high = middle
    return low


def _waited_for(session: Session, rule_id: int, content: RuleContent) -> ColumnElement[bool]:
    trigger, here = content.trigger, _E.board_id == content.board_id
    entered, left = _E.after["status"]["id"].as_integer(), _E.before["status"]["id"].as_integer()
    is_it: ColumnElement[bool] = true()
    match trigger:
        case DateNears() | Stays() | Idle() | Weekly() | ByHand():
            is_it = _E.facts["rule"].as_integer() == rule_id  # such events name their rule; one that isn't saved has never been
        case LinkedEntered():
            return _of_linked(content.board_id, [trigger.status_id])
        case AllLinked():
            return _of_linked(content.board_id, list(session.scalars(select(Status.id).where(Status.phase == trigger.phase))))
        case Entered():
            is_it = entered == trigger.status_id
        case Left():
            is_it = left == trigger.status_id
        case FieldChanged():
            is_it = _changes(trigger.name)
        case Paid():
            is_it = or_(_E.kind == "order.placed", _changes("paid"), _changes("total"))
    return and_(here, _E.kind.in_(trigger.events), is_it)


def _changes(field: str) -> ColumnElement[bool]:
    """Of what differs, one side at least is not empty. Roles stand there by their name of that time, so they are left to the facts."""
    if field in NOT_KEPT or ":" in field:
        return _E.kind == "order.changed"
    return or_(_E.before[field].as_string().is_not(None), _E.after[field].as_string().is_not(None))


def _of_linked(board_id: int, statuses: Sequence[int]) -> ColumnElement[bool]:
    """What orders of this board heard of linked ones, while a rule waited for it; and moves of orders of other boards, whose
    facts name the orders they are linked with. The first come later, so they are read before what they heard of."""
    entered = _E.after["status"]["id"].as_integer()
    heard = and_(_E.board_id == board_id, _E.kind == "order.linked", _E.after["linked"]["status"]["id"].as_integer().in_(statuses))
    return or_(heard, and_(_E.board_id != board_id, _E.kind.in_(("order.placed", "order.moved")), entered.in_(statuses)))
