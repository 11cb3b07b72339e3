"""Trying a rule: what it would do to an imagined event, as its run would, with nothing sent, changed or stored."""

from dataclasses import dataclass, replace
from uuid import uuid4

from sqlalchemy.orm import Session

from kanban import clock
from kanban.actor import Actor
from kanban.config import Config
from kanban.criteria import Truth, Verdict, judge
from kanban.models import Event, Order
from rules.definition.actions import Assign, SendMessage
from rules.definition.channels import Channel
from rules.definition.content import RuleFields
from rules.definition.evaluator import starts, trigger_key, trigger_keys
from rules.definition.judgement import Failed
from rules.definition.triggers import Weekly
from rules.post import outbox
from rules.post.entry import OutboxEntry, message_key
from rules.queries.lookup import RuleLookup
from rules.running.changes import least_busy
from rules.running.lists import ListRule, make_list
from rules.running.message_builder import MessageBuilder
from rules.running.run_draft import RunDraft
from rules.running.triggered import TriggeredRule, Version, happened
from rules.trying.imagined import Imagined, ImaginedEvent, event_of, find_fitting
from rules.words.actions import Clause
from rules.words.chosen import chosen_words
from rules.words.compared import Compared, compared, start_compared
from rules.words.reasons import Explained, explained
from rules.words.sentences import sentence_of

MOST_SENT = 5  # e-mails of one trial that may be sent to whoever tries it


@dataclass(frozen=True)
class Asked:
    """A criterion: whether it holds (None: unknown), what was seen and wanted. depth: in how many groups it stands."""

    truth: Truth
    compared: Compared
    depth: int


@dataclass(frozen=True)
class TrialRecipient:
    """Who would get a message, by which channel, and why they were chosen."""

    name: str
    channel: Channel
    why: str


@dataclass(frozen=True)
class Trial:
    """start: what did not hold of the start condition. messages: as the outbox would get them."""

    order: Order
    event: Event
    starts: bool
    start: Compared | None
    truth: Truth
    asked: tuple[Asked, ...]
    told: tuple[TrialRecipient, ...]
    notes: tuple[Explained, ...]
    changes: tuple[Clause, ...]
    messages: tuple[OutboxEntry, ...]

    @property
    def matched(self) -> bool:
        return self.starts and self.truth is True

    @property
    def texts(self) -> list[OutboxEntry]:
        """One message of each template and channel."""
        return list({(message.template_id, message.channel): message for message in reversed(self.messages)}.values())[::-1]


def try_rule(
    session: Session, rule_id: int, fields: RuleFields, number: str, imagined: Imagined, actor: Actor, config: Config, lookup: RuleLookup
) -> Trial:
    """fields: valid ones (rules.editing.validation). Raises Invalid where there is no such order."""
    content = fields.content
    order = find_fitting(session, content, number)
    imagined_event = event_of(session, rule_id, content, order, imagined, actor, lookup.statuses_of(content.board_id))
    event, facts = imagined_event
    verdict = judge(content.criteria, facts)
    key = trigger_key(content.trigger, rule_id, content.board_id)
    is_start = key in trigger_keys(happened(event, facts)) and starts(content.trigger, facts)
    rule = TriggeredRule(rule_id, content.board_id, fields.name, False, Version(0, content))
    run = _run(session, imagined_event, order, rule, config)
    asked = [
        Asked(leaf.truth, compared(Failed(number, leaf), facts, content.board_id, lookup), depth)
        for number, (leaf, depth) in enumerate(_leaves(verdict), 1)
    ]
    told = [TrialRecipient(one.addressee, one.channel, chosen_words(one.layout.chosen)) for one in run.messages]
    return Trial(
        order,
        event,
        is_start,
        None if is_start else start_compared(content.trigger, facts),
        verdict.truth,
        tuple(asked),
        tuple(told),
        tuple(map(explained, run.notes)),
        _changes(session, fields, lookup),
        tuple(run.messages),
    )


def _run(session: Session, imagined: ImaginedEvent, order: Order, rule: TriggeredRule, config: Config) -> RunDraft:
    """The run with its messages; of a list, those about all orders there are on it now."""
    event, facts = imagined
    if isinstance(rule.version.content.trigger, Weekly):
        return make_list(session, ListRule(rule.id, rule.name, 0, rule.version.content), "try", event.at, config)
    return MessageBuilder.load(session, event, facts, order, [rule], config, set()).run(rule)


def _leaves(verdict: Verdict, depth: int = 0) -> list[tuple[Verdict, int]]:
    """Verdicts of criteria, each with how deep it stands."""
    own = [(verdict, max(0, depth - 1))] if verdict.criterion is not None else []
    return own + [leaf for part in verdict.parts for leaf in _leaves(part, depth + 1)]


def _changes(session: Session, fields: RuleFields, lookup: RuleLookup) -> tuple[Clause, ...]:
    """In words; of the least busy of a role, who that is today."""
    made = []
    for clause, action in zip(sentence_of(fields, lookup).clauses, fields.content.actions, strict=True):
        if not isinstance(action, SendMessage):
            least = action.least_busy_of if isinstance(action, Assign) else None
            person = lookup.people.get(least_busy(session, least) or 0) if least else None
            made.append(replace(clause, to=(person.name,)) if person else clause)
    return tuple(made)


def to_oneself(trial: Trial, actor: Actor) -> list[OutboxEntry]:
    """The trial's e-mails, one of each template, to whoever tries the rule."""
    return [_to_oneself(message, actor) for message in trial.texts if message.channel is Channel.EMAIL][:MOST_SENT]


def _to_oneself(message: OutboxEntry, actor: Actor) -> OutboxEntry:
    key = message_key(f"try-{uuid4().hex[:12]}", Channel.EMAIL, actor.email, message.template_id or 0)
    mine = replace(message, key=key, kind="test", person_id=actor.id, name=actor.name, address=actor.email)
    return replace(mine.at(clock.now()), event_id=None, rule_id=None, layout=message.layout.as_trial())


def send_to_oneself(session: Session, trial: Trial, actor: Actor) -> int:
    """How many e-mails that were."""
    messages = to_oneself(trial, actor)
    outbox.enqueue(session, [], messages)
    return len(messages)
