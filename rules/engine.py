"""From event to runs to letters and changes, inside the transaction of the change. Nothing here may harm a move."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.config import Config
from kanban.db import table
from kanban.events import Outcome, Undone
from kanban.facts import KINDS
from kanban.models import Event, Order
from rules import later, links, mentions, outbox
from rules.chain import Chain
from rules.evaluator import evaluate, passes_on, starts, trigger_keys
from rules.maker import Maker, Woken
from rules.models import Rule, RuleVersion

log = logging.getLogger(__name__)

LATER_COPY = 1000  # a reminder later may be the same letter to the same person
LETTERS = "letters_made"  # counted on the session, so that what rules cause counts for what caused it
Made = tuple[dict[str, Any], list[dict[str, Any]]]  # a run, and its messages


_R, _V = table(Rule).c, table(RuleVersion).c
_WOKEN = (
    select(_R.id, _R.board_id, _R.name, _R.version_id, _R.log_only, _R.paused_until)
    .where(_R.trigger_key.in_(bindparam("keys", expanding=True)), _R.active, _R.version_id.is_not(None))
    .order_by(_R.id)
)
_SAID = select(_V.id, _V.trigger, _V.options, _V.criteria, _V.actions, _V.tell_actor).where(_V.id.in_(bindparam("ids", expanding=True)))
MOST_KEPT, AT_ONCE = 20_000, 5_000


@dataclass
class Versions:
    """What versions of rules say, read once: a version never changes."""

    kept: dict[int, Any] = field(default_factory=dict)

    def of(self, session: Session, ids: list[int]) -> dict[int, Any]:
        missing = [id_ for id_ in ids if id_ not in self.kept]
        if len(self.kept) + len(missing) > MOST_KEPT:
            self.kept, missing = {}, ids
        for start in range(0, len(missing), AT_ONCE):
            rows = session.connection().execute(_SAID, {"ids": missing[start : start + AT_ONCE]})
            self.kept |= {row[0]: tuple(row) for row in rows}
        return self.kept


@dataclass(frozen=True)
class Engine:
    """The listener that app.py sets. config: for the undo window and the host of Message-IDs."""

    config: Config
    versions: Versions = field(default_factory=Versions, repr=False, compare=False)

    def on_event(self, session: Session, event: Event, order: Order) -> Outcome:
        """Runs every rule that the event wakes: letters are queued, then orders changed, each change an event of its own.

        Rules of linked orders' boards hear of it as an event of those orders. The outcome counts all letters there are by then.
        """
        before = session.info.get(LETTERS, 0)
        if event.kind == "order.commented" and event.after.get("mentions"):
            self._mention(session, event, order)
        try:
            woken = rules_for(session, event, self.versions)
            matched = [rule for rule in woken if rule.board_id == event.board_id and _matches(rule, event)]
            if matched:
                letters = self._run(session, event, order, matched)  # first: what it causes counts up too
                session.info[LETTERS] = session.info.get(LETTERS, 0) + letters
            links.pass_on(session, event, {rule.board_id for rule in woken if rule.board_id != event.board_id})
            letters = session.info.get(LETTERS, 0) - before
            return Outcome(letters, self.config.undo_window_s if letters else 0)
        except Exception:
            log.exception("rules failed for event %s", event.id)
            return Outcome()

    def _mention(self, session: Session, event: Event, order: Order) -> None:
        try:
            with session.begin_nested():
                session.info[LETTERS] = session.info.get(LETTERS, 0) + mentions.tell(session, event, order, self.config)
        except Exception:
            log.exception("mentions of event %s could not be told", event.id)

    def _run(self, session: Session, event: Event, order: Order, matched: list[Woken]) -> int:
        maker = Maker.load(session, event, order, matched, self.config)
        waiting = [(rule, later.split(rule)[1]) for rule in matched if not rule.log_only]
        live = [later.split(rule)[0] for rule, _actions in waiting]
        made = [maker.run(rule) for rule in live]
        if any(rule.changes for rule in live):
            chain = Chain.of(session, event)
            for rule, (run, _messages) in zip(live, made, strict=True):
                chain.change(rule, run, maker.values)
        for (_rule, actions), (run, _messages) in zip(waiting, made, strict=True):
            run["notes"] += [{"why": "later", "name": action["do"]} for _place, action in actions]
            run["outcome"] = "done" if actions and run["outcome"] == "nobody" else run["outcome"]
        later.queue(session, event, order, waiting)
        return self._store(session, made + [maker.log(rule) for rule in matched if rule.log_only])

    def perform(self, session: Session, event: Event, order: Order, rule: Woken) -> dict[str, Any]:
        """One later action, now. Returns the run it would be, with its notes."""
        maker = Maker.load(session, event, order, [rule], self.config)
        run, messages = maker.run(rule, copy=LATER_COPY)
        if rule.changes:
            Chain.of(session, event).change(rule, run, maker.values)
        outbox.enqueue(session, [], [message | {"due_at": clock.now(), "created_at": clock.now()} for message in messages])
        return run

    def _store(self, session: Session, made: Sequence[Made]) -> int:
        """One SAVEPOINT around one bulk insert; if it fails, rule by rule, so that one bad row costs only its rule."""
        messages = [message for _, rows in made for message in rows]
        try:
            with session.begin_nested():
                outbox.enqueue(session, [run for run, _ in made], messages)
            return len(messages)
        except Exception:
            log.exception("bulk insert failed")
        stored = 0
        for run, rows in made:
            try:
                with session.begin_nested():
                    outbox.enqueue(session, [run], rows)
                stored += len(rows)
            except Exception:
                log.exception("rule %s could not be stored", run["rule_id"])
                with session.begin_nested():
                    outbox.enqueue(session, [run | {"outcome": "failed", "notes": [{"why": "not_stored"}]}], [])
        return stored

    def on_undo(self, session: Session, event: Event) -> Undone:
        """Cancels the event's letters, if none has gone."""
        cancelled, gone = outbox.cancel(session, event.id)
        if not gone:
            later.cancel(session, event.id)
        return Undone(cancelled, gone)

    def outcome_of(self, session: Session, event: Event) -> Outcome:
        """What still waits of an event: the answer to a repeated request."""
        count, due_at = outbox.waiting_of(session, event.id)
        left = (due_at - clock.now()).total_seconds() if due_at else 0
        return Outcome(count, max(0, round(left)))


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
    rows = session.connection().execute(_WOKEN, {"keys": keys}).all()
    awake = [row for row in rows if row.paused_until is None or row.paused_until <= event.at]
    said = versions.of(session, [row.version_id for row in awake])
    return [_woken(row, said[row.version_id]) for row in awake]


def _woken(row: Any, said: tuple[Any, ...]) -> Woken:
    version_id, trigger, options, criteria, actions, tell_actor = said
    return Woken(
        row.id, row.board_id, row.name, version_id, trigger, options, criteria, actions, tell_actor, row.log_only, row.paused_until
    )


def _matches(rule: Woken, event: Event) -> bool:
    return starts(rule.trigger, rule.options, event.facts) and evaluate(rule.criteria, event.facts, KINDS).truth is True
