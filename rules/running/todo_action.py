"""A to-do that a rule gives: whose it is and when it is due, worked out from the order."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import assert_never

from sqlalchemy.orm import Session

from kanban import clock
from kanban.errors import Invalid
from kanban.i18n import _
from kanban.models import Order
from kanban.roles import standing_for
from kanban.todos import MOST_TEXT, TodoFields
from rules.definition import texts
from rules.definition.recipients import PersonRecipient, RelatedRecipient, RoleRecipient
from rules.definition.todo_action import AddTodo, Due


def fields_of(session: Session, order: Order, action: AddTodo, values: Mapping[str, str]) -> TodoFields:
    """values: what the text may say of the order (rules.running.template_values). Raises Invalid."""
    person_id, role_id = _whose(session, order, action)
    text = " ".join(texts.render_text(action.text, values, False).split())
    day = _day(order, action.due) if action.due else None
    return TodoFields(text[:MOST_TEXT], action.kind, person_id, role_id, day, action.due.at if action.due and day else None)


def _whose(session: Session, order: Order, action: AddTodo) -> tuple[int | None, int | None]:
    """(the person's id, the role's id): one of the two."""
    match action.owner:
        case PersonRecipient():
            return action.owner.person_id, None
        case RoleRecipient():
            standing = standing_for(session, order, action.owner.role_id)
            return (None, action.owner.role_id) if standing.how == "holders" else (standing.people[0], None)
        case RelatedRecipient() | None:
            if order.responsible_id is None:
                raise Invalid(_("The order has no responsible person."), "whose")
            return order.responsible_id, None
        case _:
            assert_never(action.owner)


def _day(order: Order, due: Due) -> date | None:
    start: date | None = getattr(order, due.field.name) if due.field else clock.today()
    return start + timedelta(days=due.days) if start else None
