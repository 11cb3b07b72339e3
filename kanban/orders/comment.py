"""Words about an order, said in its history."""

import re
from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban import facts
from kanban.actor import Actor
from kanban.errors import Invalid
from kanban.events import Recorded, record
from kanban.i18n import _
from kanban.models import Order, Person
from kanban.orders.find import find_order, linked
from kanban.orders.place import repeated
from kanban.policy import require_write

MOST = 5000


def comment(session: Session, actor: Actor, order_id: int, text: str, *, key: str = "") -> tuple[Order, Recorded | None]:
    """Says something. «@Ольга Белова» or «@Ольга», where there is one of that name, mentions a person.

    Asked again with the same key nothing is said twice. Raises NotFound, Forbidden, Invalid, Conflict.
    """
    require_write(actor)
    order = find_order(session, order_id)
    if repeated(session, order_id, actor, key) is not None:
        return order, None
    if not text:
        raise Invalid(_("Write something first."), "text")
    if len(text) > MOST:
        raise Invalid(_("This is too long: at most %(most)s characters.", most=MOST), "text")
    recorded = record(
        session, order, "order.commented", actor,
        facts=facts.snapshot(order, actor, before=order.status, after=order.status, linked=linked(session, order)),
        after={"text": text, "mentions": mentioned(session, text)}, key=key,
    )  # fmt: skip
    return order, recorded


def mentioned(session: Session, text: str) -> list[int]:
    """Active people whose whole name stands behind an @, or their first name where nobody else has it."""
    said = text.casefold()
    if "@" not in said:
        return []
    rows = session.execute(select(Person.id, Person.name).where(Person.active).order_by(Person.id))
    names = [(id_, name.casefold(), name.casefold().split()[0]) for id_, name in rows if name.split()]
    firsts = Counter(first for _id, _name, first in names)
    return [id_ for id_, name, first in names if f"@{name}" in said or (firsts[first] == 1 and re.search(rf"@{re.escape(first)}\b", said))]
