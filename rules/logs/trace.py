"""What an event's rules saw and did: each rule that it would wake, judged again on the event's facts by its version of that
time; its run, its letters, and what it changed. A fixed number of statements."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from kanban.errors import NotFound
from kanban.facts import KINDS
from kanban.i18n import _, moment, ngettext
from kanban.models import Event, Order, Todo
from rules.actions import is_hidden, without_hidden
from rules.evaluator import WITH_STATUS, trigger_key, trigger_keys
from rules.fields import RuleFields
from rules.logs.why import Judgement, judge_rule
from rules.lookup import Lookup, load_lookup
from rules.models import Later, Message, Rule, RuleVersion, Run
from rules.rules import said_in
from rules.words.happened import what_happened
from rules.words.seen import Compared, compared, start_compared
from rules.words.sentences import Sentence, sentence_of
from rules.words.silence import Note, action_words, explained_all

MOST_RULES = 1_000  # looked at
MOST_SHOWN = 100
MOST_LETTERS = 500
ORDER = {"ran": 0, "held": 1}
MOST_OF_RULE = 20  # letters or notes of one rule


@dataclass(frozen=True)
class Letter:
    """Named as the letter's own columns are. why: how its reader was chosen, in words."""

    id: int
    channel: str
    name: str
    address: str
    subject: str
    state: str
    attempts: int
    due_at: datetime
    error: str
    dropped: str
    why: str


@dataclass(frozen=True)
class Caused:
    """An event that a rule, or the news of a linked order, made of this one; id None: a to-do that a rule gave."""

    id: int | None
    order_id: int
    number: str
    what: str


class Cause(NamedTuple):
    """What made an event. rule: its name, or ""; what: what had happened then."""

    event_id: int
    order_id: int
    number: str
    rule: str
    what: str


@dataclass(frozen=True)
class Traced:
    """One rule. verdict: ran, held (all held, and yet there is no run), no or unknown. number: of the version that was judged.

    start and failed: what did not hold, if it did not run. of: how many criteria there are.
    """

    id: int
    name: str
    verdict: str
    sentence: Sentence
    number: int
    written_at: datetime
    newest: int
    mode: str
    outcome: str
    start: Compared | None
    failed: tuple[Compared, ...]
    of: int
    letters: tuple[Letter, ...]
    notes: tuple[Note, ...]
    caused: tuple[Caused, ...]
    more: int


@dataclass(frozen=True)
class Trace:
    """later: names of rules that start at such an event now, and did not then. told: linked orders that heard of the event.
    cause: what made it. quiet: it took a move back before any letter had left, so no rule was asked. hidden: rules beyond those shown."""

    event: Event
    order_number: str
    rules: tuple[Traced, ...]
    later: tuple[str, ...]
    told: tuple[Caused, ...]
    cause: Cause | None
    quiet: bool
    hidden: int

    def of(self, *verdicts: str) -> list[Traced]:
        return [one for one in self.rules if one.verdict in verdicts]


def trace_event(session: Session, order_id: int, event_id: int, *, hidden: bool = True) -> Trace:
    """hidden: with hidden copies, which only administrators see. Raises NotFound."""
    found = session.execute(
        select(Event, Order.number).join(Order, Order.id == Event.order_id).where(Event.id == event_id, Event.order_id == order_id)
    ).one_or_none()
    if found is None:
        raise NotFound(_("There is no such event."))
    event, number = found
    keys = set(_keys(event))
    runs = {run.rule_id: run for run in session.scalars(select(Run).where(Run.event_id == event.id).limit(MOST_RULES))}
    known = _Known(
        event, runs, _letters(session, event, hidden), _caused(session, event), _later_actions(session, event), load_lookup(session), hidden
    )
    judged = sorted((_judged(event, *found, runs.get(found[0].id)) for found in _versions(session, event, keys, runs)), key=_place)
    return Trace(
        event, number, tuple(_traced(one, known) for one in judged[:MOST_SHOWN]),
        _later(session, event, keys, {one.rule.id for one in judged}), tuple(known.caused[None]), _cause(session, event),
        not runs and _was_quiet(session, event), max(0, len(judged) - MOST_SHOWN),
    )  # fmt: skip


@dataclass(frozen=True)
class _Judged:
    """A rule, its version of that time, the number of its newest, and what came of it: see Traced.verdict."""

    rule: Rule
    version: RuleVersion
    newest: int
    verdict: str
    judgement: Judgement


@dataclass(frozen=True)
class _Known:
    """All there is of an event, by rule."""

    event: Event
    runs: Mapping[int, Run]
    letters: Mapping[int, list[Letter]]
    caused: Mapping[int | None, list[Caused]]
    later: Mapping[int, list[Later]]
    lookup: Lookup
    hidden: bool


