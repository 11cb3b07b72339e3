"""From event to runs to letters, inside the transaction of the change. Nothing here may harm a move."""

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.config import Config
from kanban.db import table
from kanban.events import Outcome, Undone
from kanban.facts import KINDS
from kanban.models import Event, Order
from rules import outbox
from rules.evaluator import evaluate, trigger_keys
from rules.maker import Maker, Woken
from rules.models import Rule, RuleVersion

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
    """The listener that app.py sets. config: for the undo window and the host of Message-IDs."""

    config: Config

    def on_event(self, session: Session, event: Event, order: Order) -> Outcome:
        """Runs every rule that the event wakes, and queues its letters."""
        try:
            rules = rules_for(session, event)
            matched = [rule for rule in rules if _matches(rule, event)]
            if not matched:
                return Outcome()
            maker = Maker.load(session, event, order, matched, self.config)
            made = [maker.run(rule) for rule in matched]
            return Outcome(self._store(session, made), self.config.undo_window_s)
        except Exception:
            log.exception("rules failed for event %s", event.id)
            return Outcome()

    def _store(self, session: Session, made: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> int:
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
        return Undone(cancelled, gone)

    def outcome_of(self, session: Session, event: Event) -> Outcome:
        """What still waits of an event: the answer to a repeated request."""
        count, due_at = outbox.waiting_of(session, event.id)
        left = (due_at - clock.now()).total_seconds() if due_at else 0
        return Outcome(count, max(0, round(left)))


_R, _V = table(Rule).c, table(RuleVersion).c
_WOKEN = (
    select(_R.id, _V.id.label("version_id"), _V.criteria, _V.actions, _V.tell_actor)
    .join(table(RuleVersion), _V.id == _R.version_id)
    .where(_R.trigger_key.in_(bindparam("keys", expanding=True)), _R.active)
    .order_by(_R.id)
)


def rules_for(session: Session, event: Event) -> list[Woken]:
    """Active rules that an event wakes, by one indexed SELECT."""
    before = event.before.get("status", {}).get("id")
    after = event.after.get("status", {}).get("id")
    keys = trigger_keys(event.kind, event.board_id, before, after)
    if not keys:
        return []
    return [Woken(*row) for row in session.connection().execute(_WOKEN, {"keys": keys})]


def _matches(rule: Woken, event: Event) -> bool:
    return evaluate(rule.criteria, event.facts, KINDS).truth is True
