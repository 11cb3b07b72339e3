"""What the quick add offers to choose from, and what stands chosen at first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.db import table
from kanban.models import Order
from kanban.queries.board import Choice

_O = table(Order).c
_LAST = (
    select(_O.organisation_id)
    .where(_O.author_id == bindparam("author"), _O.organisation_id.in_(bindparam("firms", expanding=True)))
    .order_by(_O.id.desc())
    .limit(1)
)


@dataclass(frozen=True)
class QuickChoices:
    """responsible_id: whoever places it. organisation_id: the only one there is, else the one they named last; None: neither."""

    people: Sequence[Choice]
    firms: Sequence[Choice]
    responsible_id: int
    organisation_id: int | None


def quick_choices(session: Session, person: Actor, people: Sequence[Choice], firms: Sequence[Choice]) -> QuickChoices:
    """people, firms: see queries.board.choices. One SELECT, where there are several organisations."""
    ids = [firm.id for firm in firms]
    last = session.connection().scalar(_LAST, {"author": person.id, "firms": ids}) if len(ids) > 1 else None
    return QuickChoices(people, firms, person.id, ids[0] if len(ids) == 1 else last)
