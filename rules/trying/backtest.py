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
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.criteria import CHANGES, Truth, leaves_of, prepared
from kanban.criteria import DAYS as DAY_OPS
from kanban.errors import Invalid
from kanban.facts import KINDS
from kanban.i18n import _
from kanban.models import Order
from rules.actions import addressed, channel_of, recipients_of, sends
from rules.evaluator import BY_ID, LIST, starts
from rules.fields import RuleFields
from rules.models import Message, Run
from rules.running.recipients import Directory, load_everybody, resolve
from rules.trying.past_events import Part, Past, events_for

DAYS = 30
MOST_EVENTS = 200_000  # looked at, the newest first
MOST_LISTED = 20
NEEDS_WAS = ("field", "paid")
OF_LINKED = ("linked", "all_linked")


@dataclass(frozen=True)
class Fired:
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
    latest: list[Fired] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    messages: int = 0
    runs: int | None = None
    sent: int | None = None
    days: list[tuple[date, int]] = field(default_factory=list)


def backtest(session: Session, rule_id: int, fields: RuleFields, most: int = MOST_EVENTS) -> Backtest:
    """fields: sensible ones (rules.sense.require_sense); rule_id: of the saved rule, 0 for a new one."""
    now = clock.now()
    since = now - timedelta(days=DAYS)
    if fields.trigger == LIST:
        raise Invalid(
            _("A list is made of the orders of its day, and those of past days are not kept. Try it instead: it shows the list of now."), ""
        )
    tested = Backtest(partial=fields.trigger in BY_ID)
    judge, post = Judge(fields), Post.load(session, fields)
    parts = judge.parts + post.parts
    of_judge = len(judge.parts)
    per_day: Counter[date] = Counter()
    would: Counter[tuple[str, str]] = Counter()
    for past in events_for(session, rule_id, fields, since, most, parts, customers=post.customers):
        tested.looked += 1
        for order_id, truth in judge.fires(past):
            if truth is None:
                tested.unknown += 1
            if not truth:
                continue
            tested.fired += 1
            per_day[clock.day_of(past.at)] += 1
            if order_id == past.order_id:
                would.update(post.readers(past, past.texts[of_judge:]))
            if len(tested.latest) < MOST_LISTED:
                tested.latest.append(Fired(past.id, order_id, "", past.at, past.actor_name))
    tested.cut = tested.looked == most
    tested.messages = sum(would.values())
    tested.latest = _numbered(session, tested.latest)
    today = clock.day_of(now)
    tested.days = [(day, per_day[day]) for day in (today - timedelta(days=back) for back in range(DAYS, -1, -1))]
    _beside(session, tested, rule_id, since, would)
    return tested


def _numbered(session: Session, latest: list[Fired]) -> list[Fired]:
    rows = session.execute(select(Order.id, Order.number).where(Order.id.in_([one.order_id for one in latest])))
    numbers = dict(rows.all())
    return [replace(one, number=numbers.get(one.order_id, "")) for one in latest]


class Judge:
    """Judges events by the parts of their facts that the rule asks for; parts that were seen before are judged once.

    heard: (event, order) of linked orders that heard of it, because a rule waited for that; of others no facts were stored.
    """

    def __init__(self, fields: RuleFields) -> None:
        self.fields = fields
        self.asked = prepared(fields.criteria, KINDS)
        self.parts = list(dict.fromkeys([*_of_trigger(fields), *_of_criteria(fields.criteria)]))
        self.heard: set[tuple[int | None, int]] = set()
        self.known: dict[tuple[str | None, ...], Any] = {}

    def fires(self, past: Past) -> list[tuple[int, Truth]]:
        """(order, whether the rule would have fired; None: unknown): of the event's own order, or of those it was linked with."""
        if self.fields.trigger in OF_LINKED and past.kind != "order.linked":
            return self._of_others(past)
        if past.kind == "order.linked":
            self.heard.add((past.cause_event_id, past.order_id))
        texts = past.texts[: len(self.parts)]
        if texts not in self.known:
            self.known[texts] = self._truth(facts_of(self.parts, texts))
        return [(past.order_id, self.known[texts])]

    def _truth(self, facts: dict[str, Any]) -> Truth:
        fields = self.fields
        if fields.trigger in NEEDS_WAS and "was" not in facts:
            return None
        if fields.trigger == "field" and fields.options.get("field") not in facts["was"]:
            return False
        return starts(fields.trigger, fields.options, facts) and self.asked.truth(facts)

    def _of_others(self, past: Past) -> list[tuple[int, Truth]]:
        linked = facts_of(self.parts, past.texts[: len(self.parts)]).get("linked") or []
        is_certain = self.fields.trigger == "linked" and not list(leaves_of(self.fields.criteria))
        mine = [one["id"] for one in linked if one.get("board") == self.fields.board_id]
        return [(id_, is_certain or None) for id_ in mine if (past.id, id_) not in self.heard]


