"""Rules that an event wakes, and what their versions say: of each version that is read once, as it never changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from kanban.criteria import Prepared, prepared
from kanban.db import table
from kanban.facts import KINDS
from kanban.models import Event
from rules import actions as action_kinds
from rules.evaluator import passes_on, starts, trigger_keys
from rules.models import Rule, RuleVersion
from rules.stored import is_readable

_R, _V = table(Rule).c, table(RuleVersion).c
_WOKEN = (
    select(_R.id, _R.board_id, _R.name, _R.log_only, _R.version_id)
    .where(
        _R.trigger_key.in_(bindparam("keys", expanding=True)), _R.active, _R.version_id.is_not(None),
        or_(_R.paused_until.is_(None), _R.paused_until <= bindparam("at")),
    )
    .order_by(_R.id)
)  # fmt: skip
_SAID = select(_V.id, _V.trigger, _V.options, _V.criteria, _V.actions, _V.tell_actor).where(_V.id.in_(bindparam("ids", expanding=True)))
MOST_KEPT, AT_ONCE = 8_000, 5_000  # a version that was asked takes some 8 kB


@dataclass(frozen=True)
class Said:
    """What a version of a rule says; what follows from that alone is made when it is first asked for, and stays."""

    version_id: int
    trigger: str
    options: dict[str, Any]
    criteria: dict[str, Any]
    actions: list[dict[str, Any]]
    tell_actor: bool

    @cached_property
    def is_readable(self) -> bool:
        return is_readable(self.trigger, self.options, self.criteria, self.actions)

    def matches(self, facts: Mapping[str, Any]) -> bool:
        return starts(self.trigger, self.options, facts) and self._asked.truth(facts) is True

    @cached_property
    def _asked(self) -> Prepared:
        return prepared(self.criteria, KINDS)

    @cached_property
    def sends(self) -> list[Mapping[str, Any]]:
        """Its actions that send a message."""
        return action_kinds.sends(self.actions)

    @cached_property
    def changes(self) -> list[dict[str, Any]]:
        """Its actions that change orders."""
        return [action for action in self.actions if action.get("do") not in action_kinds.CHANNEL_OF]

    @cached_property
    def would_change(self) -> list[dict[str, Any]]:
        """Notes of them, where they are not made."""
        return [{"why": "would_change", "name": action["do"]} for action in self.changes]

    @cached_property
    def later(self) -> list[tuple[int, dict[str, Any]]]:
        """Its actions that wait for their time, with their places."""
        return [(place, action) for place, action in enumerate(self.actions) if "after" in action]

    @cached_property
    def at_once(self) -> "Said":
        """The same without them."""
        return replace(self, actions=[action for action in self.actions if "after" not in action]) if self.later else self


class Woken(NamedTuple):
    """A rule as an event finds it. (A tuple: made by the thousand.)"""

    id: int
    board_id: int
    name: str
    log_only: bool
    said: Said


@dataclass
class Versions:
    """What versions of rules say, read once: a version never changes."""

    kept: dict[int, Said] = field(default_factory=dict)

    def of(self, session: Session, ids: list[int]) -> dict[int, Said]:
        missing = [id_ for id_ in ids if id_ not in self.kept]
        if len(self.kept) + len(missing) > MOST_KEPT:
            self.kept, missing = {}, ids
        for start in range(0, len(missing), AT_ONCE):
            rows = session.connection().execute(_SAID, {"ids": missing[start : start + AT_ONCE]})
            self.kept |= {row[0]: Said(*row) for row in rows}
        return self.kept


def rules_for(session: Session, event: Event, versions: Versions) -> list[Woken]:
    """Active rules that an event wakes, but those at rest; those about linked orders among them, by one indexed SELECT."""
    before = event.before.get("status", {}).get("id")
    after = event.after.get("status", {}).get("id")
    keys = trigger_keys(event.kind, event.board_id, before, after, event.facts)
    linked = event.facts.get("linked") or []
    if linked:
        keys += passes_on(event.kind, after, event.facts.get("phase", ""), {one["board"] for one in linked})
    if not keys:
        return []
    rows = session.connection().execute(_WOKEN, {"keys": keys, "at": event.at}).all()
    said = versions.of(session, [row[-1] for row in rows])
    return [Woken(id_, board_id, name, log_only, said[version_id]) for id_, board_id, name, log_only, version_id in rows]
