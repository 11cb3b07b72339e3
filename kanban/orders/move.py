"""Moving an order: into another status, or to another place in its column."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.actor import Actor
from kanban.columns import columns_by_id
from kanban.errors import Conflict
from kanban.events import Outcome, Recorded, listeners, record
from kanban.flow import require_path
from kanban.i18n import _
from kanban.live import publish
from kanban.models import Event, Order, Status
from kanban.orders.find import find_order, find_status, linked
from kanban.orders.place import link_topics, named, repeated
from kanban.orders.ranks import rank_before
from kanban.orders.statuses import carry_head
from kanban.policy import require_move_into, require_write
from kanban.snapshot import reference, snapshot


@dataclass(frozen=True)
class Moved:
    """event is None where only the place in the column changed. heads: the statuses whose counts changed."""

    order: Order
    event: Event | None
    outcome: Outcome
    heads: tuple[int, ...] = ()


def move(session: Session, actor: Actor, order_id: int, *, status_id: int, before: str, version: int, key: str = "") -> Moved:
    """Moves an order before another card of a status (`before`: see ranks). Within its status only the rank changes.

    Raises NotFound, Forbidden, Invalid, and Conflict where `version` is stale: someone else was first.
    """
    require_write(actor)
    order = find_order(session, order_id)
    first = repeated(session, order_id, actor, key)
    if first is not None:
        return Moved(order, first, listeners.outcome_of(session, first), _heads_of(first))
    if order.status_id == status_id:
        if order.version != version:
            raise Conflict(who_was_first(session, order), order)
        if not order.status.is_over:  # there the newest stand first, whatever the hand says
            order.rank = rank_before(session, order.status, before, order.id)
        publish(session, f"card-{order.id}")  # a change of rank is no event; other browsers still put the card in its place
        return Moved(order, None, Outcome())
    status = require_path(order, find_status(session, status_id))
    if actor.access != "admin":  # nothing stands in an administrator's way, so nothing is asked
        require_move_into(actor, columns_by_id(session, [status.id])[status.id])
    if order.version != version:
        raise Conflict(who_was_first(session, order), order)
    left = order.status
    recorded = carry(session, actor, order, status, before=before, key=key)
    heads = dict.fromkeys((left.id, status.id, order.status_id))  # a rule may have moved it on
    return Moved(order, recorded.event, recorded.outcome, tuple(heads))


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
    """Puts the order into the status and records it. The caller has asked for permission."""
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


def who_was_first(session: Session, order: Order) -> str:
    """«К-0383 уже переместила Ирина Ким: теперь в «Установка»», said without a gender."""
    last = session.scalar(select(Event).where(Event.order_id == order.id).order_by(Event.id.desc()).limit(1))
    name = last.actor_name if last else ""
    if last is not None and last.kind == "order.moved":
        return _(
            "%(name)s moved %(number)s a moment before you, and it is now in “%(status)s”.",
            number=order.number,
            name=name,
            status=order.status.name,
        )
    return _("%(name)s changed %(number)s a moment before you. Check it and try again.", number=order.number, name=name)


def _heads_of(event: Event) -> tuple[int, ...]:
    return tuple(side["status"]["id"] for side in (event.before, event.after) if "status" in side)
