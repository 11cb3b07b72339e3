"""From event to runs to messages and changes, inside the transaction of the change. Nothing here may harm a move."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from kanban import clock, orders
from kanban.config import Config
from kanban.events import Outcome, Undone
from kanban.facts import Facts, read_facts
from kanban.models import Event, Order
from rules.definition.outcomes import Note, Reason
from rules.definition.outcomes import Outcome as RunOutcome
from rules.post import outbox
from rules.post.outbox import RunRow
from rules.post.told import told_of
from rules.running import delayed, links, mentions
from rules.running.chain import Chain
from rules.running.message_builder import MessageBuilder
from rules.running.run_draft import RunDraft
from rules.running.savepoint import count, made, savepoint
from rules.running.triggered import TriggeredRule, Versions, rules_for

log = logging.getLogger(__name__)

DELAYED_COPY = 1000  # a reminder later may be the same message to the same person


@dataclass(frozen=True)
class Engine:
    """The listener that app.py sets. config: for the undo window and the host of Message-IDs."""

    config: Config
    versions: Versions = field(default_factory=Versions, repr=False, compare=False)

    def on_event(self, session: Session, event: Event, order: Order) -> Outcome:
        """Runs every rule that the event triggers: messages are queued, then orders changed, each change an event of its own.

        Rules of linked orders' boards hear of it as an event of those orders. The outcome counts all messages there are by then.
        """
        before = len(made(session))
        if event.kind == "order.commented" and event.after.get("mentions"):
            self._mention(session, event, order)
        try:
            facts = read_facts(event.facts)
            triggered = rules_for(session, event, facts, self.versions)
            readable = [rule for rule in triggered if not rule.version.broken]
            if len(readable) < len(triggered):
                _store_failed(session, event, [rule for rule in triggered if rule.version.broken], Reason.UNREADABLE)
            matched = [rule for rule in readable if rule.board_id == event.board_id and rule.version.matches(facts)]
            if matched:
                self._run(session, event, facts, order, matched)
            self._pass_on(session, event, facts, [rule for rule in readable if rule.board_id != event.board_id])
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

    def _run(self, session: Session, event: Event, facts: Facts, order: Order, matched: list[TriggeredRule]) -> None:
        """All rules together; where that fails each by itself, so that one at fault fails alone, and says so in its run."""
        try:
            with savepoint(session):
                self._run_together(session, event, facts, order, matched, set())
            return
        except Exception:
            log.exception("the rules of event %s failed together, so each is run by itself", event.id)
        written: set[str] = set()
        for rule in matched:
            attempt = set(written)  # what a rule wrote before it failed is not written
            try:
                with savepoint(session):
                    self._run_together(session, event, facts, orders.find_order(session, event.order_id), [rule], attempt)
                written = attempt
            except Exception:
                log.exception("rule %s failed at event %s", rule.id, event.id)
                _store_failed(session, event, [rule], Reason.RULE_FAILED)

    def _run_together(
        self, session: Session, event: Event, facts: Facts, order: Order, matched: list[TriggeredRule], written: set[str]
    ) -> None:
        """written: keys of the messages that this event has made so far."""
        builder = MessageBuilder.load(session, event, facts, order, matched, self.config, written)
        live = [rule for rule in matched if not rule.log_only]
        at_once = [rule._replace(version=rule.version.at_once) for rule in live]
        runs = [builder.run(rule) for rule in at_once]
        logged = [builder.log(rule) for rule in matched if rule.log_only]  # before anything changes the order
        if any(rule.version.changes for rule in at_once):
            chain = Chain.of(session, event)
            for rule, run in zip(at_once, runs, strict=True):
                chain.change(rule, run, builder.values)
        delayed.queue(session, event, order, list(zip(live, runs, strict=True)))
        messages = [message for run in runs for message in run.messages]
        outbox.enqueue(session, [run.to_row() for run in [*runs, *logged]], messages)
        count(session, messages)

    def _pass_on(self, session: Session, event: Event, facts: Facts, rules: list[TriggeredRule]) -> None:
        """To the linked orders; one that can't be told leaves the others, and the move, as they are."""
        for board_id in dict.fromkeys(rule.board_id for rule in rules):
            for order_id in links.linked_on(facts, board_id):
                try:
                    with savepoint(session):
                        links.tell(session, event, facts, order_id)
                except Exception:
                    log.exception("event %s could not be passed on to order %s", event.id, order_id)
                    _store_failed(session, event, [rule for rule in rules if rule.board_id == board_id], Reason.NOT_PASSED_ON)

    def perform(self, session: Session, event: Event, order: Order, rule: TriggeredRule) -> RunDraft:
        """One delayed action, now. Returns the run it would be, with its notes."""
        builder = MessageBuilder.load(session, event, read_facts(event.facts), order, [rule], self.config, set())
        run = builder.run(rule, copy=DELAYED_COPY)
        if rule.version.changes:
            Chain.of(session, event).change(rule, run, builder.values)
        outbox.enqueue(session, [], [message.at(clock.now()) for message in run.messages])
        return run

    def on_undo(self, session: Session, event: Event) -> Undone:
        """Cancels the event's messages, if none has gone."""
        cancelled, gone = outbox.cancel(session, event.id)
        if not gone.count:
            delayed.cancel(session, event.id)
        return Undone(cancelled, gone)

    def on_removal(self, session: Session, order_id: int) -> None:
        outbox.cancel_of_order(session, order_id)
        delayed.cancel_of_order(session, order_id)

    def outcome_of(self, session: Session, event: Event) -> Outcome:
        """What an event caused, again: the answer to a repeated request."""
        told, due_at = outbox.told_by(session, event.id)
        left = (due_at - clock.now()).total_seconds() if due_at else 0
        return Outcome(told, max(0, round(left)))


def _store_failed(session: Session, event: Event, rules: Sequence[TriggeredRule], reason: Reason) -> None:
    """Runs that say so."""
    runs = [RunRow(event.id, rule.id, rule.version.id, RunOutcome.FAILED, [Note(reason)], event.at) for rule in rules]
    try:
        with session.begin_nested():
            outbox.enqueue(session, runs, [])
    except Exception:
        log.exception("failed runs of event %s could not be stored", event.id)
