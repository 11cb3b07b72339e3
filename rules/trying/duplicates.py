"""Who would get two messages about one event: recipients of rules that start together, resolved on the newest orders.

Comparing rules would not do: the order's responsible and the holder of a role may be one person.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban import orders
from kanban.criteria import Group, judge
from kanban.facts import Facts, LinkedOrder
from kanban.models import Order, Status
from kanban.snapshot import snapshot
from rules.definition.message_action import SendMessage
from rules.running.recipients import Directory, OnOrder, PastParties, on, resolve

NEWEST = 5  # orders of a board that are looked at


@dataclass(frozen=True)
class Sample:
    """An order, and what rules would see of it in a status; None of a board without orders: it says nothing."""

    order: Order | None = None
    links: Sequence[LinkedOrder] = ()

    def facts_in(self, status: Status | None) -> Facts:
        if self.order is None:
            return Facts({}, {}, (), {})
        return snapshot(self.order, None, before=self.order.status, after=status or self.order.status, linked=self.links)

    @property
    def on_order(self) -> OnOrder:
        return on(self.order) if self.order is not None else OnOrder(PastParties(), {})


@dataclass(frozen=True)
class Sending:
    """An action of a rule that sends. runs_on: whether its criteria hold there."""

    rule_id: int
    rule: str
    action: SendMessage
    runs_on: Callable[[Sample], bool]


@dataclass(frozen=True)
class Already:
    """names: who gets another message of the same event by the same channel: that template, by that rule."""

    names: tuple[str, ...]
    template_id: int
    rule_id: int
    rule: str


def load_samples(session: Session, board_ids: Iterable[int]) -> dict[int, list[Sample]]:
    """By board; three statements."""
    boards = list(board_ids)
    shown = Order.removed_at.is_(None)
    newest = [select(Order.id).where(Order.board_id == id_, shown).order_by(Order.id.desc()).limit(NEWEST).subquery() for id_ in boards]
    query = (
        select(Order)
        .where(Order.id.in_(union_all(*(select(one.c.id) for one in newest))))
        .options(
            joinedload(Order.status),
            joinedload(Order.customer),
            joinedload(Order.organisation),
            joinedload(Order.responsible),
            joinedload(Order.author),
            selectinload(Order.people),
        )
        .order_by(Order.id.desc())
    )
    found = session.scalars(query).all() if boards else []
    links = orders.linked_of(session, found)
    samples = {id_: [Sample(order, links[order.id]) for order in found if order.board_id == id_] for id_ in boards}
    return {id_: of_board or [Sample()] for id_, of_board in samples.items()}


def holds_in(status: Status | None, criteria: Group) -> Callable[[Sample], bool]:
    return lambda sample: judge(criteria, sample.facts_in(status)).truth is True


def already_told(action: SendMessage, others: Iterable[Sending], samples: Sequence[Sample], directory: Directory) -> list[Already]:
    """others: what is sent at the same event; the same template to the same reader is one message, so that is no matter."""
    rivals = [one for one in others if one.action.channel == action.channel and one.action.template_id != action.template_id]
    found: dict[tuple[int, int, str], dict[str, None]] = {}
    for sample in samples if rivals else ():
        readers = _readers(action, sample, directory)
        for rival in rivals:
            both = {name: None for address, name in _readers(rival.action, sample, directory).items() if address in readers}
            if both and rival.runs_on(sample):
                found.setdefault((rival.action.template_id, rival.rule_id, rival.rule), {}).update(both)
    return [Already(tuple(names), *key) for key, names in found.items()]


def _readers(action: SendMessage, sample: Sample, directory: Directory) -> dict[str, str]:
    """{address: name}"""
    resolved = resolve(action.recipients, sample.on_order, directory, None, True, action.channel)
    return {recipient.address.casefold(): recipient.addressee for recipient in resolved.recipients}