def facts_of(parts: Sequence[Part], texts: Sequence[str | None]) -> dict[str, Any]:
    """As much of the facts as was read."""
    facts: dict[str, Any] = {"fields": {}}
    for part, text in zip(parts, texts, strict=True):
        if text is not None and part.field:
            facts["fields"][part.field] = json.loads(text)
        elif text is not None:
            facts[part.name] = json.loads(text)
    return facts


def _of_trigger(fields: RuleFields) -> list[Part]:
    if fields.trigger == "paid":
        return [Part("was"), *(Part("fields", name) for name in ("status_before", "paid", "total"))]
    return [Part("was")] if fields.trigger == "field" else [Part("linked")] if fields.trigger in OF_LINKED else []


def _of_criteria(criteria: Mapping[str, Any]) -> Iterator[Part]:
    for leaf in leaves_of(criteria):
        name = str(leaf["field"])
        yield Part("linked") if name.startswith("linked.") else Part("people") if ":" in name else Part("fields", name)
        if leaf.get("op") in DAY_OPS:
            yield Part("today")
        if leaf.get("op") in CHANGES:
            yield Part("was")


@dataclass
class Post:
    """Resolves recipients by the people of an event's facts; the same people are resolved once."""

    fields: RuleFields
    actions: list[Mapping[str, Any]]
    roles: set[str]
    customers: bool
    directory: Directory
    known: dict[Any, list[tuple[str, str]]] = field(default_factory=dict)

    @classmethod
    def load(cls, session: Session, fields: RuleFields) -> "Post":
        actions = list(sends(fields.actions))
        wanted = recipients_of(actions)
        directory = load_everybody(session, wanted)
        customers = any(one["kind"] == "customer" for one in wanted)
        roles = {str(one["id"]) for one in wanted if one["kind"] == "role"}
        return cls(fields, actions, roles, customers, directory)

    @cached_property
    def parts(self) -> list[Part]:
        """Where those stand whom the rule tells."""
        places = {"role": Part("people"), "responsible": Part("fields", "responsible"), "author": Part("fields", "author"),
                  "previous": Part("was")}  # fmt: skip
        kinds = dict.fromkeys(one["kind"] for one in recipients_of(self.actions))
        return [places[kind] for kind in kinds if kind in places]

    def readers(self, past: Past, texts: tuple[str | None, ...]) -> list[tuple[str, str]]:
        """(whom, their name) of each message: who is a person's id, or an address."""
        key = (texts, past.actor_id, past.customer)
        if key not in self.known:
            facts = facts_of(self.parts, texts)
            people = [(int(role), person) for role, person in (facts.get("people") or {}).items() if role in self.roles]
            ids = [(facts["fields"].get(name) or {}).get("id") for name in ("responsible", "author")]
            before = ((facts.get("was") or {}).get("responsible") or {}).get("id")
            directory = replace(self.directory, mover_id=past.actor_id, previous_id=before)
            self.known[key] = self._resolved(people, ids, directory, past.actor_id, past.customer)
        return self.known[key]

    def _resolved(
        self, filled: list[tuple[int, int]], ids: list[int | None], directory: Directory, actor_id: int | None, customer: Any
    ) -> list[tuple[str, str]]:
        name, email, phone = customer or ("", "", "")
        order: Any = SimpleNamespace(
            people=[SimpleNamespace(role_id=role, person_id=person) for role, person in filled], responsible_id=ids[0],
            author_id=ids[1], customer=SimpleNamespace(name=name, email=email, phone=phone),
        )  # fmt: skip
        written: dict[tuple[str, str, Any], tuple[str, str]] = {}
        for action in self.actions:
            channel = channel_of(action)
            found = resolve(addressed(action), order, directory, actor_id, self.fields.tell_actor, channel)
            for way, readers in ((channel, found.recipients), ("notice", found.by_bell)):
                for one in readers:
                    whom = (str(one.person_id or one.address), one.name or one.address)
                    written.setdefault((way, one.address.casefold(), action["template"]), whom)
        return list(written.values())


def _beside(session: Session, tested: Backtest, rule_id: int, since: datetime, would: Counter[tuple[str, str]]) -> None:
    """What the saved rule did in the same time, and the readers of both."""
    got: Counter[tuple[str, str]] = Counter()
    if rule_id:
        tested.runs = session.scalar(
            select(func.count()).select_from(Run).where(Run.rule_id == rule_id, Run.at >= since, Run.outcome != "logged")
        )
        rows = session.execute(
            select(Message.person_id, Message.address, Message.name, func.count())
            .where(Message.rule_id == rule_id, Message.created_at >= since, Message.kind == "rule", Message.state != "cancelled")
            .group_by(Message.person_id, Message.address, Message.name)
        )
        for person_id, address, name, count in rows:
            got[str(person_id or address), name or address] += count
        tested.sent = sum(got.values())
    names = dict([*got, *would])
    both = {whom: [0, 0] for whom in names}
    for place, counts in enumerate((would, got)):
        for (whom, _name), count in counts.items():
            both[whom][place] += count
    tested.readers = sorted(
        (Reader(names[whom], *counts) for whom, counts in both.items()), key=lambda one: (-one.would, -one.got, one.name)
    )
