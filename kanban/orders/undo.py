"""Taking back a move, or the placing of an order."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.errors import Conflict, Forbidden, Invalid
from kanban.events import NOBODY, Outcome, Recorded, Undone, listeners
from kanban.facts import read_facts
from kanban.fields import FieldType, FieldValue, catalogue_of
from kanban.i18n import _
from kanban.models import Event, Order, Organisation, Person, Role, Status
from kanban.orders.change import record_change, write
from kanban.orders.fields import OrderFields, fields_of, values_of
from kanban.orders.find import find_order, find_status
from kanban.orders.gates import require_gate
from kanban.orders.move import carry, require_entry
from kanban.orders.ranks import rank_before
from kanban.orders.removal import take_away
from kanban.policy import require_write


@dataclass(frozen=True)
class Undoing:
    """undone.gone: messages had left already, so this was an ordinary move back, with rules. stays: numbers of the orders that rules
    had made because of the move. removed: it was the placing of the order that was taken back."""

    order: Order
    event: Event
    outcome: Outcome
    undone: Undone
    heads: tuple[int, ...]
    stays: tuple[str, ...] = ()
    removed: bool = False


def undo(session: Session, actor: Actor, order_id: int, event_id: int) -> Undoing:
    """Takes a move back, and with it, the newest first, the moves and the changes of fields that came with it or that rules made because
    of it: each order returns to its status, its place and its age there. What somebody has changed since stays. A comment stays, too.

    If nothing any of them caused was claimed or sent, the messages are cancelled and no rules fire. Else it is an ordinary move, and
    obeys gates and limits. Raises Conflict where something else happened since, or the status is gone.
    """
    require_write(actor)
    order = find_order(session, order_id)
    event = session.get(Event, event_id, populate_existing=True)
    if event is None or event.order_id != order.id or event.kind not in ("order.moved", "order.placed"):
        raise Invalid(_("This can't be undone."), "event")
    caused = _caused_by(session, event)
    _require_nothing_since(session, order, event, {one.id for one in caused})
    taken = [one for one in caused if one.kind != "order.commented" or one.cause_rule_id is not None] + [event]
    answers = [listeners.on_undo(session, one) for one in taken]
    undone = Undone(sum((one.cancelled for one in answers), NOBODY), sum((one.gone for one in answers), NOBODY))
    listeners.after_undo(session, [one.id for one in taken])
    made = [one.order_id for one in caused if one.kind == "order.placed"]
    stays = tuple(session.scalars(select(Order.number).where(Order.id.in_(made)).order_by(Order.id))) if made else ()
    if event.kind == "order.placed":
        return _undo_placing(session, actor, order, event, undone, stays)
    quiet = undone.gone.count == 0
    heads, outcome = _undo_caused(session, actor, caused, quiet=quiet)
    recorded, own_heads = _take_back(session, actor, event, quiet=quiet)
    return Undoing(order, recorded.event, recorded.outcome + outcome, undone, tuple(dict.fromkeys([*own_heads, *heads])), stays)


def _undo_placing(session: Session, actor: Actor, order: Order, event: Event, undone: Undone, stays: tuple[str, ...]) -> Undoing:
    """Whoever placed it, and administrators."""
    if actor.access != "admin" and event.actor_id != actor.id:
        raise Forbidden(_("Only an administrator and whoever placed %(number)s can take it back.", number=order.number))
    recorded = take_away(session, actor, order, undoes=event)
    return Undoing(order, recorded.event, Outcome(), undone, (order.status_id,), stays, removed=True)


def _caused_by(session: Session, event: Event) -> list[Event]:
    """What came with it and what rules did because of it, on whatever order, the newest first."""
    found: dict[int, Event] = {}
    newest = [event.id]
    while newest:
        rows = session.scalars(select(Event).where(Event.cause_event_id.in_(newest)).execution_options(populate_existing=True)).all()
        newest = [one.id for one in rows if one.id not in found]
        found |= {one.id: one for one in rows}
    return sorted(found.values(), key=lambda one: -one.id)


def _require_nothing_since(session: Session, order: Order, event: Event, caused: set[int]) -> None:
    """But for comments: they stand in nobody's way."""
    since = (Event.order_id == order.id, Event.id > event.id, Event.kind != "order.commented")
    later = session.scalars(select(Event).where(*since).order_by(Event.id.desc()).limit(50)).all()
    if any(one.undoes_id == event.id for one in later):
        raise Conflict(_("This has already been undone."), order)
    if event.undoes_id is not None or any(one.id not in caused for one in later):
        raise Conflict(_("%(number)s has changed since then, so this move can't be undone.", number=order.number), order)


