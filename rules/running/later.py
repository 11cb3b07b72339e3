"""Actions with a delay: they wait in the database, and when their time comes the rule is asked again, if it wishes so.

An action carries {"after": {"number": 2, "unit": "hours", "ask_again": true, "while_there": true}}: while_there cancels it once
the order has left the status it stood in.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kanban import clock, facts, orders
from kanban.calendar import Calendar, load_calendar
from kanban.db import db, insert_new, transaction
from kanban.errors import NotFound
from kanban.models import Event, Order
from rules.evaluator import evaluate
from rules.models import Later, Rule, RuleVersion, Run
from rules.running.woken import Said, Woken

log = logging.getLogger(__name__)

BATCH = 200
Perform = Callable[[Session, Event, Order, Woken], dict[str, Any]]  # does it; returns the run it would have stored


def due_at(after: Mapping[str, Any], now: datetime, calendar: Callable[[], Calendar]) -> datetime:
    if after["unit"] == "working_days":
        day = calendar().shift(clock.day_of(now), after["number"])
        return clock.at(day, clock.local(now).time())
    return now + timedelta(**{after["unit"]: after["number"]})


def queue(session: Session, event: Event, order: Order, runs: list[tuple[Woken, dict[str, Any]]]) -> None:
    """Puts the later actions of the rules that matched into the table, and notes them in their runs; what is there already
    stays."""
    rows = []
    for rule, run in runs:
        for place, action in rule.said.later:
            due = due_at(action["after"], event.at, lambda: load_calendar(session))
            rows.append(_row(event, order, rule, place, due))
            run["notes"].append({"why": "later", "name": action["do"]})
            run["outcome"] = "done" if run["outcome"] == "nobody" else run["outcome"]
    insert_new(session, Later, rows)


def _row(event: Event, order: Order, rule: Woken, place: int, due: datetime) -> dict[str, Any]:
    return {
        "event_id": event.id, "rule_id": rule.id, "version_id": rule.said.version_id, "action": place, "order_id": event.order_id,
        "status_id": order.status_id, "due_at": due, "state": "waiting", "why": "", "created_at": event.at,
    }  # fmt: skip


def cancel(session: Session, event_id: int) -> None:
    """The event was undone."""
    session.execute(_end("cancelled", "undone").where(Later.event_id == event_id, Later.state == "waiting"))


def perform_due(perform: Perform) -> int:
    """Does what is due; each in a transaction of its own. Returns how many were looked at. Needs an application context."""
    ids = list(
        db.session.scalars(
            select(Later.id).where(Later.state == "waiting", Later.due_at <= clock.now()).order_by(Later.due_at, Later.id).limit(BATCH)
        )
    )
    db.session.rollback()
    for id_ in ids:
        try:
            with transaction() as session:
                _perform(session, id_, perform)
        except Exception:
            log.exception("a later action stumbled: %s", id_)
            with transaction() as session:
                session.execute(_end("failed", "stumbled").where(Later.id == id_, Later.state == "waiting"))
    return len(ids)


def _perform(session: Session, id_: int, perform: Perform) -> None:
    taken = session.execute(_end("done", "").where(Later.id == id_, Later.state == "waiting"))
    if not taken.rowcount:  # type: ignore[attr-defined]
        return  # another worker was first
    later = session.get_one(Later, id_, populate_existing=True)
    rule, version = session.get(Rule, later.rule_id), session.get(RuleVersion, later.version_id)
    event = session.get(Event, later.event_id)
    if rule is None or version is None or event is None:
        raise NotFound("the rule or its event is gone")
    if not version.is_readable:
        session.execute(_end("failed", "unreadable").where(Later.id == id_))
        _note(session, later, [{"why": "unreadable"}], failed=True)
        return
    order = orders.find_order(session, later.order_id)
    action = {name: value for name, value in version.actions[later.action].items() if name != "after"}
    against = _what_stands_against(session, rule, version, order, later)
    if against:
        session.execute(_end("cancelled", against).where(Later.id == id_))
        _note(session, later, [{"why": f"later_{against}", "name": action["do"]}])
        return
    said = Said(version.id, version.trigger, version.options, version.criteria, [action], version.tell_actor)
    run = perform(session, event, order, Woken(rule.id, rule.board_id, rule.name, False, said))
    _note(session, later, [{"why": "later_done", "name": action["do"]}, *run["notes"]], failed=run["outcome"] == "failed")


def _what_stands_against(session: Session, rule: Rule, version: RuleVersion, order: Order, later: Later) -> str:
    after = version.actions[later.action]["after"]
    if not rule.active or (rule.paused_until is not None and rule.paused_until > clock.now()):
        return "off"
    if after.get("while_there") and order.status_id != later.status_id:
        return "left"
    if after.get("ask_again"):
        known = facts.snapshot(order, None, before=None, after=order.status, linked=orders.linked(session, order))
        if evaluate(version.criteria, known, facts.KINDS).truth is not True:
            return "not_any_more"
    return ""


def _note(session: Session, later: Later, notes: list[dict[str, Any]], failed: bool = False) -> None:
    run = session.scalar(select(Run).where(Run.event_id == later.event_id, Run.rule_id == later.rule_id))
    if run is not None:
        run.notes = [*run.notes, *notes]
        run.outcome = "failed" if failed else run.outcome


def _end(state: str, why: str) -> Any:
    return update(Later).values(state=state, why=why).execution_options(synchronize_session=False)
