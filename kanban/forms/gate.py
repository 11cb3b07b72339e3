"""What is asked of whoever moves an order through a gate: the fields that its criteria look at, no others."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from wtforms.fields.choices import SelectChoice

from kanban.criteria import Criterion
from kanban.fields import Catalogue, catalogue_of
from kanban.forms.fields import PotokForm, many_lines
from kanban.forms.order import form_class, values_in
from kanban.ids import read_id
from kanban.models import Order
from kanban.orders import Filled, OrderFields
from kanban.queries.board import Choice

OTHER_NAMES = {"organisation": "organisation_id", "responsible": "responsible_id", "customer": "customer_name", "tags": "tags"}


def names_for(criterion: Criterion, order: Order) -> tuple[str, ...]:
    """The fields of a form that can make it hold: none where it is about something that is not typed into this order."""
    field = criterion.field
    if field is None:
        return ()
    if field.name == "paid_percent":
        return ("paid",) if order.total else ("total", "paid")
    if field.role_id is not None:
        return (f"role-{field.role_id}",)
    if field.is_column:
        return (field.name,)
    return (OTHER_NAMES[field.name],) if field.name in OTHER_NAMES else ()


def gate_form(order: Order, names: Iterable[str], people: Iterable[Choice], firms: Iterable[Choice]) -> PotokForm:
    """With what the order says now; names: of which fields. Those of roles are no part of it."""
    whole = form_class(catalogue_of(order.board_id))
    now = values_in(order)
    fields = {name: getattr(whole, name) for name in names if name in now}
    form: PotokForm = type("GateForm", (PotokForm,), fields)(**{name: now[name] for name in fields})
    for name, offered in (("responsible_id", people), ("organisation_id", firms)):
        if name in form:
            form[name].choices = [SelectChoice("", "—"), *(SelectChoice(str(one.id), one.name) for one in offered)]
    return form


def asked_in(posted: Mapping[str, str], board_id: int) -> list[str]:
    """The fields of an order that were posted."""
    known = {*OTHER_NAMES.values(), *(column.name for column in catalogue_of(board_id).columns)}
    return [name for name in posted if name in known or name.startswith("role-")]


def filled_by(form: PotokForm, posted: Mapping[str, str], board_id: int) -> Filled:
    """form: valid."""
    typed, roles = {field.name: field.data for field in form}, roles_in(posted)
    return Filled(lambda now: _with(now, typed, roles, catalogue_of(board_id)), many_lines(posted.get("comment", "")) or "")


def roles_in(posted: Mapping[str, str]) -> dict[int, int | None]:
    """{role: the person who was chosen, None for nobody}"""
    return {role: read_id(value) for name, value in posted.items() if name.startswith("role-") and (role := read_id(name[5:]))}


def _with(now: OrderFields, typed: Mapping[str, Any], roles: Mapping[int, int | None], catalogue: Catalogue) -> OrderFields:
    """typed: what the fields of the form say, by their names."""
    columns = {column.name: column for column in catalogue.columns}
    values = {name: columns[name].empty if value in (None, "") else value for name, value in typed.items() if name in columns}
    fields = replace(now.with_values(**values), people={role: who for role, who in {**now.people, **roles}.items() if who is not None})
    if "customer_name" in typed:
        fields = replace(fields, customer_name=typed["customer_name"] or "")
    if "tags" in typed:
        fields = replace(fields, tags=typed["tags"] or [])
    if "organisation_id" in typed:
        fields = replace(fields, organisation_id=read_id(typed["organisation_id"]))
    if "responsible_id" in typed:
        fields = replace(fields, responsible_id=read_id(typed["responsible_id"]))
    return fields
