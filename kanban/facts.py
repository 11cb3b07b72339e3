"""Facts: the plain snapshot of an order that its event keeps, and the catalogue of the fields rules may look at.

No phone, no e-mail, no address. A field that is absent is unknown; None is empty. Facts are the database's JSON:
dates are ISO texts, money is minor units, a reference is {"id", "name"} with the name of that time.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kanban import clock
from kanban.actor import Actor
from kanban.i18n import N_
from kanban.models import Order, Status

SCHEMA = 2  # 2: today, was, and more of linked orders


@dataclass(frozen=True)
class Field:
    """A field of the catalogue. kind: see kanban.criteria.COMPARISONS; choices: where the editor takes its list from.

    group: order, role (who fills it; «role:3»), who (did it), or linked (of the orders it is linked with).
    """

    name: str
    kind: str
    label: str
    choices: str = ""
    group: str = "order"


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("organisation", "reference", N_("Organisation"), "organisations"),
        Field("status_before", "reference", N_("Status before"), "statuses"),
        Field("status_after", "reference", N_("Status after"), "statuses"),
        Field("responsible", "reference", N_("Responsible"), "people"),
        Field("author", "reference", N_("Author"), "people"),
        Field("customer", "text", N_("Customer")),
        Field("title", "text", N_("Title")),
        Field("total", "money", N_("Total")),
        Field("paid", "money", N_("Paid")),
        Field("paid_percent", "number", N_("Paid, per cent")),
        Field("tags", "tags", N_("Tags")),
        Field("order_on", "date", N_("Order date")),
        Field("ship_on", "date", N_("Ship date")),
        Field("installation_on", "date", N_("Installation date")),
        Field("actor", "reference", N_("Who did it"), "people", "who"),
        Field("actor_roles", "references", N_("Roles of who did it"), "roles", "who"),
        Field("linked_count", "number", N_("How many linked orders"), "", "linked"),
        Field("linked.number", "text", N_("Linked order: number"), "", "linked"),
        Field("linked.status", "reference", N_("Linked order: status"), "other_statuses", "linked"),
        Field("linked.responsible", "reference", N_("Linked order: responsible"), "people", "linked"),
        Field("linked.total", "money", N_("Linked order: total"), "", "linked"),
        Field("linked.paid", "money", N_("Linked order: paid"), "", "linked"),
        Field("linked.ship_on", "date", N_("Linked order: ship date"), "", "linked"),
    )
}
KINDS = {name: field.kind for name, field in FIELDS.items()}
_ROLE = re.compile("role:([0-9]{1,10})")


def find_field(name: str, roles: Mapping[int, str] | None = None) -> Field | None:
    """A field of the catalogue; «role:3» carries the name of its role, or none where `roles` doesn't know it."""
    role = _ROLE.fullmatch(name)
    if role is None:
        return FIELDS.get(name)
    label = "" if roles is None else roles.get(int(role[1]), "")
    return Field(name, "reference", label, "people", "role") if label or roles is None else None


def snapshot(
    order: Order,
    actor: Actor | None,
    *,
    before: Status | None,
    after: Status,
    linked: Iterable[dict[str, Any]] = (),
    was: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The facts of an order at this moment, as JSON. before: the status it left, None where it was just placed.

    was: {field: its value before the event}, of the fields that the event changes.
    """
    links = list(linked)
    return {
        "schema": SCHEMA,
        "today": clock.today().isoformat(),
        "order": {"id": order.id, "number": order.number, "board": order.board_id},
        "phase": after.phase,
        "fields": {
            "organisation": reference(order.organisation),
            "status_before": reference(before),
            "status_after": reference(after),
            "responsible": reference(order.responsible),
            "author": reference(order.author),
            "customer": order.customer.name,
            "title": order.title,
            "total": order.total,
            "paid": order.paid,
            "paid_percent": percent(order.paid, order.total),
            "tags": list(order.tags),
            "order_on": iso(order.order_on),
            "ship_on": iso(order.ship_on),
            "installation_on": iso(order.installation_on),
            "actor": reference(actor),
            "actor_roles": [reference(role) for role in actor.roles] if actor else [],
            "linked_count": len(links),
        },
        "people": people_of(order),
        "linked": links,
        "was": dict(was or {}),
    }


def people_of(order: Order) -> dict[str, int]:
    """{role id: person id} of the roles that are filled on the order."""
    return {str(one.role_id): one.person_id for one in order.people}


def percent(paid: int, total: int) -> int | None:
    """Whole per cents, rounded down, so that 100 means all of it; None where there is nothing to pay."""
    return paid * 100 // total if total > 0 else None


def reference(thing: Any) -> dict[str, Any] | None:
    """{"id", "name"} of anything that has both."""
    return None if thing is None else {"id": thing.id, "name": thing.name}


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
