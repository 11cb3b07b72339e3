"""What the matrix «Who is told» shows beside its cells: its rules, who holds each role, how much was sent."""

from collections import Counter
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from kanban import clock
from kanban.models import Person, Role
from rules.models import Message, Rule


def rules_of_statuses(session: Session) -> list[Rule]:
    """Rules at work that start as an order enters a status, with their versions."""
    at_work = (Rule.trigger_key.startswith("entered:"), Rule.active, ~Rule.log_only)
    return list(session.scalars(select(Rule).where(*at_work).options(joinedload(Rule.version)).order_by(Rule.id)))


def matrix_rules(session: Session) -> list[Rule]:
    """Those of the matrix itself that are on, with their versions."""
    mine = select(Rule).where(Rule.in_matrix, Rule.active).options(joinedload(Rule.version)).order_by(Rule.id)
    return list(session.scalars(mine))


def holders_of(session: Session, role_id: int) -> int:
    """How many people who work here hold a role."""
    return session.scalar(select(func.count()).select_from(Role).join(Person.held_roles).where(Person.active, Role.id == role_id)) or 0


def names_of_holders(session: Session) -> dict[int, list[str]]:
    """{role id: names of those who work here and hold it}, of roles that somebody holds."""
    held = select(Role.id, Person.name).select_from(Person).join(Person.held_roles).where(Person.active)
    found: dict[int, list[str]] = {}
    for role_id, name in session.execute(held.order_by(Person.name, Person.id)):
        found.setdefault(role_id, []).append(name)
    return found


def sent_by_status(session: Session) -> Counter[int]:
    """{status id: messages of the last 30 days that told of it}"""
    since = clock.now() - timedelta(days=30)
    rows = session.execute(
        select(Rule.status_id, func.count(Message.id))
        .join(Message, Message.rule_id == Rule.id)
        .where(Message.created_at > since, Message.state != "cancelled", Rule.status_id.is_not(None))
        .group_by(Rule.status_id)
    )
    return Counter({status_id: count for status_id, count in rows if status_id is not None})
