"""Taking the facts of an order at this moment."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from kanban import clock
from kanban.actor import Actor
from kanban.facts import Facts, LinkedOrder
from kanban.fields import catalogue_of
from kanban.models import Order, Status


class Named(Protocol):
    @property
    def id(self) -> int: ...

    @property
    def name(self) -> str: ...


def snapshot(
    order: Order,
    actor: Actor | None,
    *,
    before: Status | None,
    after: Status,
    linked: Iterable[LinkedOrder] = (),
    was: Mapping[str, object] | None = None,
) -> Facts:
    """before: the status it left, None where it was just placed. was: see Facts."""
    links = tuple(linked)
    columns = {one.name: column_fact(order, one.name) for one in catalogue_of(order.board_id).columns if one.is_criterion}
    fields = columns | {
        "organisation": reference(order.organisation),
        "status_before": reference(before),
        "status_after": reference(after),
        "responsible": reference(order.responsible),
        "author": reference(order.author),
        "customer": order.customer.name,
        "paid_percent": percent(order.paid, order.total),
        "tags": list(order.tags),
        "blocked": order.blocked,
        "actor": reference(actor),
        "actor_roles": [reference(role) for role in actor.roles] if actor else [],
        "linked_count": len(links),
    }
    return Facts(
        fields,
        people_of(order),
        links,
        dict(was or {}),
        clock.today().isoformat(),
        order.id,
        order.number,
        order.board_id,
        after.phase,
    )


def column_fact(order: Order, name: str) -> object:
    """A column's value as facts and history keep it."""
    value = getattr(order, name)
    return value.isoformat() if isinstance(value, date) else value


def people_of(order: Order) -> dict[str, int]:
    """{role id: person id} of the roles that are filled on the order."""
    return {str(one.role_id): one.person_id for one in order.people}


def percent(paid: int, total: int) -> int | None:
    """Whole per cents, rounded down, so that 100 means all of it; None where there is nothing to pay."""
    return paid * 100 // total if total > 0 else None


def reference(thing: Named | None) -> dict[str, object] | None:
    """A thing with its name of this time, as facts and history keep it."""
    return None if thing is None else {"id": thing.id, "name": thing.name}
