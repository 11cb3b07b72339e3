"""What a rule changes: actions that use the same verbs as people do, in the rule's name. One dict of them.

{"do": "set_status", "status": id}: of this order, or of the linked ones where the status is one of their board.
{"do": "set_field", "field": "ship_on", "value": …}: value as facts keep it; {"days": 3} for a date: counted from today.
{"do": "tag", "tag": text}   {"do": "untag", "tag": text}
{"do": "assign", "role": id or None (the responsible), "person": id} or {…, "least": role id}: its holder with fewest open orders.
{"do": "make_production"}   {"do": "comment", "text": Liquid text}   {"do": "todo", …}: see rules.running.given
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kanban import clock, orders, todos
from kanban.actor import Actor
from kanban.errors import Invalid
from kanban.fold import fold
from kanban.forms.fields import MOST_MONEY
from kanban.i18n import _
from kanban.models import Order, Organisation, Person, Role, Status, person_role
from rules import texts
from rules.running import given

SETTABLE = ("title", "organisation", "order_on", "ship_on", "installation_on", "total", "paid", "description")
DATES = ("order_on", "ship_on", "installation_on")
MOST_DAYS = 3650
MOST_VALUE, MOST_TAG = 200, 40  # signs


@dataclass(frozen=True)
class Change:
    """values: what a comment may say of the order (rules.running.letter_values)."""

    session: Session
    actor: Actor
    order_id: int
    action: Mapping[str, Any]
    values: Mapping[str, str]

    @property
    def order(self) -> Order:
        return orders.find_order(self.session, self.order_id)

    def write(self, order: Order, **values: Any) -> None:
        orders.change(self.session, self.actor, order.id, replace(orders.fields_of(order), **values), version=order.version)


def apply(change: Change) -> None:
    """Raises a Refused where the verb refuses."""
    CHANGES[change.action["do"]].make(change)


def _set_status(change: Change) -> None:
    status = change.session.get(Status, change.action["status"])
    if status is None:
        raise Invalid(_("The status is gone."), "status")
    order = change.order
    if status.board_id == order.board_id:
        moved = [order]
    else:
        query = select(Order).where(Order.board_id == status.board_id, (Order.source_id == order.id) | (Order.id == (order.source_id or 0)))
        moved = list(change.session.scalars(query.order_by(Order.id)))
        if not moved:
            raise Invalid(_("There is no linked order on the board of this status."), "status")
    for one in moved:
        if one.status_id != status.id:
            orders.move(change.session, change.actor, one.id, status_id=status.id, before="", version=one.version)


def _set_field(change: Change) -> None:
    field, value = change.action["field"], change.action.get("value")
    name = "organisation_id" if field == "organisation" else field
    if field in DATES:
        value = clock.today() + timedelta(days=value["days"]) if isinstance(value, dict) else date.fromisoformat(value) if value else None
    change.write(change.order, **{name: value})


def _tag(change: Change) -> None:
    order, tag = change.order, change.action["tag"]
    if fold(tag) not in map(fold, order.tags):
        change.write(order, tags=[*order.tags, tag])


def _untag(change: Change) -> None:
    order, tag = change.order, fold(change.action["tag"])
    change.write(order, tags=[one for one in order.tags if fold(one) != tag])


def _assign(change: Change) -> None:
    order, action = change.order, change.action
    person_id = action.get("person") or least_loaded(change.session, action["least"])
    person = change.session.get(Person, person_id) if person_id else None
    if person is None or not person.active:
        raise Invalid(_("There is nobody to assign."), "person")
    if action.get("role") is None:
        change.write(order, responsible_id=person.id)
    else:
        fields = orders.fields_of(order)
        change.write(order, people=fields.people | {action["role"]: person.id})


def least_loaded(session: Session, role_id: int) -> int | None:
    """The active holder of a role who is responsible for the fewest orders that are not over; of equals the first by id."""
    load = (
        select(func.count())
        .select_from(Order)
        .join(Status, Status.id == Order.status_id)
        .where(Order.responsible_id == Person.id, Status.phase.not_in(("done", "cancelled")))
        .scalar_subquery()
    )
    holders = (
        select(Person.id).join(person_role, person_role.c.person_id == Person.id).where(person_role.c.role_id == role_id, Person.active)
    )
    return session.scalar(holders.order_by(load, Person.id).limit(1))


def _make_production(change: Change) -> None:
    orders.make_production(change.session, change.actor, change.order_id)


def _comment(change: Change) -> None:
    text = texts.render_text(change.action["text"], dict(change.values), False)
    orders.comment(change.session, change.actor, change.order_id, text.strip()[: orders.MOST_COMMENT])


def _todo(change: Change) -> None:
    fields = given.fields_of(change.session, change.order, change.action, change.values)
    todos.add(change.session, change.actor, change.order_id, fields)


@dataclass(frozen=True)
class Kind:
    """make: does it. require: raises Invalid where it makes no sense as it is saved."""

    make: Callable[[Change], None]
    require: Callable[[Session, Mapping[str, Any]], None]


def require_change(session: Session, action: Mapping[str, Any]) -> None:
    """Raises Invalid."""
    kind = CHANGES.get(action["do"])
    if kind is None:
        raise Invalid(_("Choose what the rule does."), "actions")
    kind.require(session, action)


def _require_status(session: Session, action: Mapping[str, Any]) -> None:
    if session.get(Status, action.get("status") or 0) is None:
        raise Invalid(_("Choose the status."), "actions")


def _require_field(session: Session, action: Mapping[str, Any]) -> None:
    field, value = action.get("field"), action.get("value")
    if field not in SETTABLE:
        raise Invalid(_("Choose the field."), "actions")
    if isinstance(value, dict) and not (field in DATES and -MOST_DAYS <= value.get("days", MOST_DAYS + 1) <= MOST_DAYS):
        raise Invalid(_("Give a number of days up to %(most)s.", most=MOST_DAYS), "actions")
    if field == "organisation" and value is not None and session.get(Organisation, value) is None:
        raise Invalid(_("This choice no longer exists."), "actions")
    if field in ("total", "paid") and not (isinstance(value, int) and 0 <= value <= MOST_MONEY):
        raise Invalid(_("Write a sum between 0 and 10 trillion."), "actions")
    if field in ("title", "description") and not (isinstance(value, str) and len(value) <= MOST_VALUE):
        raise Invalid(_("This is too long: at most %(most)s characters.", most=MOST_VALUE), "actions")
    if isinstance(value, dict) and not isinstance(value.get("days"), int):
        raise Invalid(_("Give a number of days up to %(most)s.", most=MOST_DAYS), "actions")
    if field in DATES and value is not None and not isinstance(value, dict):
        _require_day(value)


def _require_day(value: Any) -> None:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Invalid(_("Choose a day."), "actions") from None


def _require_tag(session: Session, action: Mapping[str, Any]) -> None:
    if not action.get("tag"):
        raise Invalid(_("Write the tag."), "actions")
    if "," in action["tag"]:
        raise Invalid(_("This value can't be used here."), "actions")
    if len(action["tag"]) > MOST_TAG:
        raise Invalid(_("This is too long: at most %(most)s characters.", most=MOST_TAG), "actions")


def _require_person(session: Session, action: Mapping[str, Any]) -> None:
    wanted = [(Person, action.get("person")), (Role, action.get("least")), (Role, action.get("role"))]
    if any(id_ is not None and session.get(model, id_) is None for model, id_ in wanted):
        raise Invalid(_("This choice no longer exists."), "actions")
    if (action.get("person") is None) == (action.get("least") is None):
        raise Invalid(_("Choose who is assigned."), "actions")


def _require_text(session: Session, action: Mapping[str, Any]) -> None:
    if not action.get("text"):
        raise Invalid(_("Write what the comment says."), "actions")
    problems = texts.check(None, action["text"])
    if problems:
        raise Invalid(problems[0].message, "actions")


CHANGES = {
    "set_status": Kind(_set_status, _require_status),
    "set_field": Kind(_set_field, _require_field),
    "tag": Kind(_tag, _require_tag),
    "untag": Kind(_untag, _require_tag),
    "assign": Kind(_assign, _require_person),
    "make_production": Kind(_make_production, lambda session, action: None),
    "comment": Kind(_comment, _require_text),
    "todo": Kind(_todo, given.require),
}
