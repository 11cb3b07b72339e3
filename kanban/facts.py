"""Facts: the plain snapshot of an order that its event keeps, and the catalogue of the fields rules may look at.

No phone, no e-mail, no address. A field that is absent is unknown; None is empty. Facts are the database's JSON:
dates are ISO texts, money is minor units, a reference is {"id", "name"} with the name of that time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from kanban.actor import Actor
from kanban.i18n import N_
from kanban.models import Order, Status

SCHEMA = 1


@dataclass(frozen=True)
class Field:
    """A field of the catalogue. kind: see kanban.criteria.COMPARISONS; choices: where the editor takes its list from."""

    name: str
    kind: str
    label: str
    choices: str = ""


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("organisation", "reference", N_("Organisation"), "organisations"),
        Field("status_before", "reference", N_("Status before"), "statuses"),
        Field("status_after", "reference", N_("Status after"), "statuses"),
        Field("responsible", "reference", N_("Responsible"), "people"),
        Field("customer", "text", N_("Customer")),
        Field("total", "money", N_("Total")),
        Field("paid", "money", N_("Paid")),
        Field("tags", "tags", N_("Tags")),
        Field("ship_on", "date", N_("Ship date")),
        Field("actor", "reference", N_("Who did it"), "people"),
    )
}
KINDS = {name: field.kind for name, field in FIELDS.items()}


def snapshot(
    order: Order, actor: Actor | None, *, before: Status | None, after: Status, linked: Iterable[dict[str, Any]] = ()
) -> dict[str, Any]:
    """The facts of an order at this moment, as JSON. before: the status it left, None where it was just placed."""
    return {
        "schema": SCHEMA,
        "order": {"id": order.id, "number": order.number, "board": order.board_id},
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
            "tags": list(order.tags),
            "order_on": iso(order.order_on),
            "ship_on": iso(order.ship_on),
            "installation_on": iso(order.installation_on),
            "actor": reference(actor),
            "actor_roles": [reference(role) for role in actor.roles] if actor else [],
        },
        "people": {str(one.role_id): one.person_id for one in order.people},
        "linked": list(linked),
    }


def reference(thing: Any) -> dict[str, Any] | None:
    """{"id", "name"} of anything that has both."""
    return None if thing is None else {"id": thing.id, "name": thing.name}


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