def _undo_caused(session: Session, actor: Actor, caused: list[Event], *, quiet: bool) -> tuple[list[int], Outcome]:
    """(the statuses whose counts changed, the messages of it)."""
    heads: list[int] = []
    outcome = Outcome()
    for event in caused:
        if event.kind == "order.moved" and _stands_there(session, event):
            heads += _take_back(session, actor, event, quiet=True)[1]
        elif event.kind == "order.changed":
            recorded = _take_fields_back(session, actor, event, quiet=quiet)
            outcome += recorded.outcome if recorded else Outcome()
            heads += [find_order(session, event.order_id).status_id] if recorded else []
    return heads, outcome


def _stands_there(session: Session, event: Event) -> bool:
    """Whether its order is still where the move put it; somebody may have moved it on, or taken that move back by itself."""
    order = session.get_one(Order, event.order_id)
    return order.removed_at is None and bool(find_order(session, event.order_id).status_id == event.after["status"]["id"])


def _take_back(session: Session, actor: Actor, event: Event, *, quiet: bool) -> tuple[Recorded, tuple[int, ...]]:
    order = find_order(session, event.order_id)
    status = find_status(session, event.before["status"]["id"])
    if status is None:
        raise Conflict(_("The status “%(status)s” no longer exists.", status=event.before["status"]["name"]), order)
    left = order.status_id
    is_own = event.actor_id == actor.id or event.cause_rule_id is not None
    if not (quiet and is_own):  # a slip of one's own needs no permission to mend; all else is a move
        require_entry(session, actor, order, status)
    if not quiet:
        require_gate(session, order, actor, status)
    recorded = carry(session, actor, order, status, before="", undoes=event, quiet=quiet)
    order.rank = _free_rank(session, order, status, event.before["rank"])
    if quiet:
        order.entered_at = datetime.fromisoformat(event.before["entered_at"])
    return recorded, (left, status.id)


def _free_rank(session: Session, order: Order, status: Status, rank: str) -> str:
    """The old rank; where another card has got the same one meanwhile, one just before that card."""
    other = session.scalar(select(Order.id).where(Order.status_id == status.id, Order.rank == rank, Order.id != order.id).limit(1))
    return rank if other is None else rank_before(session, status, str(other), order.id)


def _take_fields_back(session: Session, actor: Actor, event: Event, *, quiet: bool) -> Recorded | None:
    """Each field that still says what the event wrote."""
    if session.get_one(Order, event.order_id).removed_at is not None:
        return None
    order = find_order(session, event.order_id)
    written = write(session, order, _before(session, event, order))
    return record_change(session, actor, order, written, undoes=event, quiet=quiet) if written else None


def _before(session: Session, event: Event, order: Order) -> OrderFields:
    """The order's fields as they were before the event. What it pointed at then and is gone stays empty."""
    now, fields = values_of(order), fields_of(order)
    old = {name: value for name, value in event.before.items() if name in now and now[name] == event.after.get(name)}
    columns = {column.name: _value(column.type, old[column.name]) for column in catalogue_of(order.board_id).columns if column.name in old}
    fields = fields.with_values(**columns)
    names = {"customer": "customer_name", "phone": "customer_phone", "email": "customer_email", "tags": "tags"}
    fields = replace(fields, **{names[name]: value for name, value in old.items() if name in names})
    if "organisation" in old:
        fields = replace(fields, organisation_id=_existing(session, Organisation, old["organisation"]))
    if "responsible" in old:
        fields = replace(fields, responsible_id=_existing(session, Person, old["responsible"]))
    return replace(fields, people=_people_before(session, event, fields))


def _value(kind: FieldType, value: object) -> FieldValue:
    """As history keeps it → as the column has it."""
    if kind is FieldType.DATE and isinstance(value, str):
        return date.fromisoformat(value)
    return value if isinstance(value, str | int) else None


def _existing(session: Session, model: type[Organisation | Person | Role], kept: object) -> int | None:
    id_ = kept.get("id") if isinstance(kept, dict) else kept
    return id_ if isinstance(id_, int) and session.get(model, id_) is not None else None


def _people_before(session: Session, event: Event, fields: OrderFields) -> dict[int, int]:
    """Who filled the roles: history keeps their names, the facts who they were."""
    facts = read_facts(event.facts)
    people, after = dict(fields.people), facts.people or {}
    for name, was in (facts.was or {}).items():
        role = int(name[5:]) if name.startswith("role:") and name[5:].isdecimal() else None
        if role is None or session.get(Role, role) is None or people.get(role) != after.get(str(role)):
            continue
        person = _existing(session, Person, was)
        if person is None:
            people.pop(role, None)
        else:
            people[role] = person
    return people
