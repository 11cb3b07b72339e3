"""What a rule would have done in the last 30 days: the events of that time judged on the facts that were stored with them.

Where facts of an older schema don't say what the rule asks, the answer is unknown, and is counted as such. Recipients are
resolved by the facts' people and today's addresses. Reads only.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.criteria import CHANGES, Truth, prepared
from kanban.criteria import DAYS as DAY_OPS
from kanban.errors import Invalid
from kanban.facts import Facts, read_facts
from kanban.fields import FieldGroup
from kanban.i18n import _
from kanban.json_reader import JsonObject
from kanban.models import Order
from rules.definition.actions import recipients_in
from rules.definition.channels import Channel
from rules.definition.content import RuleContent
from rules.definition.evaluator import is_alone, starts
from rules.definition.message_action import SendMessage
from rules.definition.outcomes import Outcome
from rules.definition.recipients import RelatedRecipient, Relation, RoleRecipient
from rules.definition.triggers import AllLinked, FieldChanged, LinkedEntered, Paid, Weekly
from rules.models import Message, Run
from rules.running.recipients import Directory, OnOrder, PastCustomer, PastParties, load_everybody, resolve
from rules.trying.past_events import Part, Past, events_for

DAYS = 30
MOST_EVENTS = 200_000  # looked at, the newest first
MOST_LISTED = 20


@dataclass(frozen=True)
class WouldFire:
    """An event at which the rule would have fired."""

    event_id: int
    order_id: int
    number: str
    at: datetime
    who: str


@dataclass(frozen=True)
class Reader:
    """Who would have got how many messages, and how many the saved rule sent them."""

    name: str
    would: int
    got: int


@dataclass
class Backtest:
    """looked: events of the trigger. cut: there were more than are looked at. runs, sent: of the saved rule in the same time; None
    where there is none. days: how often on each day, the oldest first. partial: the trigger can't be seen in what is stored."""

    looked: int = 0
    fired: int = 0
    unknown: int = 0
    cut: bool = False
    partial: bool = False
    latest: list[WouldFire] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    messages: int = 0
    runs: int | None = None
    sent: int | None = None
    days: list[tuple[date, int]] = field(default_factory=list)


class Whom(NamedTuple):
    """key: a person's id, or an address."""

    key: str
    name: str


def backtest(session: Session, rule_id: int, content: RuleContent, most: int = MOST_EVENTS) -> Backtest:
    """content: valid (rules.editing.validation); rule_id: of the saved rule, 0 for a new one."""
    now = clock.now()
    since = now - timedelta(days=DAYS)
    if isinstance(content.trigger, Weekly):
        raise Invalid(
            _("A list is made from the orders of its day, and past days are not stored. Try the rule instead: it shows the current list."),
            "",
        )
    tested = Backtest(partial=is_alone(content.trigger))
    judge, resolver = Judge(content), Resolver.load(session, content)
    of_judge = len(judge.parts)
    per_day: Counter[date] = Counter()
    would: Counter[Whom] = Counter()
    for past in events_for(session, rule_id, content, since, most, judge.parts + resolver.parts, customers=resolver.customers):
        tested.looked += 1
        for order_id, truth in judge.fires(past):
            if truth is None:
                tested.unknown += 1
            if not truth:
                continue
            tested.fired += 1
            per_day[clock.day_of(past.at)] += 1
            if order_id == past.order_id:
                would.update(resolver.readers(past, past.texts[of_judge:]))
            if len(tested.latest) < MOST_LISTED:
                tested.latest.append(WouldFire(past.id, order_id, "", past.at, past.actor_name))
    tested.cut = tested.looked == most
    tested.messages = sum(would.values())
    tested.latest = _numbered(session, tested.latest)
    today = clock.day_of(now)
    tested.days = [(day, per_day[day]) for day in (today - timedelta(days=back) for back in range(DAYS, -1, -1))]
    _beside(session, tested, rule_id, since, would)
    return tested


def _numbered(session: Session, latest: list[WouldFire]) -> list[WouldFire]:
    rows = session.execute(select(Order.id, Order.number).where(Order.id.in_([one.order_id for one in latest])))
    numbers = dict(rows.all())
    return [replace(one, number=numbers.get(one.order_id, "")) for one in latest]


class Judge:
    """Judges events by the parts of their facts that the rule asks for; parts that were seen before are judged once.

    heard: (event, order) of linked orders that heard of it, because a rule waited for that; of others no facts were stored.
    """

    def __init__(self, content: RuleContent) -> None:
        self.content = content
        self.asked = prepared(content.criteria)
        self.parts = list(dict.fromkeys([*_of_trigger(content), *_of_criteria(content)]))
        self.heard: set[tuple[int | None, int]] = set()
        self.known: dict[tuple[str | None, ...], Truth] = {}

    def fires(self, past: Past) -> list[tuple[int, Truth]]:
        """(order, whether the rule would have fired; None: unknown): of the event's own order, or of those it was linked with."""
        if isinstance(self.content.trigger, LinkedEntered | AllLinked) and past.kind != "order.linked":
            return self._of_others(past)
        if past.kind == "order.linked":
            self.heard.add((past.cause_event_id, past.order_id))
        texts = past.texts[: len(self.parts)]
        if texts not in self.known:
            self.known[texts] = self._truth(facts_of(self.parts, texts))
        return [(past.order_id, self.known[texts])]

    def _truth(self, facts: Facts) -> Truth:
        trigger = self.content.trigger
        if isinstance(trigger, FieldChanged | Paid) and facts.was is None:
            return None
        if isinstance(trigger, FieldChanged) and trigger.name not in (facts.was or {}):
            return False
        return starts(trigger, facts) and self.asked.truth(facts)

    def _of_others(self, past: Past) -> list[tuple[int, Truth]]:
        facts = facts_of(self.parts, past.texts[: len(self.parts)])
        is_certain = isinstance(self.content.trigger, LinkedEntered) and not list(self.content.criteria.criteria)
        mine = [order.id for order in facts.linked or () if order.board_id == self.content.board_id]
        return [(id_, is_certain or None) for id_ in mine if (past.id, id_) not in self.heard]


