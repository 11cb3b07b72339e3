"""Words about an order, said in its history."""

import re
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.errors import Invalid
from kanban.events import Recorded, record
from kanban.i18n import _
from kanban.models import Order, Person
from kanban.orders.find import find_order, linked
from kanban.orders.place import repeated
from kanban.policy import require_write
from kanban.snapshot import snapshot

MOST = 5000
MOST_MENTIONS = 50


def comment(session: Session, actor: Actor, order_id: int, text: str, *, key: str = "") -> tuple[Order, Recorded | None]:
    """Says something. «@Ольга Белова» or «@Ольга», where there is one of that name, mentions a person.

    Asked again with the same key nothing is said twice. Raises NotFound, Forbidden, Invalid, Conflict.
    """
    require_write(actor)
    order = find_order(session, order_id)
    if repeated(session, order_id, actor, key) is not None:
        return order, None
    if not text:
        raise Invalid(_("Enter some text first."), "text")
    if len(text) > MOST:
        raise Invalid(_("This is too long: at most %(most)s characters.", most=MOST), "text")
    recorded = record(
        session,
        order,
        "order.commented",
        actor,
        facts=snapshot(order, actor, before=order.status, after=order.status, linked=linked(session, order)),
        after={"text": text, **mentions_in(session, text)},
        key=key,
    )
    return order, recorded


def mentions_in(session: Session, text: str) -> dict[str, Sequence[object]]:
    """mentions: active people whose whole name stands behind an @, or their first name where nobody else has it; marked: where,
    as [start, end], so that history shows what was meant after names have changed."""
    if "@" not in text:
        return {"mentions": [], "marked": []}
    called = _called(session)
    names = "|".join(re.escape(name) for name in sorted(called, key=len, reverse=True))
    found = list(re.finditer(rf"(?<!\w)@({names})(?!\w)", text, re.IGNORECASE)) if names else []
    ids = [id_ for one in found for id_ in called.get(one[1].casefold(), [])]
    return {"mentions": list(dict.fromkeys(ids))[:MOST_MENTIONS], "marked": [list(one.span()) for one in found]}


def _called(session: Session) -> dict[str, list[int]]:
    """{what one is called: who}, casefolded."""
    rows = session.execute(select(Person.id, Person.name).where(Person.active).order_by(Person.id))
    people = [(id_, name.casefold()) for id_, name in rows if name.split()]
    firsts = Counter(name.split()[0] for _id, name in people)
    called: dict[str, list[int]] = {}
    for id_, name in people:
        for one in {name, *([name.split()[0]] if firsts[name.split()[0]] == 1 else [])}:
            called.setdefault(one, []).append(id_)
    return called
