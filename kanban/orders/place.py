"""Placing an order, and making a production order from a customer order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban import clock
from kanban.actor import Actor
from kanban.errors import Conflict, Invalid
from kanban.events import Recorded, listeners, record
from kanban.facts import LinkedOrder
from kanban.fields import catalogue_of
from kanban.i18n import _
from kanban.models import Board, Customer, Event, Order, OrderPerson, Organisation, Person, Role, Status
from kanban.orders.fields import OrderFields, fields_of, search_text
from kanban.orders.find import find_order, linked
from kanban.orders.ranks import rank_before
from kanban.orders.statuses import add_to_head
from kanban.policy import require_write
from kanban.snapshot import snapshot

_Thing = TypeVar("_Thing", Organisation, Person, Role)


@dataclass(frozen=True)
class Placed:
    order: Order
    recorded: Recorded


def place(session: Session, actor: Actor, board_id: int, fields: OrderFields, *, key: str = "", source: Order | None = None) -> Placed:
    """Puts a new order at the top of the board's first status; asked again with the same key, gives the first answer.

    Raises Forbidden, Invalid, Conflict.
    """
    require_write(actor)
    board = session.get(Board, board_id, with_for_update={"key_share": True}, populate_existing=True)
    first = _placed_before(session, actor, key)
    if first is not None:
        return first
    if board is None:
        raise Invalid(_("This board no longer exists."), "board")
    status = session.scalar(select(Status).where(Status.board_id == board.id).order_by(Status.position, Status.id).limit(1))
    if status is None:
        raise Invalid(_("This board has no statuses yet. An administrator can add them in the settings."), "board")
    order = Order(
        board=board,
        status=status,
        number=_next_number(board),
        author=_author(session, actor, source),
        entered_at=clock.now(),
        rank=rank_before(session, status, ""),
        source_id=source.id if source else None,
        customer=source.customer if source else Customer(name=fields.customer_name),
    )
    write_fields(session, order, fields)
    session.add(order)
    add_to_head(session, status.id, 1, order.total)
    session.flush()
    links = linked(session, order)
    recorded = record(
        session,
        order,
        "order.placed",
        actor,
        facts=snapshot(order, actor, before=None, after=status, linked=links),
        after={"status": named(status)},
        key=key,
        topics=(f"head-{status.id}", *link_topics(links)),
    )
    return Placed(order, recorded)


def make_production(session: Session, actor: Actor, order_id: int, *, key: str = "") -> Placed:
    """Makes a production order from a customer order, with its customer, dates, text and people by role.

    Raises Conflict where there is one already, Invalid where no board is made from this one.
    """
    require_write(actor)
    order = find_order(session, order_id)
    first = _placed_before(session, actor, key)
    if first is not None:
        return first
    board = session.scalar(select(Board).where(Board.source_id == order.board_id).order_by(Board.position).limit(1))
    if board is None:
        raise Invalid(_("No board creates its orders from this one."), "board")
    existing = session.scalar(
        select(Order)
        .where(Order.source_id == order.id, Order.board_id == board.id, Order.removed_at.is_(None))
        .options(joinedload(Order.status))
        .limit(1)
    )
    if existing is not None:
        raise Conflict(_("%(number)s has already been created from this order.", number=existing.number), existing)
    return place(session, actor, board.id, fields_of(order).with_values(order_on=clock.today()), key=key, source=order)


def _author(session: Session, actor: Actor, source: Order | None) -> Person | None:
    """Who places it; where a rule makes it from another order, who placed that."""
    return session.get(Person, actor.id) if actor.id else source.author if source else None


def _placed_before(session: Session, actor: Actor, key: str) -> Placed | None:
    event = repeated(session, None, actor, key)
    if event is None:
        return None
    if event.kind != "order.placed" or event.order_id is None:
        raise Conflict(_("This request has already been used for something else. Reload the page and try again."))
    return Placed(find_order(session, event.order_id), Recorded(event, listeners.outcome_of(session, event)))


def write_fields(session: Session, order: Order, fields: OrderFields) -> None:
    """Writes the fields into the order. Raises Invalid where an organisation or a person is not there (any more)."""
    for column in catalogue_of(order.board_id or order.board.id).columns:
        setattr(order, column.name, fields.values.get(column.name, column.empty))
    order.tags = list(fields.tags)
    order.customer.name = fields.customer_name
    order.customer.phone = fields.customer_phone
    order.customer.email = fields.customer_email
    order.organisation = _found(session, Organisation, fields.organisation_id, "organisation_id")
    order.organisation_id = fields.organisation_id
    order.responsible = _found(session, Person, fields.responsible_id, "responsible_id")
    order.responsible_id = fields.responsible_id
    wanted = fields.people
    for role_id, person_id in wanted.items():
        _found(session, Role, role_id, "people")
        _found(session, Person, person_id, "people")
    kept = [one for one in order.people if wanted.get(one.role_id) == one.person_id]
    have = {one.role_id for one in kept}
    order.people = kept + [OrderPerson(role_id=role, person_id=who) for role, who in wanted.items() if role not in have]
    order.search = search_text(order)


def _found(session: Session, model: type[_Thing], id_: int | None, field: str) -> _Thing | None:
    if id_ is None:
        return None
    thing = session.get(model, id_)
    if thing is None:
        raise Invalid(_("This choice no longer exists."), field)
    return thing


def _next_number(board: Board) -> str:
    number = f"{board.prefix}{board.next_number:04d}"
    board.next_number += 1
    return number


def named(status: Status) -> dict[str, object]:
    """A status as history keeps it."""
    return {"id": status.id, "name": status.name, "tone": status.tone}


def link_topics(links: Iterable[LinkedOrder]) -> tuple[str, ...]:
    """Linked orders show this one on their cards and pages, so those are out of date too."""
    return tuple(topic for link in links for topic in (f"card-{link.id}", f"order-{link.id}"))


def repeated(session: Session, order_id: int | None, actor: Actor, key: str) -> Event | None:
    """The event that this key made before, if the same person made it of the same order."""
    if not key:
        return None
    event = session.scalar(select(Event).where(Event.key == key))
    if event is not None and (event.actor_id != actor.id or (order_id is not None and event.order_id != order_id)):
        raise Conflict(_("This request has already been used for something else. Reload the page and try again."))
    return event
