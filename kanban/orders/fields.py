"""What a person may write into an order, typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kanban.fields import FieldValue, catalogue_of
from kanban.fold import fold
from kanban.json_reader import JsonObject
from kanban.models import Order
from kanban.snapshot import column_fact, reference


@dataclass(frozen=True)
class OrderFields:
    """The editable part of an order. people: role id → person id. values: of the columns of kanban.fields, by name; what is left out
    is empty."""

    customer_name: str
    customer_phone: str = ""
    customer_email: str = ""
    organisation_id: int | None = None
    responsible_id: int | None = None
    tags: Sequence[str] = ()
    people: Mapping[int, int] = field(default_factory=dict)
    values: Mapping[str, FieldValue] = field(default_factory=dict)

    def with_values(self, **values: FieldValue) -> "OrderFields":
        """With some of the columns changed."""
        return replace(self, values={**self.values, **values})


def fields_of(order: Order) -> OrderFields:
    """What the order says now, to change a part of it."""
    return OrderFields(
        order.customer.name,
        order.customer.phone,
        order.customer.email,
        order.organisation_id,
        order.responsible_id,
        tuple(order.tags),
        {one.role_id: one.person_id for one in order.people},
        {column.name: getattr(order, column.name) for column in catalogue_of(order.board_id).columns},
    )


def values_of(order: Order) -> JsonObject:
    """What history compares: every editable value, with names beside ids."""
    return {column.name: column_fact(order, column.name) for column in catalogue_of(order.board_id).columns} | {
        "tags": list(order.tags),
        "organisation": reference(order.organisation),
        "responsible": reference(order.responsible),
        "customer": order.customer.name,
        "phone": order.customer.phone,
        "email": order.customer.email,
    }


def search_text(order: Order) -> str:
    """What the filter looks in, folded, with the digits of the phone number by themselves."""
    digits = "".join(sign for sign in order.customer.phone if sign.isdecimal())
    parts = (
        order.number,
        order.customer.name,
        order.title,
        order.customer.phone,
        digits,
        order.customer.email,
        order.installation_address,
        " ".join(order.tags),
    )
    return fold(" ".join(part for part in parts if part))
