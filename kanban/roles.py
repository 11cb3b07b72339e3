"""Who stands for a role on an order: resolved whenever it is asked, never written.

Who fills it on the order; else the order's responsible, if they hold it; else everyone who holds it. The author never counts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kanban.models import Order, Person, person_role

How = Literal["filled", "responsible", "holders"]


@dataclass(frozen=True)
class Standing:
    """people: ids of those who stand for the role; none where nobody holds it. passed_over: who would have, but has left."""

    how: How
    people: tuple[int, ...]
    passed_over: tuple[int, ...] = ()


def resolve_role(filled: int | None, responsible: int | None, holders: Iterable[int], is_active: Callable[[int], bool]) -> Standing:
    """filled: who fills the role on the order. responsible: of the order. holders: all who hold the role."""
    holding = list(holders)
    steps: tuple[tuple[How, list[int]], ...] = (
        ("filled", [filled] if filled else []),
        ("responsible", [responsible] if responsible in holding and responsible else []),
        ("holders", holding),
    )
    passed_over: dict[int, None] = {}
    for how, ids in steps:
        found = tuple(id_ for id_ in ids if is_active(id_))
        passed_over |= dict.fromkeys(id_ for id_ in ids if id_ not in found)
        if found:
            return Standing(how, found, tuple(passed_over))
    return Standing("holders", (), tuple(passed_over))


def filling(order: Order, role_id: int) -> int | None:
    """Who fills a role on the order, by what is written there."""
    return next((one.person_id for one in order.people if one.role_id == role_id), None)


def standing_for(session: Session, order: Order, role_id: int) -> Standing:
    """Of one role, by one SELECT."""
    filled = filling(order, role_id)
    holds = person_role.c.person_id.is_not(None)
    rows = session.execute(
        select(Person.id, Person.active, holds)
        .outerjoin(person_role, (person_role.c.person_id == Person.id) & (person_role.c.role_id == role_id))
        .where(or_(holds, Person.id == filled))
        .order_by(Person.id)
    ).all()
    active = {id_ for id_, is_active, _holds in rows if is_active}
    return resolve_role(filled, order.responsible_id, [id_ for id_, _active, is_holder in rows if is_holder], active.__contains__)
