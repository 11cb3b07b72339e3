"""Who would get two messages about one event: recipients of rules that start together, resolved on the newest orders.

Comparing rules would not do: the order's responsible and the holder of a role may be one person.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session, joinedload, selectinload

from kanban import facts, orders
from kanban.facts import KINDS
from kanban.models import Order, Status
from rules.actions import addressed, channel_of
from rules.evaluator import evaluate
from rules.running.recipients import Directory, resolve

NEWEST = 5  # orders of a board that are looked at


@dataclass(frozen=True)
class Sample:
    """An order, and what rules would see of it in a status; of a board without orders one that says nothing."""

    order: Any
    links: Sequence[dict[str, Any]] | None

    def facts_in(self, status: Status | None) -> dict[str, Any]:
        if self.links is None:
            return {"fields": {}, "people": {}, "linked": [], "was": {}}
        return facts.snapshot(self.order, None, before=self.order.status, after=status or self.order.status, linked=self.links)


@dataclass(frozen=True)
class Sending:
    """A send action of a rule. runs_on: whether its criteria hold there."""

    rule_id: int
    rule: str
    action: Mapping[str, Any]
    runs_on: Callable[[Sample], bool]


@dataclass(frozen=True)
class Already:
    """names: who gets another message of the same event by the same channel: that template, by that rule."""

    names: tuple[str, ...]
    template: int
    rule_id: int
    rule: str


def load_samples(session: Session, board_ids: Iterable[int]) -> dict[int, list[Sample]]:
    """By board; three statements."""
    boards = list(board_ids)
    newest = [select(Order.id).where(Order.board_id == id_).order_by(Order.id.desc()).limit(NEWEST).subquery() for id_ in boards]
    query = (
        select(Order)
        .where(Order.id.in_(union_all(*(select(one.c.id) for one in newest))))
        .options(
            joinedload(Order.status), joinedload(Order.customer), joinedload(Order.organisation), joinedload(Order.responsible),
            joinedload(Order.author), selectinload(Order.people),
        )
        .order_by(Order.id.desc())
    )  # fmt: skip
    found = session.scalars(query).all() if boards else []
    links = orders.linked_of(session, found)
    samples = {id_: [Sample(order, links[order.id]) for order in found if order.board_id == id_] for id_ in boards}
    return {id_: of_board or [_nothing()] for id_, of_board in samples.items()}


def _nothing() -> Sample:
    customer = SimpleNamespace(name="", email="", phone="")
    return Sample(SimpleNamespace(people=[], responsible_id=None, author_id=None, customer=customer), None)


def holds_in(status: Status | None, criteria: Mapping[str, Any]) -> Callable[[Sample], bool]:
    return lambda sample: evaluate(criteria, sample.facts_in(status), KINDS).truth is True


def already_told(action: Mapping[str, Any], others: Iterable[Sending], samples: Sequence[Sample], directory: Directory) -> list[Already]:
    """others: what is sent at the same event; the same template to the same reader is one message, so that is no matter."""
    channel = channel_of(action)
    rivals = [one for one in others if channel_of(one.action) == channel and one.action["template"] != action["template"]]
    found: dict[tuple[int, int, str], dict[str, None]] = {}
    for sample in samples if rivals else ():
        readers = _readers(action, sample, directory)
        for one in rivals:
            both = {name: None for address, name in _readers(one.action, sample, directory).items() if address in readers}
            if both and one.runs_on(sample):
                found.setdefault((one.action["template"], one.rule_id, one.rule), {}).update(both)
    return [Already(tuple(names), *key) for key, names in found.items()]


def _readers(action: Mapping[str, Any], sample: Sample, directory: Directory) -> dict[str, str]:
    """{address: name}"""
    resolved = resolve(addressed(action), sample.order, directory, None, True, channel_of(action))
    return {one.address.casefold(): one.name or one.address for one in resolved.recipients}
