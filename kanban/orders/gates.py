"""Gates: what must hold of an order before it enters a status."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.criteria import NO_CRITERIA, Criterion, Group, GroupKind, Verdict, judge, read_criteria
from kanban.errors import Lacking
from kanban.facts import LinkedOrder
from kanban.fields import catalogue_of
from kanban.i18n import _
from kanban.json_reader import Malformed, Value
from kanban.lookup import Lookup, load_lookup
from kanban.models import Order, Status
from kanban.orders.find import linked
from kanban.references import Reference
from kanban.snapshot import snapshot
from kanban.words.criteria import condition_of


@dataclass(frozen=True)
class Gate:
    """broken: why what is stored can't be read; such a gate asks nothing, and the settings say so."""

    criteria: Group
    broken: str = ""

    def __bool__(self) -> bool:
        return bool(self.criteria.parts)


NO_GATE = Gate(NO_CRITERIA)


def read_gate(raw: Mapping[str, object], board_id: int) -> Gate:
    if not raw:
        return NO_GATE
    try:
        return Gate(read_criteria(Value(raw), catalogue_of(board_id)))
    except Malformed as malformed:
        return Gate(NO_CRITERIA, malformed.words)


def names_by_reference(session: Session) -> dict[Reference, list[str]]:
    """{what a gate points at: the names of the gates that do}"""
    found: dict[Reference, list[str]] = defaultdict(list)
    for status in _guarded(session):
        for reference in read_gate(status.gate, status.board_id).criteria.references:
            found[reference].append(_("gate of “%(status)s”", status=status.name))
    return found


def let_go(session: Session, gone: Reference, instead: int | None = None) -> None:
    """A thing goes: gates ask for another from now on, or not for this one any more. Else nothing could ever pass them again."""
    for status in _guarded(session):
        gate = read_gate(status.gate, status.board_id)
        if gone not in gate.criteria.references:
            continue
        if instead is not None:
            left = gate.criteria.replaced(gone, instead, catalogue_of(status.board_id))
        else:
            left = gate.criteria.without(lambda one: gone in Group(GroupKind.ALL, (one,)).references)
        status.gate = left.to_json() if left.parts else {}


def _guarded(session: Session) -> list[Status]:
    return [status for status in session.scalars(select(Status).order_by(Status.board_id, Status.position)) if status.gate]


def gate_verdict(order: Order, actor: Actor, status: Status, linked_orders: Sequence[LinkedOrder]) -> Verdict | None:
    """How the order, as it is now, stands to the gate of a status it is to enter. None where there is no gate."""
    gate = read_gate(status.gate, status.board_id)
    if not gate:
        return None
    return judge(gate.criteria, snapshot(order, actor, before=order.status, after=status, linked=linked_orders, was={}))


def require_gate(session: Session, order: Order, actor: Actor, status: Status) -> None:
    """Whoever moves it: a person, many at once, or a rule. Raises Lacking; what isn't known counts as lacking."""
    if not status.gate:
        return
    verdict = gate_verdict(order, actor, status, linked(session, order))
    if verdict is not None and verdict.truth is not True:
        raise Lacking(_why(session, order, status, verdict))


def _why(session: Session, order: Order, status: Status, verdict: Verdict) -> str:
    what = _words(verdict, order.board_id, load_lookup(session))
    return _("%(number)s can move to “%(status)s” only when %(what)s.", status=status.name, number=order.number, what=what)


def _words(verdict: Verdict, board_id: int, lookup: Lookup, depth: int = 0) -> str:
    """Of what stands in the way."""
    if verdict.criterion is not None:
        condition = condition_of(verdict.criterion, board_id, lookup)
        return " ".join(part for part in (condition.field, condition.op, condition.value) if part)
    said = [_words(part, board_id, lookup, depth + 1) for part in verdict.parts if part.truth is not True]
    words = (_(" or ") if verdict.group is GroupKind.ANY else _(" and ")).join(said)
    return f"({words})" if depth and len(said) > 1 else words


def words_of_gate(gate: Group, board_id: int, lookup: Lookup) -> str:
    """As one line, for a comparison."""
    unknown = Verdict(None, group=gate.kind, parts=tuple([_unknown(part) for part in gate.parts]))
    return _words(unknown, board_id, lookup)


def _unknown(part: Criterion | Group) -> Verdict:
    if isinstance(part, Criterion):
        return Verdict(None, part)
    return Verdict(None, group=part.kind, parts=tuple([_unknown(one) for one in part.parts]))


def missing_criteria(verdict: Verdict) -> list[Criterion]:
    """Those that don't hold and stand in the way, each once; of a group of which any would do, all."""
    if verdict.truth is True:
        return []
    if verdict.criterion is not None:
        return [verdict.criterion]
    return list(dict.fromkeys(one for part in verdict.parts for one in missing_criteria(part)))
