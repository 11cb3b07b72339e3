"""A to-do that a rule gives: whose it is and when it is due, worked out from the order.

{"do": "todo", "kind": "task", "text": Liquid text, "person": id, "role": id or "responsible": true, "due": …}
role: who stands for it on the order (kanban.roles): one person, or whoever holds it. due: None, {"days": 3, "time": "09:00"},
counted from the day the rule acts, or {"field": "ship_on", "days": -2, …}, from a date of the order; where that is empty, there is no date.
"""

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any

from sqlalchemy.orm import Session

from kanban import clock
from kanban.errors import Invalid
from kanban.i18n import _
from kanban.models import TODO_KINDS, Order, Person, Role
from kanban.roles import standing_for
from kanban.todos import MOST_TEXT, TodoFields
from rules import texts

WHOSE = ("person", "role", "responsible")
DATES = ("order_on", "ship_on", "installation_on")
MOST_DAYS = 3650


def fields_of(session: Session, order: Order, action: Mapping[str, Any], values: Mapping[str, str]) -> TodoFields:
    """values: what the text may say of the order (rules.running.letter_values). Raises Invalid."""
    person_id, role_id = _whose(session, order, action)
    text = " ".join(texts.render_text(action["text"], values, False).split())
    due = action.get("due") or {}
    day = _day(order, due)
    return TodoFields(
        text[:MOST_TEXT], action["kind"], person_id, role_id, day, time.fromisoformat(due["time"]) if day and due.get("time") else None
    )


def _whose(session: Session, order: Order, action: Mapping[str, Any]) -> tuple[int | None, int | None]:
    if action.get("responsible"):
        if order.responsible_id is None:
            raise Invalid(_("The order has no responsible person."), "whose")
        return order.responsible_id, None
    role_id = action.get("role")
    if role_id is None:
        return action.get("person"), None
    standing = standing_for(session, order, role_id)
    return (None, role_id) if standing.how == "holders" else (standing.people[0], None)


def _day(order: Order, due: Mapping[str, Any]) -> date | None:
    if not due:
        return None
    start: date | None = getattr(order, due["field"]) if due.get("field") else clock.today()
    return start + timedelta(days=due.get("days", 0)) if start else None


def require(session: Session, action: Mapping[str, Any]) -> None:
    """Raises Invalid where it makes no sense as it is saved."""
    if action.get("kind") not in TODO_KINDS:
        raise Invalid(_("There is no such kind of to-do."), "actions")
    if not action.get("text"):
        raise Invalid(_("Write what is to be done."), "actions")
    problems = texts.check(None, action["text"])
    if problems:
        raise Invalid(problems[0].message, "actions")
    if sum(bool(action.get(name)) for name in WHOSE) != 1:
        raise Invalid(_("Choose whose to-do it is."), "actions")
    for model, id_ in ((Person, action.get("person")), (Role, action.get("role"))):
        if id_ is not None and session.get(model, id_) is None:
            raise Invalid(_("This choice no longer exists."), "actions")
    _require_due(action.get("due"))


def _require_due(due: Any) -> None:
    if due is None:
        return
    if due.get("field") is not None and due["field"] not in DATES:
        raise Invalid(_("Choose the field."), "actions")
    if not isinstance(due.get("days"), int) or abs(due["days"]) > MOST_DAYS:
        raise Invalid(_("Give a number of days up to %(most)s.", most=MOST_DAYS), "actions")
    try:
        time.fromisoformat(due.get("time") or "00:00")
    except (TypeError, ValueError):
        raise Invalid(_("Write the time such as 09:30."), "actions") from None
