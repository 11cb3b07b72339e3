"""Rules that an event triggers, and what their versions say: of each version that is read once, as it never changes."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from kanban.criteria import Prepared, prepared
from kanban.db import table
from kanban.facts import Facts, read_facts
from kanban.fields import catalogue_of
from kanban.models import Event
from rules.definition.actions import Action, Change
from rules.definition.content import RuleContent, StoredContent, read_or_broken
from rules.definition.evaluator import Happened, keys_of_linked, starts, trigger_keys
from rules.definition.message_action import SendMessage
from rules.definition.outcomes import Note, Reason
from rules.models import Rule, RuleVersion

_R, _V = table(Rule).c, table(RuleVersion).c
_TRIGGERED = (
    select(_R.id, _R.board_id, _R.name, _R.log_only, _R.version_id)
    .where(
        _R.trigger_key.in_(bindparam("keys", expanding=True)),
        _R.active,
        _R.version_id.is_not(None),
        or_(_R.paused_until.is_(None), _R.paused_until <= bindparam("at")),
    )
    .order_by(_R.id)
)
_VERSIONS = (
    select(_V.id, _R.board_id, _V.trigger, _V.status_id, _V.options, _V.criteria, _V.actions, _V.tell_actor)
    .join(table(Rule), _R.id == _V.rule_id)
    .where(_V.id.in_(bindparam("ids", expanding=True)))
)
MOST_KEPT, AT_ONCE = 8_000, 5_000  # a version that was asked takes some 8 kB


@dataclass(frozen=True)
class Version:
    """What a version of a rule says; what follows from that alone is made when it is first asked for, and stays.

    broken: why it can't be read, or "".
    """

    id: int
    content: RuleContent
    broken: str = ""

    def matches(self, facts: Facts) -> bool:
        return starts(self.content.trigger, facts) and self._asked.truth(facts) is True

    @cached_property
    def _asked(self) -> Prepared:
        return prepared(self.content.criteria)

    @cached_property
    def messages(self) -> list[SendMessage]:
        return self.content.messages

    @cached_property
    def changes(self) -> list[Change]:
        return self.content.changes

    @cached_property
    def would_change(self) -> list[Note]:
        """Notes of its changes, where they are not made."""
        return [Note(Reason.WOULD_CHANGE, action.code) for action in self.changes]

    @cached_property
    def delayed(self) -> list[tuple[int, Action]]:
        """Its actions that wait for their time, with their places."""
        return [(place, action) for place, action in enumerate(self.content.actions) if action.delay is not None]

    @cached_property
    def at_once(self) -> "Version":
        """The same without them."""
        if not self.delayed:
            return self
        actions = tuple([action for action in self.content.actions if action.delay is None])
        return replace(self, content=replace(self.content, actions=actions))


class TriggeredRule(NamedTuple):
    """A rule as an event finds it. (A tuple: made by the thousand.)"""

    id: int
    board_id: int
    name: str
    log_only: bool
    version: Version


@dataclass
class Versions:
    """What versions of rules say, read once: a version never changes."""

    kept: dict[int, Version] = field(default_factory=dict)

    def of(self, session: Session, ids: list[int]) -> dict[int, Version]:
        missing = [id_ for id_ in ids if id_ not in self.kept]
        if len(self.kept) + len(missing) > MOST_KEPT:
            self.kept, missing = {}, ids
        for start in range(0, len(missing), AT_ONCE):
            rows = session.connection().execute(_VERSIONS, {"ids": missing[start : start + AT_ONCE]})
            for id_, board_id, *stored in rows:
                content, broken = read_or_broken(StoredContent(board_id, *stored), board_id, catalogue_of(board_id))
                self.kept[id_] = Version(id_, content, broken)
        return self.kept


def happened(event: Event, facts: Facts | None = None) -> Happened:
    """An event as triggers look at it."""
    before, after = event.before.get("status", {}).get("id"), event.after.get("status", {}).get("id")
    return Happened(event.kind, event.board_id, before, after, facts or read_facts(event.facts))


def rules_for(session: Session, event: Event, facts: Facts, versions: Versions) -> list[TriggeredRule]:
    """Active rules that an event triggers, but those at rest; those about linked orders among them, by one indexed SELECT."""
    what = happened(event, facts)
    keys = trigger_keys(what)
    if facts.linked:
        keys += keys_of_linked(what, {order.board_id for order in facts.linked})
    if not keys:
        return []
    rows = session.connection().execute(_TRIGGERED, {"keys": keys, "at": event.at}).all()
    known = versions.of(session, [row[-1] for row in rows])
    return [TriggeredRule(id_, board_id, name, log_only, known[version_id]) for id_, board_id, name, log_only, version_id in rows]
