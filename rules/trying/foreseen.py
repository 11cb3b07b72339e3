"""The messages that a move will send, as far as is known before it: nothing is written."""

import logging

from sqlalchemy.orm import Session

from kanban import clock, orders
from kanban.actor import Actor
from kanban.config import Config
from kanban.events import Outcome
from kanban.models import Event, Order, Status
from kanban.orders.place import named
from kanban.snapshot import reference, snapshot
from rules.post.told import line_of, told_of
from rules.running.message_builder import MessageBuilder
from rules.running.triggered import Versions, rules_for

log = logging.getLogger(__name__)


def foresee(session: Session, actor: Actor, order: Order, status: Status, config: Config, versions: Versions) -> Outcome:
    """By the rules that the move itself triggers; not what rules that change something cause in turn. Never raises."""
    try:
        return _foresee(session, actor, order, status, config, versions)
    except Exception:
        log.exception("what a move of order %s would send can't be foreseen", order.id)
        return Outcome()


def _foresee(session: Session, actor: Actor, order: Order, status: Status, config: Config, versions: Versions) -> Outcome:
    links = orders.linked(session, order)
    facts = snapshot(order, actor, before=order.status, after=status, linked=links, was={"status_after": reference(order.status)})
    event = Event(
        id=0,
        kind="order.moved",
        board_id=order.board_id,
        order_id=order.id,
        actor_id=actor.id,
        actor_name=actor.name,
        at=clock.now(),
        before={"status": named(order.status)},
        after={"status": named(status)},
        facts={},
    )
    triggered = [rule for rule in rules_for(session, event, facts, versions) if rule.board_id == order.board_id]
    matched = [rule for rule in triggered if not (rule.log_only or rule.version.broken) and rule.version.matches(facts)]
    if not matched:
        return Outcome()
    builder = MessageBuilder.load(session, event, facts, order, matched, config, set())
    lines = [line_of(message) for rule in matched for message in builder.run(rule._replace(version=rule.version.at_once)).messages]
    return Outcome(told_of(lines), config.undo_window_s if lines else 0)
