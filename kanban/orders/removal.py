"""Removing an order, and restoring it: nothing is deleted, its number is never used again."""

from datetime import timedelta

from sqlalchemy.orm import Session

from kanban import clock
from kanban.actor import Actor
from kanban.errors import Conflict
from kanban.events import Recorded, listeners, record
from kanban.i18n import _
from kanban.models import Event, Order
from kanban.orders.find import find_order, linked, require_there
from kanban.orders.place import link_topics, named, repeated
from kanban.orders.ranks import rank_before
from kanban.orders.stale import require_fresh
from kanban.orders.statuses import add_to_head
from kanban.policy import require_admin
from kanban.snapshot import snapshot

RESTORABLE = timedelta(days=30)


def remove(session: Session, actor: Actor, order_id: int, *, version: int, key: str = "") -> Recorded:
    """It leaves its board, lists and counts; its messages that still wait are cancelled, its to-dos rest, and no rule hears of it.
    Orders made from it stay. Raises NotFound, Forbidden, Conflict."""
    require_admin(actor)
    order = find_order(session, order_id, removed=True)
    first = repeated(session, order_id, actor, key)
    if first is not None:
        return Recorded(first, listeners.outcome_of(session, first))
    require_there(order)
    require_fresh(session, order, version)
    return take_away(session, actor, order, key=key)


def take_away(session: Session, actor: Actor, order: Order, *, key: str = "", undoes: Event | None = None) -> Recorded:
    """The change itself, and what was still to be sent about it; who calls it has asked for permission."""
    listeners.on_removal(session, order.id)
    order.removed_at = clock.now()
    order.version += 1
    add_to_head(session, order.status_id, -1, -order.total)
    return _record(session, actor, order, "order.removed", key=key, undoes=undoes)


def restore(session: Session, actor: Actor, order_id: int) -> Recorded:
    """Back to the top of its status. Raises NotFound, Forbidden, Conflict where it is not removed, or was too long ago."""
    require_admin(actor)
    order = find_order(session, order_id, removed=True)
    if order.removed_at is None:
        raise Conflict(_("%(number)s has already been restored.", number=order.number), order)
    if not is_restorable(order):
        raise Conflict(_("An order can be restored within %(days)s days of its removal.", days=RESTORABLE.days))
    order.rank = rank_before(session, order.status, "", order.id)
    order.removed_at = None
    order.version += 1
    add_to_head(session, order.status_id, 1, order.total)
    return _record(session, actor, order, "order.restored")


def is_restorable(order: Order) -> bool:
    return order.removed_at is not None and order.removed_at > clock.now() - RESTORABLE


def _record(session: Session, actor: Actor, order: Order, kind: str, *, key: str = "", undoes: Event | None = None) -> Recorded:
    session.flush()
    links = linked(session, order)
    turned = listeners.topics_of_turn(session, [order.id, *(link.id for link in links)])
    return record(
        session,
        order,
        kind,
        actor,
        facts=snapshot(order, actor, before=order.status, after=order.status, linked=links),
        after={"status": named(order.status)},
        key=key,
        undoes=undoes,
        quiet=True,
        topics=(f"head-{order.status_id}", *link_topics(links), *turned),
    )
