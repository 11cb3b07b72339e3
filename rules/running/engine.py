"""From event to runs to letters and changes, inside the transaction of the change. Nothing here may harm a move."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from kanban import clock, orders
from kanban.config import Config
from kanban.events import Outcome, Undone
from kanban.models import Event, Order
from rules.post import outbox
from rules.post.told import told_of
from rules.running import later, links, mentions
from rules.running.chain import Chain
from rules.running.maker import Maker
from rules.running.savepoint import count, made, savepoint
from rules.running.woken import Versions, Woken, rules_for

log = logging.getLogger(__name__)

LATER_COPY = 1000  # a reminder later may be the same letter to the same person


@dataclass(frozen=True)
class Engine:
    """The listener that app.py sets. config: for the undo window and the host of Message-IDs."""

    config: Config
    versions: Versions = field(default_factory=Versions, repr=False, compare=False)

    def on_event(self, session: Session, event: Event, order: Order) -> Outcome:
        """Runs every rule that the event wakes: letters are queued, then orders changed, each change an event of its own.

        Rules of linked orders' boards hear of it as an event of those orders. The outcome counts all letters there are by then.
        """
        before = len(made(session))
        if event.kind == "order.commented" and event.after.get("mentions"):
            self._mention(session, event, order)
        try:
            woken = rules_for(session, event, self.versions)
            readable = [rule for rule in woken if rule.said.is_readable]
            if len(readable) < len(woken):
                _store_failed(session, event, [rule for rule in woken if not rule.said.is_readable], "unreadable")
            matched = [rule for rule in readable if rule.board_id == event.board_id and rule.said.matches(event.facts)]
            if matched:
                self._run(session, event, order, matched)
            self._pass_on(session, event, [rule for rule in readable if rule.board_id != event.board_id])
        except Exception:
            log.exception("rules failed for event %s", event.id)
        told = told_of(made(session)[before:])
        return Outcome(told, self.config.undo_window_s if told.count else 0)

    def _mention(self, session: Session, event: Event, order: Order) -> None:
        try:
            with savepoint(session):
                count(session, mentions.tell(session, event, order, self.config))
        except Exception:
            log.exception("mentions of event %s could not be told", event.id)

    def _run(self, session: Session, event: Event, order: Order, matched: list[Woken]) -> None:
        """All rules together; where that fails each by itself, so that one at fault fails alone, and says so in its run."""
        try:
            with savepoint(session):
                self._run_together(session, event, order, matched, set())
            return
        except Exception:
            log.exception("the rules of event %s failed together, so each is run by itself", event.id)
        written: set[str] = set()
        for rule in matched:
            attempt = set(written)  # what a rule wrote before it failed is not written
            try:
                with savepoint(session):
                    self._run_together(session, event, orders.find_order(session, event.order_id), [rule], attempt)
                written = attempt
            except Exception:
                log.exception("rule %s failed at event %s", rule.id, event.id)
                _store_failed(session, event, [rule], "rule_failed")

    def _run_together(self, session: Session, event: Event, order: Order, matched: list[Woken], written: set[str]) -> None:
        """written: keys of the messages that this event has made so far."""
        maker = Maker.load(session, event, order, matched, self.config, written)
        live = [rule for rule in matched if not rule.log_only]
        at_once = [rule._replace(said=rule.said.at_once) for rule in live]
        ran = [maker.run(rule) for rule in at_once]
        logged = [maker.log(rule) for rule in matched if rule.log_only]  # before anything changes the order
        if any(rule.said.changes for rule in at_once):
            chain = Chain.of(session, event)
            for rule, (run, _messages) in zip(at_once, ran, strict=True):
                chain.change(rule, run, maker.values)
        later.queue(session, event, order, [(rule, run) for rule, (run, _messages) in zip(live, ran, strict=True)])
        messages = [message for _run, rows in ran for message in rows]
        outbox.enqueue(session, [run for run, _rows in [*ran, *logged]], messages)
        count(session, messages)

    def _pass_on(self, session: Session, event: Event, rules: list[Woken]) -> None:
        """To the linked orders; one that can't be told leaves the others, and the move, as they are."""
        for board_id in dict.fromkeys(rule.board_id for rule in rules):
            for order_id in links.linked_on(event, board_id):
                try:
                    with savepoint(session):
                        links.tell(session, event, order_id)
                except Exception:
                    log.exception("event %s could not be passed on to order %s", event.id, order_id)
                    _store_failed(session, event, [rule for rule in rules if rule.board_id == board_id], "not_passed_on")

    def perform(self, session: Session, event: Event, order: Order, rule: Woken) -> dict[str, Any]:
        """One later action, now. Returns the run it would be, with its notes."""
        maker = Maker.load(session, event, order, [rule], self.config, set())
        run, messages = maker.run(rule, copy=LATER_COPY)
        if rule.said.changes:
            Chain.of(session, event).change(rule, run, maker.values)
        outbox.enqueue(session, [], [message | {"due_at": clock.now(), "created_at": clock.now()} for message in messages])
        return run

    def on_undo(self, session: Session, event: Event) -> Undone:
        """Cancels the event's letters, if none has gone."""
        cancelled, gone = outbox.cancel(session, event.id)
        if not gone.count:
            later.cancel(session, event.id)
        return Undone(cancelled, gone)

    def outcome_of(self, session: Session, event: Event) -> Outcome:
        """What an event caused, again: the answer to a repeated request."""
        told, due_at = outbox.told_by(session, event.id)
        left = (due_at - clock.now()).total_seconds() if due_at else 0
        return Outcome(told, max(0, round(left)))


def _store_failed(session: Session, event: Event, rules: Sequence[Woken], why: str) -> None:
    """Runs that say so. why: a code of rules.words.silence."""
    runs = [
        {"event_id": event.id, "rule_id": rule.id, "version_id": rule.said.version_id, "outcome": "failed", "notes": [{"why": why}],
         "at": event.at}
        for rule in rules
    ]  # fmt: skip
    try:
        with session.begin_nested():
            outbox.enqueue(session, runs, [])
    except Exception:
        log.exception("failed runs of event %s could not be stored", event.id)
