"""Marking an order as blocked: nobody can go on with it, and why."""

from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.errors import Invalid
from kanban.events import Recorded, record
from kanban.i18n import _
from kanban.models import Order
from kanban.orders.find import find_order, linked
from kanban.orders.place import repeated
from kanban.policy import require_write
from kanban.snapshot import snapshot

MOST_REASON = 200


def block(session: Session, actor: Actor, order_id: int, reason: str, *, key: str = "") -> tuple[Order, Recorded | None]:
    """With another reason than before it is blocked anew. Raises NotFound, Forbidden, Invalid, Conflict."""
    if not reason:
        raise Invalid(_("Enter what stands in the way."), "reason")
    if len(reason) > MOST_REASON:
        raise Invalid(_("This is too long: at most %(most)s characters.", most=MOST_REASON), "reason")
    return _write(session, actor, order_id, "order.blocked", reason, key)


def unblock(session: Session, actor: Actor, order_id: int, *, key: str = "") -> tuple[Order, Recorded | None]:
    """Raises NotFound, Forbidden, Conflict."""
    return _write(session, actor, order_id, "order.unblocked", "", key)


def _write(session: Session, actor: Actor, order_id: int, kind: str, reason: str, key: str) -> tuple[Order, Recorded | None]:
    """Nothing is recorded where nothing differs."""
    require_write(actor)
    order = find_order(session, order_id)
    before = order.blocked
    if repeated(session, order_id, actor, key) is not None or before == reason:
        return order, None
    order.blocked = reason
    order.version += 1
    links = linked(session, order)
    recorded = record(
        session,
        order,
        kind,
        actor,
        facts=snapshot(order, actor, before=order.status, after=order.status, linked=links, was={"blocked": before}),
        before={"blocked": before},
        after={"blocked": reason},
        key=key,
    )
    return order, recorded
