"""An event that did not happen: an order, and what would be done to it, as the facts that a rule would judge. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, case, exists, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from kanban import clock, orders
from kanban.actor import Actor
from kanban.errors import Invalid
from kanban.facts import Facts, LinkedBy, LinkedOrder
from kanban.fold import fold
from kanban.i18n import _
from kanban.models import Customer, Event, Order, Status
from kanban.orders.place import named
from kanban.queries.sought import folded
from kanban.snapshot import percent, reference, snapshot
from rules.definition.content import RuleContent
from rules.definition.triggers import (
    AllLinked,
    Entered,
    FieldChanged,
    Left,
    LinkedEntered,
    Paid,
    Placed,
    StatusChanged,
    Trigger,
)

MOST_OFFERED = 30


@dataclass(frozen=True)
class Imagined:
    """other: the status on the other side of the move, None for the likely one, 0 for «just placed». was: what stood before in
    the field that changes, or what was paid before, as facts keep it."""

    other: int | None = None
    was: object = None


class ImaginedEvent(NamedTuple):
    """The event has no number, and is in no session."""

    event: Event
    facts: Facts


def find_fitting(session: Session, content: RuleContent, number: str) -> Order:
    """The order of this number, whole or a part of it; without one, the newest that fits the trigger. Raises Invalid."""
    query = _orders(content.board_id)
    if number:
        wanted = fold(number.strip())
        same, like = folded(Order.number) == wanted, folded(Order.number).contains(wanted, autoescape=True)
        order = session.scalar(query.where(like).order_by(case((same, 0), else_=1), Order.id.desc()).limit(1))
        if order is None:
            raise Invalid(_("Order “%(number)s” was not found on this board.", number=number), "order")
        return order
    fits = _fitting(content.trigger)
    order = session.scalar(query.where(fits).order_by(Order.id.desc()).limit(1)) if fits is not None else None
    order = order or session.scalar(query.order_by(Order.id.desc()).limit(1))
    if order is None:
        raise Invalid(_("There are no orders on this board yet."), "order")
    return order


def _fitting(trigger: Trigger) -> ColumnElement[bool] | None:
    other = aliased(Order)
    match trigger:
        case Entered() | Left():
            return Order.status_id == trigger.status_id
        case LinkedEntered():
            return exists().where((other.source_id == Order.id) | (other.id == Order.source_id))
        case AllLinked():
            return exists().where(other.source_id == Order.id)
    return None


def _orders(board_id: int) -> Select[Order]:
    return (
        select(Order)
        .where(Order.board_id == board_id, Order.removed_at.is_(None))
        .options(
            joinedload(Order.board, innerjoin=True),
            joinedload(Order.status, innerjoin=True),
            joinedload(Order.customer, innerjoin=True),
            joinedload(Order.organisation),
            joinedload(Order.responsible),
            joinedload(Order.author),
            selectinload(Order.people),
        )
    )


def event_of(
    session: Session, rule_id: int, content: RuleContent, order: Order, imagined: Imagined, actor: Actor, statuses: Sequence[Status]
) -> ImaginedEvent:
    """statuses: of the order's board, in their order."""
    trigger, kind = content.trigger, content.trigger.events[-1]
    before, after = _sides(trigger, order, imagined.other, statuses)
    if isinstance(trigger, Entered) and before is None:
        kind = "order.placed"
    links, linked_by = _linked(session, trigger, orders.linked(session, order))
    was = _was(trigger, order, imagined, before)
    facts = replace(
        snapshot(order, actor, before=before, after=after, linked=links, was=was),
        rule_id=rule_id if kind in ("order.asked", "order.due") else None,
        linked_by=linked_by,
    )
    moved = kind in ("order.moved", "order.placed")
    event = Event(
        id=0,
        kind=kind,
        board_id=order.board_id,
        order_id=order.id,
        actor_id=actor.id,
        actor_name=actor.name,
        at=clock.now(),
        before={"status": named(before)} if moved and before is not None else {},
        after={"status": named(after)} if moved else {},
        facts=facts.to_json(),
    )
    return ImaginedEvent(event, facts)


def _sides(trigger: Trigger, order: Order, other: int | None, statuses: Sequence[Status]) -> tuple[Status | None, Status]:
    """(status before, status after). The likely other side of a move is the neighbour on the board."""
    by_id, here = {status.id: status for status in statuses}, order.status
    match trigger:
        case Placed():
            return None, here
        case Entered():
            after = by_id[trigger.status_id]
            likely = here if here.id != after.id else _neighbour(statuses, after, -1)
            return None if other == 0 else by_id.get(other or 0, likely), after
        case Left():
            before = by_id[trigger.status_id]
            return before, by_id.get(other or 0, _neighbour(statuses, before, 1))
        case StatusChanged():
            return here, by_id.get(other or 0, _neighbour(statuses, here, 1))
    return here, here


def _neighbour(statuses: Sequence[Status], status: Status, step: int) -> Status:
    place = [other.id for other in statuses].index(status.id)
    there = place + step if 0 <= place + step < len(statuses) else place - step
    return statuses[there] if 0 <= there < len(statuses) else status


def _was(trigger: Trigger, order: Order, imagined: Imagined, before: Status | None) -> dict[str, object]:
    match trigger:
        case Entered() | Left() | StatusChanged() if before is not None:
            return {"status_after": reference(before)}
        case FieldChanged():
            return {trigger.name: imagined.was}
        case Paid():
            paid = imagined.was if isinstance(imagined.was, int) else 0
            return {"paid": paid, "paid_percent": percent(paid, order.total)}
    return {}


def _linked(session: Session, trigger: Trigger, links: list[LinkedOrder]) -> tuple[list[LinkedOrder], LinkedBy | None]:
    """The linked orders, and the one of them that is imagined to come into the status, brought up to that."""
    match trigger:
        case AllLinked():
            found = next((link for link in links if not link.is_source), None)
            return links, LinkedBy(found.id, found.number, found.status_id, trigger.phase) if found else None
        case LinkedEntered():
            status = session.get(Status, trigger.status_id)
            found = next((link for link in links if status is not None and link.board_id == status.board_id), None)
            if found is None or status is None:
                return links, None
            fields = {**found.fields, "status": {"id": status.id, "name": status.name}}
            moved = replace(found, status_id=status.id, status_name=status.name, phase=status.phase, fields=fields)
            return [moved if link is found else link for link in links], LinkedBy(moved.id, moved.number, status.id, status.phase)
    return links, None


def newest_orders(session: Session, board_id: int) -> list[tuple[str, str]]:
    """(number, customer) of those that are offered to try a rule on."""
    query = select(Order.number, Customer.name).join(Customer, Customer.id == Order.customer_id)
    query = query.where(Order.board_id == board_id, Order.removed_at.is_(None))
    return [(number, name) for number, name in session.execute(query.order_by(Order.id.desc()).limit(MOST_OFFERED))]
