"""Many orders at once, by the same verbs: each for itself, so that one that is refused holds up no other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.db import table
from kanban.errors import Busy, Invalid, Lacking, Refused, Unwritable
from kanban.events import NOBODY, Outcome, Undone
from kanban.i18n import _
from kanban.models import Customer, Order
from kanban.orders.find import lock_orders
from kanban.orders.move import Moved, move
from kanban.orders.undo import Undoing, undo
from kanban.policy import require_write
from kanban.transactions import savepoint

MOST_AT_ONCE = 100
_O, _C = table(Order).c, table(Customer).c
_NAMED = (
    select(_O.id, _O.version, _O.number, _C.name)
    .join(table(Customer), _C.id == _O.customer_id)
    .where(_O.id.in_(bindparam("ids", expanding=True)))
)


class Chosen(NamedTuple):
    """An order, in the version that was looked at."""

    order_id: int
    version: int


class EventOf(NamedTuple):
    order_id: int
    event_id: int


@dataclass(frozen=True)
class Refusal:
    """An order that stayed, and why. is_gate: it only lacks what the status asks for."""

    order_id: int
    version: int
    number: str
    customer: str
    reason: str
    is_gate: bool = False


@dataclass(frozen=True)
class MovedMany:
    """moved: in the order they were chosen. outcome: of all together. heads: the statuses whose counts changed."""

    moved: tuple[Moved, ...]
    refused: tuple[Refusal, ...]
    outcome: Outcome
    heads: tuple[int, ...]


def move_many(session: Session, actor: Actor, chosen: Sequence[Chosen], *, status_id: int, before: str, key: str) -> MovedMany:
    """Moves orders before another card of a status (`before`: see ranks), in the order they were chosen. Raises Forbidden, Invalid."""
    _require_some(actor, len(chosen))
    lock_orders(session, [one.order_id for one in chosen])
    moved: dict[int, Moved] = {}
    refused: dict[int, Refused] = {}
    for one in chosen if before else reversed(chosen):  # each comes to the top
        try:
            with savepoint(session):
                own_key = f"{key[:40]}-{one.order_id}" if key else ""
                moved[one.order_id] = move(
                    session, actor, one.order_id, status_id=status_id, before=before, version=one.version, key=own_key
                )
        except (Busy, Unwritable):
            raise
        except Refused as reason:
            refused[one.order_id] = reason
    made = [moved[one.order_id] for one in chosen if one.order_id in moved]
    heads = dict.fromkeys(head for one in made for head in one.heads)
    left = {one.order_id: refused[one.order_id] for one in chosen if one.order_id in refused}
    return MovedMany(tuple(made), _refusals(session, left), sum((one.outcome for one in made), Outcome()), tuple(heads))


@dataclass(frozen=True)
class UndoneMany:
    undone: tuple[Undoing, ...]
    refused: tuple[Refusal, ...]

    @property
    def told(self) -> Undone:
        """Of all together."""
        parts = [one.undone for one in self.undone]
        return Undone(sum((one.cancelled for one in parts), NOBODY), sum((one.gone for one in parts), NOBODY))

    @property
    def heads(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(head for one in self.undone for head in one.heads))

    @property
    def outcome(self) -> Outcome:
        return sum((one.outcome for one in self.undone), Outcome())


def undo_many(session: Session, actor: Actor, events: Sequence[EventOf]) -> UndoneMany:
    """Takes moves back, each for itself, the last one first. Raises Forbidden, Invalid."""
    _require_some(actor, len(events))
    lock_orders(session, [one.order_id for one in events])
    undone: list[Undoing] = []
    refused: dict[int, Refused] = {}
    for one in sorted(events, key=lambda one: -one.event_id):
        try:
            with savepoint(session):
                undone.append(undo(session, actor, one.order_id, one.event_id))
        except (Busy, Unwritable):
            raise
        except Refused as reason:
            refused[one.order_id] = reason
    return UndoneMany(tuple(undone), _refusals(session, refused))


def _require_some(actor: Actor, count: int) -> None:
    require_write(actor)
    if not 0 < count <= MOST_AT_ONCE:
        raise Invalid(_("Choose between 1 and %(most)s orders.", most=MOST_AT_ONCE), "orders")


def _refusals(session: Session, refused: Mapping[int, Refused]) -> tuple[Refusal, ...]:
    """One statement."""
    rows = {row.id: row for row in session.connection().execute(_NAMED, {"ids": list(refused)})} if refused else {}
    found = []
    for order_id, reason in refused.items():
        row = rows.get(order_id)
        version, number, customer = (row.version, row.number, row.name) if row else (0, "", "")
        found.append(Refusal(order_id, version, number, customer, str(reason.reason), isinstance(reason, Lacking)))
    return tuple(found)
