"""An event that did not happen: an order, and what would be done to it, as the facts that a rule would judge. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, exists, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from kanban import clock, facts, orders
from kanban.actor import Actor
from kanban.errors import Invalid
from kanban.fold import fold
from kanban.i18n import _
from kanban.models import Event, Order, Status
from kanban.orders.place import named
from kanban.queries.sought import folded
from rules.evaluator import LIST, OF_TIME
from rules.fields import RuleFields

KIND_OF = {"placed": "order.placed", "entered": "order.moved", "left": "order.moved", "changed": "order.moved", "field": "order.changed",
           "paid": "order.changed", "commented": "order.commented", "linked": "order.linked", "all_linked": "order.linked",
           "hand": "order.asked"} | dict.fromkeys((*OF_TIME, LIST), "order.due")  # fmt: skip


@dataclass(frozen=True)
class Imagined:
    """other: the status on the other side of the move, None for the likely one, 0 for «just placed». was: what stood before in
    the field that changes, or what was paid before, as facts keep it."""

    other: int | None = None
    was: Any = None


def find_fitting(session: Session, fields: RuleFields, number: str) -> Order:
    """The order of this number, whole or a part of it; without one, the newest that fits the trigger. Raises Invalid."""
    query = _orders(fields.board_id)
    if number:
        wanted = fold(number.strip())
        same, like = folded(Order.number) == wanted, folded(Order.number).contains(wanted, autoescape=True)
        order = session.scalar(query.where(like).order_by(case((same, 0), else_=1), Order.id.desc()).limit(1))
        if order is None:
            raise Invalid(_("There is no order “%(number)s” on this board.", number=number), "order")
        return order
    other = aliased(Order)
    fits = {
        "entered": Order.status_id == fields.status_id,
        "left": Order.status_id == fields.status_id,
        "linked": exists().where((other.source_id == Order.id) | (other.id == Order.source_id)),
        "all_linked": exists().where(other.source_id == Order.id),
    }.get(fields.trigger)
    order = session.scalar(query.where(fits).order_by(Order.id.desc()).limit(1)) if fits is not None else None
    order = order or session.scalar(query.order_by(Order.id.desc()).limit(1))
    if order is None:
        raise Invalid(_("There is no order on this board yet."), "order")
    return order


def _orders(board_id: int) -> Select[Order]:
    return (
        select(Order)
        .where(Order.board_id == board_id)
        .options(
            joinedload(Order.board, innerjoin=True), joinedload(Order.status, innerjoin=True), joinedload(Order.customer, innerjoin=True),
            joinedload(Order.organisation), joinedload(Order.responsible), joinedload(Order.author), selectinload(Order.people),
        )
    )  # fmt: skip


def event_of(session: Session, rule_id: int, fields: RuleFields, order: Order, imagined: Imagined, actor: Actor,
             statuses: Sequence[Status]) -> Event:  # fmt: skip
    """statuses: of the order's board, in their order. The event has no number, and is in no session."""
    trigger, kind = fields.trigger, KIND_OF[fields.trigger]
    before, after = _sides(fields, order, imagined.other, statuses)
    if trigger == "entered" and before is None:
        kind = "order.placed"
    links = orders.linked(session, order)
    more: dict[str, Any] = {"rule": rule_id} if kind in ("order.asked", "order.due") else {}
    if kind == "order.linked":
        more = {"linked_by": _linked_by(session, fields, links)}
    known = facts.snapshot(order, actor, before=before, after=after, linked=links, was=_was(fields, order, imagined, before)) | more
    moved = kind in ("order.moved", "order.placed")
    return Event(
        id=0, kind=kind, board_id=order.board_id, order_id=order.id, actor_id=actor.id, actor_name=actor.name, at=clock.now(),
        before={"status": named(before)} if moved and before is not None else {}, after={"status": named(after)} if moved else {},
        facts=known,
    )  # fmt: skip


def _sides(fields: RuleFields, order: Order, other: int | None, statuses: Sequence[Status]) -> tuple[Status | None, Status]:
    """(status before, status after). The likely other side of a move is the neighbour on the board."""
    by_id = {status.id: status for status in statuses}
    here = order.status
    if fields.trigger == "placed":
        return None, here
    if fields.trigger == "entered":
        after = by_id[fields.status_id or 0]
        if other == 0:
            return None, after
        likely = here if here.id != after.id else _neighbour(statuses, after, -1)
        return by_id.get(other or 0, likely), after
    if fields.trigger == "left":
        before = by_id[fields.status_id or 0]
        return before, by_id.get(other or 0, _neighbour(statuses, before, 1))
    if fields.trigger == "changed":
        return here, by_id.get(other or 0, _neighbour(statuses, here, 1))
    return here, here


def _neighbour(statuses: Sequence[Status], status: Status, step: int) -> Status:
    place = [one.id for one in statuses].index(status.id)
    there = place + step if 0 <= place + step < len(statuses) else place - step
    return statuses[there] if 0 <= there < len(statuses) else status


def _was(fields: RuleFields, order: Order, imagined: Imagined, before: Status | None) -> dict[str, Any]:
    if fields.trigger in ("entered", "left", "changed") and before is not None:
        return {"status_after": facts.reference(before)}
    if fields.trigger == "field":
        return {str(fields.options.get("field")): imagined.was}
    if fields.trigger == "paid":
        paid = imagined.was or 0
        return {"paid": paid, "paid_percent": facts.percent(paid, order.total)}
    return {}


def _linked_by(session: Session, fields: RuleFields, links: list[dict[str, Any]]) -> dict[str, Any]:
    """The linked order that is imagined to come into the status, among those there are; its summary is brought up to that."""
    if fields.trigger == "all_linked":
        one = next((link for link in links if not link["is_source"]), None)
        return {"order": one["id"], "number": one["number"], "status": one["status"]["id"], "phase": fields.options["phase"]} if one else {}
    status = session.get(Status, fields.status_id or 0)
    one = next((link for link in links if status is not None and link["board"] == status.board_id), None)
    if one is None or status is None:
        return {}
    one["status"] = {"id": status.id, "name": status.name, "phase": status.phase}
    one["fields"]["status"] = {"id": status.id, "name": status.name}
    return {"order": one["id"], "number": one["number"], "status": status.id, "phase": status.phase}
