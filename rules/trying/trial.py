"""Trying a rule: what it would do to an imagined event, as its run would, with nothing sent, changed or stored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from kanban import clock
from kanban.actor import Actor
from kanban.config import Config
from kanban.criteria import Truth, Verdict
from kanban.facts import KINDS
from kanban.models import Event, Order
from rules.evaluator import LIST, evaluate, starts, trigger_key, trigger_keys
from rules.fields import RuleFields
from rules.logs.trace import chosen_words
from rules.logs.why import Failed
from rules.lookup import Lookup
from rules.post import outbox
from rules.running.changes import least_loaded
from rules.running.lists import Listed, make_list
from rules.running.maker import Maker
from rules.running.woken import Said, Woken
from rules.trying.imagined import Imagined, event_of, find_fitting
from rules.words.clauses import Send
from rules.words.seen import Compared, compared, start_compared
from rules.words.sentences import sentence_of
from rules.words.silence import Note, explained

MOST_SENT = 5  # letters of one trial that may be sent to whoever tries it


@dataclass(frozen=True)
class Asked:
    """A criterion: whether it holds (None: unknown), what was seen and wanted. depth: in how many groups it stands."""

    truth: Truth
    compared: Compared
    depth: int


@dataclass(frozen=True)
class Told:
    """Who would get a message, by which channel, and why they were chosen."""

    name: str
    channel: str
    why: str


@dataclass(frozen=True)
class Trial:
    """start: what did not hold of the start condition. rows: the messages, as the outbox would keep them."""

    order: Order
    event: Event
    starts: bool
    start: Compared | None
    truth: Truth
    asked: tuple[Asked, ...]
    told: tuple[Told, ...]
    notes: tuple[Note, ...]
    changes: tuple[Send, ...]
    rows: tuple[dict[str, Any], ...]

    @property
    def matched(self) -> bool:
        return self.starts and self.truth is True

    @property
    def texts(self) -> list[dict[str, Any]]:
        """One message of each template and channel."""
        return list({(row["template_id"], row["channel"]): row for row in reversed(self.rows)}.values())[::-1]


def try_rule(session: Session, rule_id: int, fields: RuleFields, number: str, imagined: Imagined, actor: Actor, config: Config,
             lookup: Lookup) -> Trial:  # fmt: skip
    """fields: sensible ones (rules.sense.require_sense). Raises Invalid where there is no such order."""
    order = find_fitting(session, fields, number)
    event = event_of(session, rule_id, fields, order, imagined, actor, lookup.statuses_of(fields.board_id))
    verdict = evaluate(fields.criteria, event.facts, KINDS)
    is_start = _is_woken(rule_id, fields, event) and starts(fields.trigger, fields.options, event.facts)
    said = Said(0, fields.trigger, fields.options, fields.criteria, fields.actions, fields.tell_actor)
    run, rows = _run(session, event, order, Woken(rule_id, fields.board_id, fields.name, False, said), config)
    leaves = [(part, depth) for part, depth in _leaves(verdict, 0)]
    return Trial(
        order, event, is_start, None if is_start else start_compared(fields.trigger, fields.options, event.facts), verdict.truth,
        tuple(Asked(one.truth, compared(Failed(place + 1, one), event.facts, lookup), depth) for place, (one, depth) in enumerate(leaves)),
        tuple(Told(row["name"] or row["address"], row["channel"], chosen_words(row["layout"].get("why") or {})) for row in rows),
        tuple(explained(note) for note in run["notes"]), _changes(session, said, fields, lookup), tuple(rows),
    )  # fmt: skip


def _run(session: Session, event: Event, order: Order, woken: Woken, config: Config) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The run and the messages; of a list, those about all orders there are on it now."""
    if woken.said.trigger == LIST:
        rule = Listed(woken.id, woken.name, woken.board_id, 0, woken.said.criteria, woken.said.actions)
        made = make_list(session, rule, "try", event.at, config)
        return made.run_of(rule, event.at), made.rows
    return Maker.load(session, event, order, [woken], config, set()).run(woken)


def _is_woken(rule_id: int, fields: RuleFields, event: Event) -> bool:
    key = trigger_key(fields.trigger, rule_id, fields.board_id, fields.status_id, fields.options)
    before, after = (side.get("status", {}).get("id") for side in (event.before, event.after))
    return key in trigger_keys(event.kind, event.board_id, before, after, event.facts)


def _leaves(verdict: Verdict, depth: int) -> Iterator[tuple[Verdict, int]]:
    if verdict.field:
        yield verdict, max(0, depth - 1)
    for part in verdict.parts:
        yield from _leaves(part, depth + 1)


def _changes(session: Session, said: Said, fields: RuleFields, lookup: Lookup) -> tuple[Send, ...]:
    """In words; of the least busy of a role, who that is today."""
    words = [send for send, action in zip(sentence_of(fields, lookup).sends, fields.actions, strict=False) if action in said.changes]
    made = []
    for send, action in zip(words, said.changes, strict=False):
        person = lookup.people.get(least_loaded(session, action["least"]) or 0) if action.get("least") else None
        made.append(replace(send, to=(person.name,)) if person else send)
    return tuple(made)


def to_oneself(trial: Trial, actor: Actor, config: Config) -> list[dict[str, Any]]:
    """The trial's letters as rows of the outbox, one of each template, to whoever tries the rule."""
    return [_to_oneself(row, actor, config) for row in trial.texts if row["channel"] == "email"][:MOST_SENT]


def _to_oneself(row: dict[str, Any], actor: Actor, config: Config) -> dict[str, Any]:
    host = config.public_host
    key = outbox.message_key(f"try-{uuid4().hex[:12]}", "email", actor.email, row["template_id"])
    now = clock.now()
    mine = {"person_id": actor.id, "name": actor.name, "address": actor.email}
    aside = {"event_id": None, "rule_id": None, "kind": "test", "key": key, "message_id": outbox.message_id(key, host)}
    return (
        row
        | mine
        | aside
        | {"due_at": now, "created_at": now, "layout": {**row["layout"], "to": None, "cc": None, "why": {"kind": "trial"}}}
    )


def send_to_oneself(session: Session, trial: Trial, actor: Actor, config: Config) -> int:
    """How many letters that were."""
    rows: Sequence[dict[str, Any]] = to_oneself(trial, actor, config)
    outbox.enqueue(session, [], rows)
    return len(rows)
