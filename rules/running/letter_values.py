"""The values of a letter's fields: an order as plain texts in the firm's language."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban import clock, i18n
from kanban.models import Event, Order, Person, Role


def letter_values(session: Session, order: Order, event: Event | None) -> dict[str, str]:
    """{field name: text} for rules.texts; "" where there is nothing. event: None in a preview without a move."""
    facts = event.facts["fields"] if event else {}
    status = facts.get("status_after") or {"name": order.status.name}
    work = _work(order, event, status["name"])
    return {
        "number": order.number,
        "title": order.title,
        "status": status["name"],
        "status_before": (facts.get("status_before") or {}).get("name", ""),
        "organisation": order.organisation.name if order.organisation else "",
        "tags": ", ".join(order.tags),
        "description": order.description,
        "total": i18n.money(order.total) if order.total else "",
        "paid": i18n.money(order.paid) if order.paid or order.total else "",
        "paid_share": f"{order.paid * 100 // order.total}\u00a0%" if order.total else "",
        "balance": i18n.money(order.total - order.paid) if order.total else "",
        "order_on": i18n.day_long(order.order_on),
        "ship_on": i18n.day_long(order.ship_on),
        "installation_on": i18n.day_long(order.installation_on),
        "customer": order.customer.name,
        "phone": order.customer.phone,
        "email": order.customer.email,
        "address": order.installation_address,
        "responsible": order.responsible.name if order.responsible else "",
        "author": order.author.name if order.author else "",
        "people": _people(session, order),
        "moved_by": _began_by(session, event),
        "moved_at": _when(event),
        "production_number": work[0],
        "production_status": work[1],
    }


def _began_by(session: Session, event: Event | None) -> str:
    """The person whose action began it, however many rules stand between; "" where none did: a rule of time, or a change from outside."""
    while event is not None and event.actor_id is None and event.cause_event_id is not None:
        event = session.get(Event, event.cause_event_id)
    return event.actor_name if event is not None and event.actor_id is not None else ""


def _work(order: Order, event: Event | None, status: str) -> tuple[str, str]:
    """(number, status) of the production order: this one, or the first made from this one."""
    if order.source_id:
        return order.number, status
    linked = (event.facts.get("linked") if event else None) or []
    return (linked[0]["number"], linked[0]["status"]["name"]) if linked else ("", "")


def _people(session: Session, order: Order) -> str:
    if not order.people:
        return ""
    filled = {one.role_id: one.person_id for one in order.people}
    rows: Any = session.execute(
        select(Role.name, Person.name)
        .join(Person, Person.id.in_(list(filled.values())))
        .where(Role.id.in_(list(filled)))
        .order_by(Role.position)
        .add_columns(Role.id, Person.id)
    )
    return "; ".join(f"{role}: {person}" for role, person, role_id, person_id in rows if filled[role_id] == person_id)


def _when(event: Event | None) -> str:
    if event is None:
        return ""
    there = clock.local(event.at)
    return f"{i18n.day_short(there.date())}, {there:%H:%M}"
