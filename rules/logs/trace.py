"""What an event's rules saw and did: each rule that it would trigger, judged again on the event's facts by its version of that
time; its run, its messages, and what it changed. A fixed number of statements."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from kanban.errors import NotFound
from kanban.facts import Facts, read_facts
from kanban.i18n import N_, _, moment
from kanban.models import Event, Order
from rules.definition.actions import without_hidden
from rules.definition.channels import Channel
from rules.definition.content import RuleContent, RuleFields
from rules.definition.evaluator import trigger_key, trigger_keys
from rules.definition.judgement import Judgement, judge_rule
from rules.definition.outcomes import Reason, read_notes
from rules.definition.triggers import OF_STATUS
from rules.logs.causes import Cause, Caused, cause_of, caused_by
from rules.models import Later, Message, Rule, RuleVersion, Run
from rules.post.layout import read_layout
from rules.queries.lookup import RuleLookup, load_rule_lookup
from rules.queries.versions import content_in
from rules.running.triggered import happened
from rules.words.actions import action_label
from rules.words.chosen import chosen_words
from rules.words.compared import Compared, compared, start_compared
from rules.words.reasons import Explained, explained_all
from rules.words.sentences import Sentence, sentence_of

MOST_RULES = 1_000  # looked at
MOST_SHOWN = 100
MOST_MESSAGES = 500
ORDER = {"ran": 0, "held": 1}
MOST_OF_RULE = 20  # messages or notes of one rule


@dataclass(frozen=True)
class TracedMessage:
    """Named as the message's own columns are. why: how its reader was chosen, in words."""

    id: int
    channel: Channel
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
    messages: tuple[TracedMessage, ...]
    notes: tuple[Explained, ...]
    caused: tuple[Caused, ...]
    more: int


@dataclass(frozen=True)
class Trace:
    """later: names of rules that start at such an event now, and did not then. told: linked orders that heard of the event.
    cause: what made it. quiet: it took a move back before any message had left, so no rule was asked. hidden: rules beyond those shown."""

    event: Event
    order_number: str
    rules: tuple[Traced, ...]
    later: tuple[str, ...]
    told: tuple[Caused, ...]
    cause: Cause | None
    quiet: bool
    hidden: int

    def of(self, *verdicts: str) -> list[Traced]:
        return [rule for rule in self.rules if rule.verdict in verdicts]


def trace_event(session: Session, order_id: int, event_id: int, *, hidden: bool = True) -> Trace:
    """hidden: with hidden copies, which only administrators see. Raises NotFound."""
    found = session.execute(
        select(Event, Order.number).join(Order, Order.id == Event.order_id).where(Event.id == event_id, Event.order_id == order_id)
    ).one_or_none()
    if found is None:
        raise NotFound(_("Event not found."))
    event, number = found
    facts = read_facts(event.facts)
    keys = set(trigger_keys(happened(event, facts)))
    runs = {run.rule_id: run for run in session.scalars(select(Run).where(Run.event_id == event.id).limit(MOST_RULES))}
    known = _Known(
        event,
        facts,
        runs,
        _messages(session, event, hidden),
        caused_by(session, event),
        _delayed(session, event),
        load_rule_lookup(session),
        hidden,
    )
    judged = sorted((_judged(facts, one, runs.get(one.rule.id)) for one in _versions(session, event, keys, runs)), key=_place)
    return Trace(
        event,
        number,
        tuple(_traced(one, known) for one in judged[:MOST_SHOWN]),
        _later(session, event, keys, {one.version.rule.id for one in judged}),
        tuple(known.caused[None]),
        cause_of(session, event),
        not runs and _was_quiet(session, event),
        max(0, len(judged) - MOST_SHOWN),
    )


class _VersionThen(NamedTuple):
    """A rule, its version of that time, the number of its newest, and what that version says, or why it can't be read."""

    rule: Rule
    version: RuleVersion
    newest: int
    content: RuleContent
    broken: str


@dataclass(frozen=True)
class _Judged:
    """verdict: see Traced."""

    version: _VersionThen
    verdict: str
    judgement: Judgement


@dataclass(frozen=True)
class _Known:
    """All there is of an event, by rule."""

    event: Event
    facts: Facts
    runs: Mapping[int, Run]
    messages: Mapping[int, list[TracedMessage]]
    caused: Mapping[int | None, list[Caused]]
    delayed: Mapping[int, list[Later]]
    lookup: RuleLookup
    hidden: bool


def _judged(facts: Facts, then: _VersionThen, run: Run | None) -> _Judged:
    judged = judge_rule(then.content, facts)
    verdict = "ran" if run else "held" if judged.matched else "unknown" if judged.started and judged.truth is None else "no"
    return _Judged(then, verdict, judged)


def _place(judged: _Judged) -> tuple[int, int]:
    """Those that ran first, then by age."""
    return ORDER.get(judged.verdict, len(ORDER)), judged.version.rule.id


