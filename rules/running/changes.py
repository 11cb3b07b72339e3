"""What a rule changes: by the same verbs as people use, in the rule's name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import assert_never

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kanban import clock, orders, todos
from kanban.actor import Actor
from kanban.errors import Invalid
from kanban.fields import FieldType, FieldValue
from kanban.fold import fold
from kanban.i18n import _
from kanban.models import Order, Person, Status, person_role
from kanban.orders import OrderFields
from rules.definition import texts
from rules.definition.actions import (
    AddComment,
    AddTag,
    AddTodo,
    Assign,
    Change,
    MakeProduction,
    RemoveTag,
    SetField,
    SetStatus,
)
from rules.definition.change_actions import InDays
from rules.running.todo_action import fields_of


@dataclass(frozen=True)
class ChangeContext:
    """What changes of a rule are made with. values: what a text may say of the order (rules.running.template_values)."""

    session: Session
    actor: Actor
    order_id: int
    values: Mapping[str, str]

    @property
    def order(self) -> Order:
        return orders.find_order(self.session, self.order_id)

    def write(self, order: Order, fields: OrderFields) -> None:
        orders.change(self.session, self.actor, order.id, fields, version=order.version)


def apply(context: ChangeContext, action: Change) -> None:
    """Raises a Refused where the verb refuses."""
    match action:
        case SetStatus():
            _set_status(context, action)
        case SetField():
            _set_field(context, action)
        case AddTag():
            _add_tag(context, action)
        case RemoveTag():
            _remove_tag(context, action)
        case Assign():
            _assign(context, action)
        case MakeProduction():
            orders.make_production(context.session, context.actor, context.order_id)
        case AddComment():
            text = texts.render_text(action.text, context.values, False)
            orders.comment(context.session, context.actor, context.order_id, text.strip()[: orders.MOST_COMMENT])
        case AddTodo():
            todos.add(context.session, context.actor, context.order_id, fields_of(context.session, context.order, action, context.values))
        case _:
            assert_never(action)


def _set_status(context: ChangeContext, action: SetStatus) -> None:
    status = context.session.get(Status, action.status_id)
    if status is None:
        raise Invalid(_("This status no longer exists."), "status")
    order = context.order
    if status.board_id == order.board_id:
        moved = [order.id]
    else:
        query = select(Order.id).where(
            Order.board_id == status.board_id,
            (Order.source_id == order.id) | (Order.id == (order.source_id or 0)),
            Order.removed_at.is_(None),
        )
        moved = list(context.session.scalars(query.order_by(Order.id)))
        if not moved:
            raise Invalid(_("There is no linked order on this status's board."), "status")
    for id_ in moved:
        found = orders.find_order(context.session, id_)  # somebody may be moving it, too
        if found.status_id != status.id:
            orders.move(context.session, context.actor, found.id, status_id=status.id, before="", version=found.version)


def _set_field(context: ChangeContext, action: SetField) -> None:
    order, field, value = context.order, action.field, action.value
    if field is None:
        raise Invalid(_("Choose the field."), "field")
    fields = orders.fields_of(order)
    if field.type is FieldType.REFERENCE:
        context.write(order, replace(fields, organisation_id=value if isinstance(value, int) else None))
    else:
        context.write(order, fields.with_values(**{field.name: _in_days(value)}))


def _in_days(value: str | int | date | InDays | None) -> FieldValue:
    return clock.today() + timedelta(days=value.days) if isinstance(value, InDays) else value


def _add_tag(context: ChangeContext, action: AddTag) -> None:
    order = context.order
    if fold(action.tag) not in map(fold, order.tags):
        context.write(order, replace(orders.fields_of(order), tags=[*order.tags, action.tag]))


def _remove_tag(context: ChangeContext, action: RemoveTag) -> None:
    order, gone = context.order, fold(action.tag)
    context.write(order, replace(orders.fields_of(order), tags=[tag for tag in order.tags if fold(tag) != gone]))


def _assign(context: ChangeContext, action: Assign) -> None:
    order = context.order
    person_id = action.person_id or (least_busy(context.session, action.least_busy_of) if action.least_busy_of else None)
    person = context.session.get(Person, person_id) if person_id else None
    if person is None or not person.active:
        raise Invalid(_("There is nobody to assign."), "person")
    fields = orders.fields_of(order)
    if action.role_id is None:
        context.write(order, replace(fields, responsible_id=person.id))
    else:
        context.write(order, replace(fields, people={**fields.people, action.role_id: person.id}))


def least_busy(session: Session, role_id: int) -> int | None:
    """The active holder of a role who is responsible for the fewest orders that are not over; of equals the first by id."""
    load = (
        select(func.count())
        .select_from(Order)
        .join(Status, Status.id == Order.status_id)
        .where(Order.responsible_id == Person.id, Order.removed_at.is_(None), Status.phase.not_in(("done", "cancelled")))
        .scalar_subquery()
    )
    holders = (
        select(Person.id).join(person_role, person_role.c.person_id == Person.id).where(person_role.c.role_id == role_id, Person.active)
    )
    return session.scalar(holders.order_by(load, Person.id).limit(1))
