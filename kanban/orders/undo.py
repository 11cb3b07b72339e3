"""Taking a move back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.columns import columns_by_id
from kanban.errors import Conflict, Invalid
from kanban.events import Outcome, Undone, listeners
from kanban.i18n import _
from kanban.models import Event, Order, Status
from kanban.orders.find import find_order, find_status
from kanban.orders.move import carry
from kanban.orders.ranks import rank_before
from kanban.policy import require_move_into, require_write


@dataclass(frozen=True)
class Undoing:
    """undone.gone > 0: letters had left already, so this was an ordinary move back, with rules."""

    order: Order
    event: Event
    outcome: Outcome
    undone: Undone
    heads: tuple[int, ...]


def undo(session: Session, actor: Actor, order_id: int, event_id: int) -> Undoing:
    """Takes a move back: the order returns to its status, its place and its age there.

    If nothing the event caused was claimed or sent, its letters are cancelled and no rules fire. Else it is an ordinary
    move. Raises Conflict where something happened since, or the status is gone.
    """
    require_write(actor)
    order = find_order(session, order_id)
    event = session.get(Event, event_id, populate_existing=True)
    if event is None or event.order_id != order.id or event.kind != "order.moved":
        raise Invalid(_("This can't be undone."), "event")
    later = session.scalar(select(Event).where(Event.order_id == order.id, Event.id > event.id).order_by(Event.id.desc()).limit(1))
    if later is not None and later.undoes_id == event.id:
        raise Conflict(_("This was undone already."), order)
    if later is not None or event.undoes_id is not None:
        raise Conflict(_("%(number)s has changed since, so this move can't be undone.", number=order.number), order)
    status = find_status(session, event.before["status"]["id"])
    if status is None:
        raise Conflict(_("The status “%(status)s” no longer exists.", status=event.before["status"]["name"]), order)
    left = order.status_id
    undone = listeners.on_undo(session, event)
    quiet = undone.gone == 0
    if not (quiet and event.actor_id == actor.id):  # a slip of one's own needs no permission to mend; all else is a move
        require_move_into(actor, columns_by_id(session, [status.id])[status.id])
    recorded = carry(session, actor, order, status, before="", undoes=event, quiet=quiet)
    order.rank = _free_rank(session, order, status, event.before["rank"])
    if quiet:
        order.entered_at = datetime.fromisoformat(event.before["entered_at"])
    return Undoing(order, recorded.event, recorded.outcome, undone, (left, status.id))


def _free_rank(session: Session, order: Order, status: Status, rank: str) -> str:
    """The old rank; where another card has got the same one meanwhile, one just before that card."""
    other = session.scalar(select(Order.id).where(Order.status_id == status.id, Order.rank == rank, Order.id != order.id).limit(1))
    return rank if other is None else rank_before(session, status, str(other), order.id)
