"""Changing what an order says."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban import facts
from kanban.actor import Actor
from kanban.errors import Conflict
from kanban.events import Recorded, record
from kanban.models import Order, Person, Role
from kanban.orders.fields import OrderFields, search_text, values_of
from kanban.orders.find import find_order, linked
from kanban.orders.move import who_was_first
from kanban.orders.place import link_topics, repeated, write_fields
from kanban.orders.statuses import add_to_head
from kanban.policy import require_write


def change(
    session: Session, actor: Actor, order_id: int, fields: OrderFields, *, version: int, key: str = ""
) -> tuple[Order, Recorded | None]:
    """Writes the fields; nothing is recorded where nothing differs. Raises NotFound, Forbidden, Invalid, Conflict."""
    require_write(actor)
    order = find_order(session, order_id)
    if repeated(session, order_id, actor, key) is not None:
        return order, None
    if order.version != version:
        raise Conflict(who_was_first(session, order), order)
    was, total, seats = values_of(order) | _people_of(session, order), order.total, facts.people_of(order)
    share = facts.percent(order.paid, order.total)
    write_fields(session, order, fields)
    session.flush()
    now = values_of(order) | _people_of(session, order)
    differs = [name for name in now if now[name] != was.get(name)]
    if not differs:
        return order, None
    order.version += 1
    if order.total != total:
        add_to_head(session, order.status_id, 0, order.total - total)
    if not {"customer", "phone", "email"}.isdisjoint(differs):
        _search_anew(session, order)
    links = linked(session, order)
    recorded = record(
        session, order, "order.changed", actor,
        facts=facts.snapshot(
            order, actor, before=order.status, after=order.status, linked=links, was=_was(order, was, differs, seats, share)
        ),
        before={name: was.get(name) for name in differs}, after={name: now[name] for name in differs}, key=key,
        topics=(f"head-{order.status_id}", *link_topics(links)),
    )  # fmt: skip
    return order, recorded


def _was(order: Order, values: dict[str, Any], differs: list[str], seats: dict[str, int], share: int | None) -> dict[str, Any]:
    """What rules may know of before: fields of the catalogue, the share that was paid, and who filled the roles."""
    was = {name: values.get(name) for name in differs if name in facts.FIELDS}
    now = facts.people_of(order)
    was |= {f"role:{role}": seats.get(role) for role in seats.keys() | now.keys() if seats.get(role) != now.get(role)}
    return was | ({"paid_percent": share} if share != facts.percent(order.paid, order.total) else {})


def _search_anew(session: Session, order: Order) -> None:
    """Orders made one from the other share their customer: the search finds all of them by the new name."""
    others = select(Order).where(Order.customer_id == order.customer_id, Order.id != order.id).options(joinedload(Order.customer))
    for other in session.scalars(others):
        other.search = search_text(other)


def _people_of(session: Session, order: Order) -> dict[str, object]:
    """{"role:Дизайнер": "Марина Лисицына", …}: names, because history outlives people."""
    ids = [one.person_id for one in order.people]
    names: dict[int, str] = dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(ids))).all())
    roles = session.execute(select(Role.id, Role.name).order_by(Role.position))
    filled = {one.role_id: names.get(one.person_id) for one in order.people}
    return {f"role:{name}": filled.get(id_) for id_, name in roles}