def _judged(event: Event, rule: Rule, version: RuleVersion, newest: int, run: Run | None) -> _Judged:
    judged = judge_rule(version.trigger, version.options, version.criteria, event.facts, KINDS)
    verdict = "ran" if run else "held" if judged.matched else "unknown" if judged.started and judged.truth is None else "no"
    return _Judged(rule, version, newest, verdict, judged)


def _place(one: _Judged) -> tuple[int, int]:
    """Those that ran first, then by age."""
    return ORDER.get(one.verdict, len(ORDER)), one.rule.id


def _keys(event: Event) -> list[str]:
    before, after = (side.get("status") for side in (event.before, event.after))
    ids = [side.get("id") if isinstance(side, Mapping) else None for side in (before, after)]
    return trigger_keys(event.kind, event.board_id, ids[0], ids[1], event.facts)


def _versions(session: Session, event: Event, keys: set[str], runs: Mapping[int, Run]) -> list[tuple[Rule, RuleVersion, int]]:
    """(rule, its version of that time, the number of its newest) of each rule that ran or would have been woken."""
    parts = [key.split(":") for key in keys]
    statuses = {int(part[1]) for part in parts if part[0] in WITH_STATUS and part[1].isdigit()}
    alone = {int(part[1]) for part in parts if part[0] == "rule" and part[1].isdigit()}
    newest_then = select(func.max(RuleVersion.id)).where(RuleVersion.created_at <= event.at).group_by(RuleVersion.rule_id)
    newest = select(func.max(RuleVersion.number)).where(RuleVersion.rule_id == Rule.id).correlate(Rule).scalar_subquery()
    triggers = {part[0] for part in parts} - set(WITH_STATUS)
    wakes = or_(
        RuleVersion.trigger.in_(triggers),
        RuleVersion.trigger.in_({part[0] for part in parts}) & RuleVersion.status_id.in_(statuses),
        Rule.id.in_(alone),
    )
    of_runs = RuleVersion.id.in_([run.version_id for run in runs.values()])
    board = func.coalesce(RuleVersion.board_id, Rule.board_id) == event.board_id
    rows = session.execute(
        select(Rule, RuleVersion, newest)
        .join(RuleVersion, RuleVersion.rule_id == Rule.id)
        .where(of_runs | (RuleVersion.id.in_(newest_then) & board & wakes))
        .order_by(of_runs.desc(), Rule.id)
        .limit(2 * MOST_RULES)
    ).all()
    chosen: dict[int, tuple[Rule, RuleVersion, int]] = {}
    for rule, version, number in rows:
        run = runs.get(rule.id)
        if run.version_id == version.id if run else _key_of(rule, version) in keys:
            chosen[rule.id] = (rule, version, number)
    return list(chosen.values())


def _key_of(rule: Rule, version: RuleVersion) -> str:
    return trigger_key(version.trigger, rule.id, version.board_id or rule.board_id, version.status_id, version.options)


def _traced(one: _Judged, known: _Known) -> Traced:
    rule, version, facts = one.rule, one.version, known.event.facts
    run, letters = known.runs.get(rule.id), known.letters[rule.id]
    notes = _notes(run, version, known.later[rule.id], known.hidden) if run else []
    said = said_in(version, _now(rule))
    said = said if known.hidden else replace(said, actions=without_hidden(said.actions))
    start = None if run or one.judgement.started else start_compared(version.trigger, version.options, facts)
    failed = () if run else one.judgement.failed[:MOST_OF_RULE]
    return Traced(
        rule.id, rule.name, one.verdict, sentence_of(said, known.lookup), version.number, version.created_at,
        one.newest, rule.mode, run.outcome if run else "", start, tuple(compared(part, facts, known.lookup) for part in failed),
        one.judgement.asked, tuple(letters[:MOST_OF_RULE]), tuple(notes[:MOST_OF_RULE]), tuple(known.caused[rule.id]),
        max(0, len(letters) - MOST_OF_RULE) + max(0, len(notes) - MOST_OF_RULE),
    )  # fmt: skip


def _now(rule: Rule) -> RuleFields:
    """What said_in takes name, board and mode from."""
    return RuleFields(rule.name, rule.board_id, "", active=rule.active, log_only=rule.log_only, paused_until=rule.paused_until)


def _notes(run: Run, version: RuleVersion, later: list[Later], hidden: bool) -> list[Note]:
    """Of the run, and of what still waits for its time or was dropped."""
    known = {str(version.actions[one.action]["do"]) for one in later}
    shown = [note for note in run.notes if hidden or not note.get("hidden")]
    found = explained_all(note for note in shown if note.get("why") != "later" or note.get("name") not in known)
    for one in later:
        words = {
            "waiting": _("waits until %(time)s", time=moment(one.due_at)), "failed": _("could not be done at its time"),
            "cancelled": _("was dropped: the event was taken back") if one.why == "undone" else "",
        }.get(one.state)  # fmt: skip
        if words:
            found.append(Note(action_words(str(version.actions[one.action]["do"])), words, one.state == "failed", False))
    return found


