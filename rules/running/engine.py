"""From event to runs to letters and changes, inside the transaction of the change. Nothing here may harm a move."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from kanban import clock
from kanban.config import Config
from kanban.events import Outcome, Undone
from kanban.models import Event, Order
from rules.post import outbox
from rules.running import later, links, mentions
from rules.running.chain import Chain
from rules.running.maker import Maker
from rules.running.woken import Versions, Woken, rules_for

log = logging.getLogger(__name__)

LATER_COPY = 1000  # a reminder later may be the same letter to the same person
LETTERS = "letters_made"  # counted on the session, so that what rules cause counts for what caused it
Made = tuple[dict[str, Any], list[dict[str, Any]]]  # a run, and its messages


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
            board_id, facts = event.board_id, event.facts
            matched = [rule for rule in woken if rule.board_id == board_id and rule.said.matches(facts)]
            if matched:
                letters = self._run(session, event, order, matched)  # first: what it causes counts up too
                session.info[LETTERS] = session.info.get(LETTERS, 0) + letters
            links.pass_on(session, event, {rule.board_id for rule in woken if rule.board_id != board_id})
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
        live = [rule for rule in matched if not rule.log_only]
        at_once = [rule._replace(said=rule.said.at_once) for rule in live]
        made = [maker.run(rule) for rule in at_once]
        if any(rule.said.changes for rule in at_once):
            chain = Chain.of(session, event)
            for rule, (run, _messages) in zip(at_once, made, strict=True):
                chain.change(rule, run, maker.values)
        for rule, (run, _messages) in zip(live, made, strict=True):
            run["notes"] += [{"why": "later", "name": action["do"]} for _place, action in rule.said.later]
            run["outcome"] = "done" if rule.said.later and run["outcome"] == "nobody" else run["outcome"]
        later.queue(session, event, order, live)
        return self._store(session, made + [maker.log(rule) for rule in matched if rule.log_only])

    def perform(self, session: Session, event: Event, order: Order, rule: Woken) -> dict[str, Any]:
        """One later action, now. Returns the run it would be, with its notes."""
        maker = Maker.load(session, event, order, [rule], self.config)
        run, messages = maker.run(rule, copy=LATER_COPY)
        if rule.said.changes:
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
