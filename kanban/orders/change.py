"""Changing what an order says."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban.actor import Actor
from kanban.events import Recorded, record
from kanban.fields import catalogue_of
from kanban.json_reader import JsonObject
from kanban.models import Event, Order, Person, Role
from kanban.orders.fields import OrderFields, search_text, values_of
from kanban.orders.find import find_order, linked
from kanban.orders.place import link_topics, repeated, write_fields
from kanban.orders.stale import require_fresh
from kanban.orders.statuses import add_to_head
from kanban.policy import require_write
from kanban.snapshot import people_of, percent, snapshot


def change(
    session: Session, actor: Actor, order_id: int, fields: OrderFields, *, version: int, key: str = ""
) -> tuple[Order, Recorded | None]:
    """Writes the fields; nothing is recorded where nothing differs. Raises NotFound, Forbidden, Invalid, Conflict."""
    require_write(actor)
    order = find_order(session, order_id)
    if repeated(session, order_id, actor, key) is not None:
        return order, None
    require_fresh(session, order, version)
    written = write(session, order, fields)
    return order, record_change(session, actor, order, written, key=key) if written else None


@dataclass(frozen=True)
class Written:
    """What a change of fields changed. before, after: {field: value}, with names, as history keeps them; was: see Facts."""

    before: JsonObject
    after: JsonObject
    was: JsonObject


def write(session: Session, order: Order, fields: OrderFields) -> Written | None:
    """Writes the fields, unrecorded; None where nothing differs. Raises Invalid."""
    before, total = values_of(order) | _people_of(session, order), order.total
    known_before = _KnownBefore(before, people_of(order), percent(order.paid, order.total))
    write_fields(session, order, fields)
    session.flush()
    now = values_of(order) | _people_of(session, order)
    differs = [name for name in now if now[name] != before.get(name)]
    if not differs:
        return None
    order.version += 1
    if order.total != total:
        add_to_head(session, order.status_id, 0, order.total - total)
    if not {"customer", "phone", "email"}.isdisjoint(differs):
        _search_anew(session, order)
    was = known_before.was(order, differs)
    return Written({name: before.get(name) for name in differs}, {name: now[name] for name in differs}, was)


def record_change(
    session: Session, actor: Actor, order: Order, written: Written, *, key: str = "", undoes: Event | None = None, quiet: bool = False
) -> Recorded:
    links = linked(session, order)
    return record(
        session,
        order,
        "order.changed",
        actor,
        facts=snapshot(order, actor, before=order.status, after=order.status, linked=links, was=written.was),
        before=written.before,
        after=written.after,
        key=key,
        undoes=undoes,
        quiet=quiet,
        topics=(f"head-{order.status_id}", *link_topics(links)),
    )


@dataclass(frozen=True)
class _KnownBefore:
    """What rules may know of before: the values, who filled the roles, and the share that was paid."""

    values: JsonObject
    people: dict[str, int]
    percent: int | None

    def was(self, order: Order, differs: list[str]) -> JsonObject:
        """Of what differs now."""
        catalogue = catalogue_of(order.board_id)
        was = {name: self.values.get(name) for name in differs if catalogue.criterion(name) and not name.startswith("role:")}
        now = people_of(order)
        roles = [role for role in self.people.keys() | now.keys() if self.people.get(role) != now.get(role)]
        was |= {f"role:{role}": self.people.get(role) for role in roles}
        return was | ({"paid_percent": self.percent} if self.percent != percent(order.paid, order.total) else {})


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
