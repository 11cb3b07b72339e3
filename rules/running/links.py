"""An order that enters a status, told to the orders it is linked with: as an event of theirs, where a rule waits for it."""

from dataclasses import replace

from sqlalchemy.orm import Session

from kanban import orders
from kanban.actor import Actor, Cause, actor_of
from kanban.events import record
from kanban.facts import Facts, LinkedBy
from kanban.models import Event, Person
from kanban.snapshot import snapshot


def linked_on(facts: Facts, board_id: int) -> list[int]:
    """The orders of a board that the event's order is linked with."""
    return [order.id for order in facts.linked or () if order.board_id == board_id]


def tell(session: Session, event: Event, facts: Facts, order_id: int) -> None:
    """Records the event as one of a linked order."""
    order = orders.find_order(session, order_id)
    status = event.after["status"]
    by = LinkedBy(event.order_id, facts.number, status["id"], facts.phase)
    actor = _actor(session, event)
    known = snapshot(order, actor, before=order.status, after=order.status, linked=orders.linked(session, order))
    record(session, order, "order.linked", actor, facts=replace(known, linked_by=by), after={"linked": by.to_json() | {"status": status}})


def _actor(session: Session, event: Event) -> Actor:
    """Who did it, with the event as the cause."""
    person = session.get(Person, event.actor_id) if event.actor_id else None
    cause = Cause(event.id, None)
    if person is None:
        return Actor(0, event.actor_name, "", "admin", "", "slate", (), cause)
    return replace(actor_of(session, person), cause=cause)