def _versions(session: Session, event: Event, keys: set[str], runs: Mapping[int, Run]) -> list[_VersionThen]:
    """Of each rule that ran or would have been triggered."""
    parts = [key.split(":") for key in keys]
    statuses = {int(part[1]) for part in parts if part[0] in OF_STATUS and part[1].isdigit()}
    alone = {int(part[1]) for part in parts if part[0] == "rule" and part[1].isdigit()}
    newest_then = select(func.max(RuleVersion.id)).where(RuleVersion.created_at <= event.at).group_by(RuleVersion.rule_id)
    newest = select(func.max(RuleVersion.number)).where(RuleVersion.rule_id == Rule.id).correlate(Rule).scalar_subquery()
    triggers = {part[0] for part in parts} - set(OF_STATUS)
    triggered = or_(
        RuleVersion.trigger.in_(triggers),
        RuleVersion.trigger.in_({part[0] for part in parts}) & RuleVersion.status_id.in_(statuses),
        Rule.id.in_(alone),
    )
    of_runs = RuleVersion.id.in_([run.version_id for run in runs.values()])
    board = func.coalesce(RuleVersion.board_id, Rule.board_id) == event.board_id
    rows = session.execute(
        select(Rule, RuleVersion, newest)
        .join(RuleVersion, RuleVersion.rule_id == Rule.id)
        .where(of_runs | (RuleVersion.id.in_(newest_then) & board & triggered))
        .order_by(of_runs.desc(), Rule.id)
        .limit(2 * MOST_RULES)
    ).all()
    chosen: dict[int, _VersionThen] = {}
    for rule, version, number in rows:
        then = _VersionThen(rule, version, number, *content_in(version, rule.board_id))
        run = runs.get(rule.id)
        if run.version_id == version.id if run else trigger_key(then.content.trigger, rule.id, then.content.board_id) in keys:
            chosen[rule.id] = then
    return list(chosen.values())


def _traced(judged: _Judged, known: _Known) -> Traced:
    then, lookup = judged.version, known.lookup
    rule, version, run = then.rule, then.version, known.runs.get(then.rule.id)
    messages = known.messages[rule.id]
    notes = _notes(run, then.content, known.delayed[rule.id], hidden=known.hidden) if run else []
    fields = RuleFields(rule.name, then.content, rule.active, rule.log_only, rule.paused_until, then.broken)
    fields = fields if known.hidden else fields.with_actions(without_hidden(then.content.actions))
    start = None if run or judged.judgement.started else start_compared(then.content.trigger, known.facts)
    failed = () if run else judged.judgement.failed[:MOST_OF_RULE]
    return Traced(
        rule.id,
        rule.name,
        judged.verdict,
        sentence_of(fields, lookup),
        version.number,
        version.created_at,
        then.newest,
        rule.mode,
        run.outcome if run else "",
        start,
        tuple(compared(part, known.facts, then.content.board_id, lookup) for part in failed),
        judged.judgement.asked,
        tuple(messages[:MOST_OF_RULE]),
        tuple(notes[:MOST_OF_RULE]),
        tuple(known.caused[rule.id]),
        max(0, len(messages) - MOST_OF_RULE) + max(0, len(notes) - MOST_OF_RULE),
    )


_DROPPED = {"undone": N_("was cancelled: the event was undone"), "removed": N_("was cancelled: the order was removed")}


def _notes(run: Run, content: RuleContent, delayed: list[Later], *, hidden: bool) -> list[Explained]:
    """Of the run, and of what still waits for its time or was dropped."""
    codes = {one.id: content.actions[one.action].code for one in delayed if one.action < len(content.actions)}
    shown = [note for note in read_notes(run.notes) if hidden or not note.is_hidden]
    found = explained_all(note for note in shown if note.reason is not Reason.LATER or note.name not in codes.values())
    for one in delayed:
        words = {
            "waiting": _("waiting until %(time)s", time=moment(one.due_at)),
            "failed": _("could not be done on schedule"),
            "cancelled": _(_DROPPED.get(one.why, "")),
        }.get(one.state)
        if words and one.id in codes:
            found.append(Explained(action_label(codes[one.id]), words, one.state == "failed"))
    return found


def _delayed(session: Session, event: Event) -> dict[int, list[Later]]:
    """By rule: the actions that were put off."""
    found: dict[int, list[Later]] = defaultdict(list)
    for one in session.scalars(select(Later).where(Later.event_id == event.id).order_by(Later.id).limit(MOST_RULES)):
        found[one.rule_id].append(one)
    return found


def _messages(session: Session, event: Event, hidden: bool) -> dict[int, list[TracedMessage]]:
    """By rule. Copies that somebody sent again are not the rule's."""
    rows = session.execute(
        select(
            Message.rule_id,
            Message.id,
            Message.channel,
            Message.name,
            Message.address,
            Message.subject,
            Message.state,
            Message.attempts,
            Message.due_at,
            Message.error,
            Message.dropped,
            Message.layout,
        )
        .where(Message.event_id == event.id, Message.kind == "rule", Message.rule_id.is_not(None))
        .order_by(Message.id)
        .limit(MOST_MESSAGES)
    )
    found: dict[int, list[TracedMessage]] = defaultdict(list)
    for row in rows:
        layout = read_layout(row.layout)
        if hidden or not layout.is_hidden:
            found[row.rule_id or 0].append(
                TracedMessage(
                    row.id,
                    Channel(row.channel),
                    row.name,
                    row.address,
                    row.subject,
                    row.state,
                    row.attempts,
                    row.due_at,
                    row.error,
                    row.dropped,
                    chosen_words(layout.chosen),
                )
            )
    return found


def _was_quiet(session: Session, event: Event) -> bool:
    """Whether it took a move back of whose messages none had left."""
    if event.undoes_id is None:
        return False
    caused = select(Event.id).where(Event.cause_event_id == event.undoes_id)
    of_move = (Message.event_id == event.undoes_id) | Message.event_id.in_(caused)
    return session.scalar(select(Message.id).where(of_move, Message.kind == "rule", Message.state != "cancelled").limit(1)) is None


def _later(session: Session, event: Event, keys: set[str], shown: set[int]) -> tuple[str, ...]:
    rows = session.execute(select(Rule.id, Rule.name).where(Rule.trigger_key.in_(keys), Rule.board_id == event.board_id).order_by(Rule.id))
    return tuple(name for id_, name in rows.fetchmany(MOST_RULES) if id_ not in shown)
