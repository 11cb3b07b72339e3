"""Moving an order: into another status, or to another place in its column."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from kanban import clock
from kanban.actor import Actor, Cause
from kanban.columns import columns_by_id
from kanban.events import Outcome, Recorded, listeners, record
from kanban.flow import require_path
from kanban.live import publish
from kanban.models import Event, Order, Status
from kanban.orders.change import record_change, write
from kanban.orders.comment import comment
from kanban.orders.fields import OrderFields, fields_of
from kanban.orders.find import find_order, find_status, linked
from kanban.orders.gates import require_gate
from kanban.orders.place import link_topics, named, repeated
from kanban.orders.ranks import rank_before
from kanban.orders.stale import require_fresh
from kanban.orders.statuses import carry_head, require_room
from kanban.policy import require_move_into, require_write
from kanban.snapshot import reference, snapshot


@dataclass(frozen=True)
class Moved:
    """event is None where only the place in the column changed. heads: the statuses whose counts changed."""

    order: Order
    event: Event | None
    outcome: Outcome
    heads: tuple[int, ...] = ()


@dataclass(frozen=True)
class Filled:
    """What a person filled in to be let through a gate. fields: what the order says → what it is to say."""

    fields: Callable[[OrderFields], OrderFields]
    comment: str = ""


def move(
    session: Session, actor: Actor, order_id: int, *, status_id: int, before: str, version: int, key: str = "", filled: Filled | None = None
) -> Moved:
    """Moves an order before another card of a status (`before`: see ranks). Within its status only the rank changes.

    Raises NotFound, Forbidden, Invalid, Lacking where the gate of the status asks for more, and Conflict where `version` is stale
    (someone else was first) or the status takes no more.
    """
    require_write(actor)
    order = find_order(session, order_id)
    first = repeated(session, order_id, actor, key)
    if first is not None:
        return Moved(order, first, listeners.outcome_of(session, first), _heads_of(first))
    if order.status_id == status_id:
        require_fresh(session, order, version)
        if not order.status.is_over:  # there the newest stand first, whatever the hand says
            order.rank = rank_before(session, order.status, before, order.id)
        publish(session, f"card-{order.id}")  # a change of rank is no event; other browsers still put the card in its place
        return Moved(order, None, Outcome())
    status = require_entry(session, actor, order, find_status(session, status_id))
    require_fresh(session, order, version)
    written = write(session, order, filled.fields(fields_of(order))) if filled else None
    require_gate(session, order, actor, status)
    left = order.status
    recorded = carry(session, actor, order, status, before=before, key=key)
    outcome = recorded.outcome
    because = replace(actor, cause=Cause(recorded.event.id, None))
    if written is not None:
        outcome += record_change(session, because, order, written).outcome
    if filled is not None and filled.comment:
        said = comment(session, because, order.id, filled.comment)[1]
        outcome += said.outcome if said else Outcome()
    heads = dict.fromkeys((left.id, status.id, order.status_id))  # a rule may have moved it on
    return Moved(order, recorded.event, outcome, tuple(heads))


def require_entry(session: Session, actor: Actor, order: Order, status: Status | None) -> Status:
    """The status, if this person may move the order there and it takes one more. Raises Invalid, Forbidden, Conflict."""
    status = require_path(order, status)
    if actor.access != "admin":  # nobody stands in an administrator's way, so nothing is asked
        require_move_into(actor, columns_by_id(session, [status.id])[status.id])
    require_room(session, order, status)
    return status


def carry(
    session: Session,
    actor: Actor,
    order: Order,
    status: Status,
    *,
    before: str,
    key: str = "",
    undoes: Event | None = None,
    quiet: bool = False,
) -> Recorded:
    """Puts the order into the status and records it. The caller has asked for permission, gate and room."""
    left = order.status
    stood = {"status": named(left), "rank": order.rank, "entered_at": order.entered_at.isoformat()}
    rank = rank_before(session, status, before, order.id)
    carry_head(session, left.id, status.id, order.total)
    order.status, order.status_id, order.rank = status, status.id, rank
    order.entered_at = clock.now()
    order.version += 1
    session.flush()
    links = linked(session, order)
    is_turn = left.is_over != status.is_over
    turned = listeners.topics_of_turn(session, [order.id, *(link.id for link in links)]) if is_turn else ()
    return record(
        session,
        order,
        "order.moved",
        actor,
        facts=snapshot(order, actor, before=left, after=status, linked=links, was={"status_after": reference(left)}),
        before=stood,
        after={"status": named(status)},
        key=key,
        undoes=undoes,
        quiet=quiet,
        topics=(f"head-{left.id}", f"head-{status.id}", *link_topics(links), *turned),
    )


def _heads_of(event: Event) -> tuple[int, ...]:
    return tuple(side["status"]["id"] for side in (event.before, event.after) if "status" in side)
