"""What an order lacks for a status, for the dialog that asks for it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.criteria import Comparison, Criterion, Verdict
from kanban.events import Outcome, listeners
from kanban.fields import Field
from kanban.flow import require_path
from kanban.i18n import _, money
from kanban.lookup import Lookup, load_lookup
from kanban.models import Order, Status
from kanban.orders import gate_verdict, linked, missing_criteria
from kanban.queries.order import find_shown
from kanban.words.criteria import Condition, condition_of, value_words


@dataclass(frozen=True)
class Lack:
    """A criterion that doesn't hold. seen: what the order says now, in words; hint: what would do, where that can be said shorter."""

    criterion: Criterion
    condition: Condition
    seen: str
    hint: str = ""


@dataclass(frozen=True)
class Met:
    """A criterion that holds."""

    field: Field
    seen: str


@dataclass(frozen=True)
class GateView:
    """lacks: empty where nothing stands in the way (any more). foreseen: the messages that the move will send, as far as is known now."""

    order: Order
    status: Status
    lacks: tuple[Lack, ...]
    met: tuple[Met, ...]
    foreseen: Outcome
    lookup: Lookup


def gate_view(session: Session, actor: Actor, order_id: int, status_id: int) -> GateView:
    """Raises NotFound, Invalid."""
    order = find_shown(session, order_id)
    status = require_path(order, session.get(Status, status_id))
    lookup = load_lookup(session)
    verdict = gate_verdict(order, actor, status, linked(session, order))
    leaves = list(verdict.leaves) if verdict else []
    missing = missing_criteria(verdict) if verdict else []
    lacks = [_lack(leaf, order, lookup) for leaf in leaves if leaf.criterion in missing]
    met = [_met(leaf, order, lookup) for leaf in leaves if leaf.truth is True]
    foreseen = listeners.foresee(session, actor, order, status)
    return GateView(order, status, tuple(one for one in lacks if one), tuple(one for one in met if one), foreseen, lookup)


def _lack(leaf: Verdict, order: Order, lookup: Lookup) -> Lack | None:
    criterion = leaf.criterion
    if criterion is None:
        return None
    known = lookup.field(criterion.name, order.board_id)
    seen = value_words(known, leaf.seen, lookup) if known else ""
    return Lack(criterion, condition_of(criterion, order.board_id, lookup), seen, _hint(criterion, order))


def _met(leaf: Verdict, order: Order, lookup: Lookup) -> Met | None:
    known = lookup.field(leaf.criterion.name, order.board_id) if leaf.criterion else None
    return Met(known, value_words(known, leaf.seen, lookup)) if known else None


def _hint(criterion: Criterion, order: Order) -> str:
    """A share of the total as a sum: «не меньше 256 000 ₽ из 512 000 ₽»."""
    share = criterion.value
    if criterion.name != "paid_percent" or criterion.op is not Comparison.AT_LEAST or not isinstance(share, int) or not order.total:
        return ""
    return _("at least %(sum)s of %(total)s", sum=money(-(-order.total * share // 100)), total=money(order.total))
