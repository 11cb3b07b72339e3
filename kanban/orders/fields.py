"""What a person may write into an order, typed."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kanban import facts
from kanban.fold import fold
from kanban.models import Order


@dataclass
class OrderFields:
    """The editable part of an order. Money in minor units; people: role id → person id."""

    customer_name: str
    title: str = ""
    customer_phone: str = ""
    customer_email: str = ""
    organisation_id: int | None = None
    responsible_id: int | None = None
    order_on: date | None = None
    ship_on: date | None = None
    installation_on: date | None = None
    installation_address: str = ""
    total: int = 0
    paid: int = 0
    description: str = ""
    tags: list[str] = field(default_factory=list)
    people: dict[int, int] = field(default_factory=dict)


def fields_of(order: Order) -> OrderFields:
    """What the order says now, to change a part of it."""
    return OrderFields(
        customer_name=order.customer.name, customer_phone=order.customer.phone, customer_email=order.customer.email, title=order.title,
        organisation_id=order.organisation_id, responsible_id=order.responsible_id, order_on=order.order_on, ship_on=order.ship_on,
        installation_on=order.installation_on, installation_address=order.installation_address, total=order.total, paid=order.paid,
        description=order.description, tags=list(order.tags), people={one.role_id: one.person_id for one in order.people},
    )  # fmt: skip


PLAIN = ("title", "installation_address", "total", "paid", "description")
DAYS = ("order_on", "ship_on", "installation_on")


def values_of(order: Order) -> dict[str, Any]:
    """What history compares: every editable value, with names beside ids, as JSON."""
    values: dict[str, Any] = {name: getattr(order, name) for name in PLAIN}
    values |= {name: facts.iso(getattr(order, name)) for name in DAYS}
    values["tags"] = list(order.tags)
    values["organisation"] = facts.reference(order.organisation)
    values["responsible"] = facts.reference(order.responsible)
    values["customer"] = order.customer.name
    values["phone"] = order.customer.phone
    values["email"] = order.customer.email
    return values


def search_text(order: Order) -> str:
    """What the filter looks in, folded, with the digits of the phone number by themselves."""
    digits = "".join(sign for sign in order.customer.phone if sign.isdecimal())
    parts = (order.number, order.customer.name, order.title, order.customer.phone, digits, order.customer.email,
             order.installation_address, " ".join(order.tags))  # fmt: skip
    return fold(" ".join(part for part in parts if part))