def facts_of(parts: Sequence[Part], texts: Sequence[str | None]) -> Facts:
    """As much of the facts as was read."""
    fields: JsonObject = {}
    raw: JsonObject = {"fields": fields}
    for part, text in zip(parts, texts, strict=True):
        if text is not None and part.field:
            fields[part.field] = json.loads(text)
        elif text is not None:
            raw[part.name] = json.loads(text)
    return read_facts(raw)


def _of_trigger(content: RuleContent) -> list[Part]:
    match content.trigger:
        case Paid():
            return [Part("was"), *(Part("fields", name) for name in ("status_before", "paid", "total"))]
        case FieldChanged():
            return [Part("was")]
        case LinkedEntered() | AllLinked():
            return [Part("linked")]
    return []


def _of_criteria(content: RuleContent) -> Iterator[Part]:
    for criterion in content.criteria.criteria:
        name, field = criterion.name, criterion.field
        is_of_role = field is not None and field.group is FieldGroup.ROLE
        yield Part("linked") if name.startswith("linked.") else Part("people") if is_of_role else Part("fields", name)
        if criterion.op in DAY_OPS:
            yield Part("today")
        if criterion.op in CHANGES:
            yield Part("was")


@dataclass
class Resolver:
    """Resolves recipients by the people of an event's facts; the same people are resolved once."""

    content: RuleContent
    actions: list[SendMessage]
    roles: set[int]
    customers: bool
    directory: Directory
    known: dict[object, list[Whom]] = field(default_factory=dict)

    @classmethod
    def load(cls, session: Session, content: RuleContent) -> "Resolver":
        actions = content.messages
        wanted = recipients_in(actions)
        roles = {one.role_id for one in wanted if isinstance(one, RoleRecipient)}
        return cls(content, actions, roles, RelatedRecipient(Relation.CUSTOMER) in wanted, load_everybody(session, wanted))

    @cached_property
    def parts(self) -> list[Part]:
        """Where those stand whom the rule tells."""
        places = {
            "role": Part("people"),
            "responsible": Part("fields", "responsible"),
            "author": Part("fields", "author"),
            "previous": Part("was"),
        }
        kinds = dict.fromkeys(one.kind for one in recipients_in(self.actions))
        return [places[kind] for kind in kinds if kind in places]

    def readers(self, past: Past, texts: tuple[str | None, ...]) -> list[Whom]:
        """Of each message."""
        key = (texts, past.actor_id, past.customer)
        if key not in self.known:
            facts = facts_of(self.parts, texts)
            filled = {int(role): id_ for role, id_ in (facts.people or {}).items() if isinstance(id_, int) and int(role) in self.roles}
            fields = facts.fields or {}
            parties = PastParties(_id_in(fields, "responsible"), _id_in(fields, "author"), past.customer or PastCustomer())
            directory = replace(self.directory, mover_id=past.actor_id, previous_id=_id_in(facts.was or {}, "responsible"))
            self.known[key] = self._resolved(OnOrder(parties, filled), directory, past.actor_id)
        return self.known[key]

    def _resolved(self, order: OnOrder, directory: Directory, actor_id: int | None) -> list[Whom]:
        written: dict[tuple[Channel, str, int], Whom] = {}
        for action in self.actions:
            found = resolve(action.recipients, order, directory, actor_id, self.content.tell_actor, action.channel)
            for channel, readers in ((action.channel, found.recipients), (Channel.NOTICE, found.by_bell)):
                for reader in readers:
                    whom = Whom(str(reader.person_id or reader.address), reader.addressee)
                    written.setdefault((channel, reader.address.casefold(), action.template_id), whom)
        return list(written.values())


def _id_in(values: Mapping[str, object], name: str) -> int | None:
    """Of a reference that facts keep."""
    found = values.get(name)
    return found.get("id") if isinstance(found, dict) else None


def _beside(session: Session, tested: Backtest, rule_id: int, since: datetime, would: Counter[Whom]) -> None:
    """What the saved rule did in the same time, and the readers of both."""
    got: Counter[Whom] = Counter()
    if rule_id:
        tested.runs = session.scalar(
            select(func.count()).select_from(Run).where(Run.rule_id == rule_id, Run.at >= since, Run.outcome != Outcome.LOGGED.value)
        )
        rows = session.execute(
            select(Message.person_id, Message.address, Message.name, func.count())
            .where(Message.rule_id == rule_id, Message.created_at >= since, Message.kind == "rule", Message.state != "cancelled")
            .group_by(Message.person_id, Message.address, Message.name)
        )
        for person_id, address, name, count in rows:
            got[Whom(str(person_id or address), name or address)] += count
        tested.sent = sum(got.values())
    names = dict([*got, *would])
    both = {whom: [0, 0] for whom in names}
    for place, counts in enumerate((would, got)):
        for (whom, _name), count in counts.items():
            both[whom][place] += count
    tested.readers = sorted(
        (Reader(names[whom], *counts) for whom, counts in both.items()), key=lambda one: (-one.would, -one.got, one.name)
    )
