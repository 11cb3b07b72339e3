"""Taking a move back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.columns import columns_by_id
from kanban.errors import Conflict, Invalid
from kanban.events import NOBODY, Outcome, Recorded, Undone, listeners
from kanban.i18n import _
from kanban.models import Event, Order, Status
from kanban.orders.find import find_order, find_status
from kanban.orders.move import carry
from kanban.orders.ranks import rank_before
from kanban.policy import require_move_into, require_write


@dataclass(frozen=True)
class Undoing:
    """undone.gone: messages had left already, so this was an ordinary move back, with rules. stays: numbers of the orders that rules
    had made because of the move."""

    order: Order
    event: Event
    outcome: Outcome
    undone: Undone
    heads: tuple[int, ...]
    stays: tuple[str, ...] = ()


def undo(session: Session, actor: Actor, order_id: int, event_id: int) -> Undoing:
    """Takes a move back, and with it, the newest first, the moves that rules made because of it: each order returns to its
    status, its place and its age there. An order that somebody has moved since stays where it is.

    If nothing any of them caused was claimed or sent, the messages are cancelled and no rules fire. Else it is an ordinary
    move. Raises Conflict where something else happened since, or the status is gone.
    """
    require_write(actor)
    order = find_order(session, order_id)
    event = session.get(Event, event_id, populate_existing=True)
    if event is None or event.order_id != order.id or event.kind != "order.moved":
        raise Invalid(_("This can't be undone."), "event")
    caused = _caused_by(session, event)
    _require_nothing_since(session, order, event, {one.id for one in caused})
    answers = [listeners.on_undo(session, one) for one in [*caused, event]]
    undone = Undone(sum((one.cancelled for one in answers), NOBODY), sum((one.gone for one in answers), NOBODY))
    listeners.after_undo(session, [one.id for one in [*caused, event]])
    heads: list[int] = []
    for one in caused:
        if one.kind == "order.moved" and _stands_there(session, one):
            heads += _take_back(session, actor, one, quiet=True)[1]
    recorded, own_heads = _take_back(session, actor, event, quiet=undone.gone.count == 0)
    made = [one.order_id for one in caused if one.kind == "order.placed"]
    stays = tuple(session.scalars(select(Order.number).where(Order.id.in_(made)).order_by(Order.id))) if made else ()
    return Undoing(order, recorded.event, recorded.outcome, undone, tuple(dict.fromkeys([*own_heads, *heads])), stays)


def _caused_by(session: Session, event: Event) -> list[Event]:
    """What rules did because of it, on whatever order, the newest first."""
    found: dict[int, Event] = {}
    newest = [event.id]
    while newest:
        rows = session.scalars(select(Event).where(Event.cause_event_id.in_(newest)).execution_options(populate_existing=True)).all()
        newest = [one.id for one in rows if one.id not in found]
        found |= {one.id: one for one in rows}
    return sorted(found.values(), key=lambda one: -one.id)


def _require_nothing_since(session: Session, order: Order, event: Event, caused: set[int]) -> None:
    later = session.scalars(select(Event).where(Event.order_id == order.id, Event.id > event.id).order_by(Event.id.desc()).limit(50)).all()
    if any(one.undoes_id == event.id for one in later):
        raise Conflict(_("This has already been undone."), order)
    if event.undoes_id is not None or any(one.id not in caused for one in later):
        raise Conflict(_("%(number)s has changed since then, so this move can't be undone.", number=order.number), order)


def _stands_there(session: Session, event: Event) -> bool:
    """Whether its order is still where the move put it; somebody may have moved it on, or taken that move back by itself."""
    return bool(find_order(session, event.order_id).status_id == event.after["status"]["id"])


def _take_back(session: Session, actor: Actor, event: Event, *, quiet: bool) -> tuple[Recorded, tuple[int, ...]]:
    order = find_order(session, event.order_id)
    status = find_status(session, event.before["status"]["id"])
    if status is None:
        raise Conflict(_("The status “%(status)s” no longer exists.", status=event.before["status"]["name"]), order)
    left = order.status_id
    is_own = event.actor_id == actor.id or event.cause_rule_id is not None
    if not (quiet and is_own):  # a slip of one's own needs no permission to mend; all else is a move
        require_move_into(actor, columns_by_id(session, [status.id])[status.id])
    recorded = carry(session, actor, order, status, before="", undoes=event, quiet=quiet)
    order.rank = _free_rank(session, order, status, event.before["rank"])
    if quiet:
        order.entered_at = datetime.fromisoformat(event.before["entered_at"])
    return recorded, (left, status.id)


def _free_rank(session: Session, order: Order, status: Status, rank: str) -> str:
    """The old rank; where another card has got the same one meanwhile, one just before that card."""
    other = session.scalar(select(Order.id).where(Order.status_id == status.id, Order.rank == rank, Order.id != order.id).limit(1))
    return rank if other is None else rank_before(session, status, str(other), order.id)
