"""The values of a template's fields: an order as plain texts in the company's language."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban import clock, i18n
from kanban.facts import NOTHING_KNOWN, Facts
from kanban.field_words import shown
from kanban.fields import Field, FieldValue, catalogue_of
from kanban.models import Event, Order, Person, Role


def template_values(session: Session, order: Order, event: Event | None, facts: Facts = NOTHING_KNOWN) -> dict[str, str]:
    """{field name: text} for rules.definition.texts; "" where there is nothing. event: None in a preview without a move."""
    status = _name(facts, "status_after") or order.status.name
    production = _production(order, facts, status)
    columns = {one.name: column_value(one, getattr(order, one.name)) for one in catalogue_of(order.board_id).columns if one.email_group}
    return columns | {
        "number": order.number,
        "status": status,
        "status_before": _name(facts, "status_before"),
        "organisation": order.organisation.name if order.organisation else "",
        "tags": ", ".join(order.tags),
        "total": i18n.money(order.total) if order.total else "",
        "paid": i18n.money(order.paid) if order.paid or order.total else "",
        "paid_share": f"{order.paid * 100 // order.total}\u00a0%" if order.total else "",
        "balance": i18n.money(order.total - order.paid) if order.total else "",
        "customer": order.customer.name,
        "phone": order.customer.phone,
        "email": order.customer.email,
        "address": order.installation_address,
        "responsible": order.responsible.name if order.responsible else "",
        "author": order.author.name if order.author else "",
        "people": _people(session, order),
        "moved_by": _began_by(session, event),
        "moved_at": _when(event),
        "production_number": production[0],
        "production_status": production[1],
    }


def column_value(field: Field, value: FieldValue) -> str:
    return "" if value in (None, "") else shown(field, value)


def _name(facts: Facts, field: str) -> str:
    """Of a reference that the facts keep."""
    found = (facts.fields or {}).get(field)
    return str(found.get("name", "")) if isinstance(found, dict) else ""


def _began_by(session: Session, event: Event | None) -> str:
    """The person whose action began it, however many rules stand between; "" where none did: a rule of time, or a change from outside."""
    while event is not None and event.actor_id is None and event.cause_event_id is not None:
        event = session.get(Event, event.cause_event_id)
    return event.actor_name if event is not None and event.actor_id is not None else ""


def _production(order: Order, facts: Facts, status: str) -> tuple[str, str]:
    """(number, status) of the production order: this one, or the first made from this one."""
    if order.source_id:
        return order.number, status
    return (facts.linked[0].number, facts.linked[0].status_name) if facts.linked else ("", "")


def _people(session: Session, order: Order) -> str:
    if not order.people:
        return ""
    filled = {one.role_id: one.person_id for one in order.people}
    rows = session.execute(
        select(Role.name, Person.name, Role.id, Person.id)
        .join(Person, Person.id.in_(list(filled.values())))
        .where(Role.id.in_(list(filled)))
        .order_by(Role.position)
    )
    return "; ".join(f"{role}: {person}" for role, person, role_id, person_id in rows if filled[role_id] == person_id)


def _when(event: Event | None) -> str:
    if event is None:
        return ""
    there = clock.local(event.at)
    return f"{i18n.day_short(there.date())}, {there:%H:%M}"