def _later_actions(session: Session, event: Event) -> dict[int, list[Later]]:
    """By rule: the actions that were put off."""
    found: dict[int, list[Later]] = defaultdict(list)
    for one in session.scalars(select(Later).where(Later.event_id == event.id).order_by(Later.id).limit(MOST_RULES)):
        found[one.rule_id].append(one)
    return found


def _letters(session: Session, event: Event, hidden: bool) -> dict[int, list[Letter]]:
    """By rule. Copies that somebody sent again are not the rule's."""
    rows = session.execute(
        select(Message.rule_id, Message.id, Message.channel, Message.name, Message.address, Message.subject, Message.state,
               Message.attempts, Message.due_at, Message.error, Message.dropped, Message.layout)
        .where(Message.event_id == event.id, Message.kind == "rule", Message.rule_id.is_not(None))
        .order_by(Message.id).limit(MOST_LETTERS)
    )  # fmt: skip
    found: dict[int, list[Letter]] = defaultdict(list)
    for row in rows:
        if is_hidden(row.layout) and not hidden:
            continue
        found[row.rule_id or 0].append(
            Letter(row.id, row.channel, row.name, row.address, row.subject, row.state, row.attempts, row.due_at, row.error, row.dropped,
                   chosen_words(row.layout.get("why") or {}))
        )  # fmt: skip
    return found


def chosen_words(why: Mapping[str, Any]) -> str:
    """Why a recipient was chosen (rules.running.recipients)."""
    if why.get("copy"):
        chosen = chosen_words({name: value for name, value in why.items() if name != "copy"})
        return _("a copy: %(why)s", why=chosen) if why["copy"] == "cc" else _("a hidden copy: %(why)s", why=chosen)
    role = str(why.get("role", ""))
    if why.get("kind") == "role":
        if why.get("filled"):
            return _("%(role)s of this order", role=role)
        if why.get("responsible"):
            return _("%(role)s: responsible for this order, and holds the role", role=role)
        return _("%(role)s: nobody is on this order, so all who hold the role are told", role=role)
    if why.get("kind") == "list":
        return ngettext("%(num)d order", "%(num)d orders", why.get("orders", 0))
    words = {
        "responsible": _("responsible for this order"), "author": _("placed this order"), "person": _("named by the rule"),
        "customer": _("the customer of this order"), "address": _("an address that the rule names"),
        "mover": _("did it"), "previous": _("was responsible before"),
    }  # fmt: skip
    return words.get(str(why.get("kind")), "")


def _caused(session: Session, event: Event) -> dict[int | None, list[Caused]]:
    """By rule; under None what linked orders were told."""
    rows = session.execute(
        select(Event.id, Event.order_id, Order.number, Event.kind, Event.before, Event.after, Event.cause_rule_id)
        .join(Order, Order.id == Event.order_id)
        .where(Event.cause_event_id == event.id)
        .order_by(Event.id)
        .limit(MOST_RULES)
    )
    found: dict[int | None, list[Caused]] = defaultdict(list)
    for id_, order_id, number, kind, before, after, rule_id in rows:
        found[rule_id].append(Caused(id_, order_id, number, what_happened(kind, before, after)))
    todos = (
        select(Todo.order_id, Order.number, Todo.text, Todo.cause_rule_id)
        .join(Order, Order.id == Todo.order_id)
        .where(Todo.cause_event_id == event.id)
        .order_by(Todo.id)
        .limit(MOST_RULES)
    )
    for order_id, number, said, rule_id in session.execute(todos):
        found[rule_id].append(Caused(None, order_id, number, _("to-do: %(what)s", what=said)))
    return found


def _cause(session: Session, event: Event) -> Cause | None:
    if event.cause_event_id is None:
        return None
    row = session.execute(
        select(Event.id, Event.order_id, Order.number, Rule.name, Event.kind, Event.before, Event.after)
        .join(Order, Order.id == Event.order_id)
        .outerjoin(Rule, Rule.id == event.cause_rule_id)
        .where(Event.id == event.cause_event_id)
    ).one_or_none()
    return Cause(row[0], row[1], row[2], row[3] or "", what_happened(row.kind, row.before, row.after)) if row else None


def _was_quiet(session: Session, event: Event) -> bool:
    """Whether it took a move back of whose letters none had left."""
    if event.undoes_id is None:
        return False
    caused = select(Event.id).where(Event.cause_event_id == event.undoes_id)
    of_move = (Message.event_id == event.undoes_id) | Message.event_id.in_(caused)
    return session.scalar(select(Message.id).where(of_move, Message.kind == "rule", Message.state != "cancelled").limit(1)) is None


def _later(session: Session, event: Event, keys: set[str], shown: set[int]) -> tuple[str, ...]:
    rows = session.execute(select(Rule.id, Rule.name).where(Rule.trigger_key.in_(keys), Rule.board_id == event.board_id).order_by(Rule.id))
    return tuple(name for id_, name in rows.fetchmany(MOST_RULES) if id_ not in shown)
