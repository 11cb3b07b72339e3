"""An order that enters a status, told to the orders it is linked with: as an event of theirs, where a rule waits for it."""

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from kanban import facts, orders
from kanban.actor import Actor, Cause, actor_of
from kanban.events import record
from kanban.models import Event, Person


def linked_on(event: Event, board_id: int) -> list[int]:
    """The orders of a board that the event's order is linked with."""
    return [link["id"] for link in event.facts.get("linked") or [] if link["board"] == board_id]


def tell(session: Session, event: Event, order_id: int) -> None:
    """Records the event as one of a linked order."""
    order = orders.find_order(session, order_id)
    status: dict[str, Any] = event.after["status"]
    by = {"order": event.order_id, "number": event.facts["order"]["number"], "status": status["id"], "phase": event.facts["phase"]}
    actor = _actor(session, event)
    known = facts.snapshot(order, actor, before=order.status, after=order.status, linked=orders.linked(session, order))
    record(session, order, "order.linked", actor, facts=known | {"linked_by": by}, after={"linked": by | {"status": status}})


def _actor(session: Session, event: Event) -> Actor:
    """Who did it, with the event as the cause."""
    person = session.get(Person, event.actor_id) if event.actor_id else None
    cause = Cause(event.id, None)
    if person is None:
        return Actor(0, event.actor_name, "", "admin", "", "slate", (), cause)
    return replace(actor_of(session, person), cause=cause)
