"""Actions with a delay: they wait in the database, and when their time comes the rule is asked again, if it wishes so."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from kanban import clock, orders
from kanban.calendar import Calendar, load_calendar
from kanban.criteria import judge
from kanban.db import db, insert_new, row_count
from kanban.errors import Busy, NotFound, Unwritable
from kanban.models import Event, Order
from kanban.snapshot import snapshot
from kanban.transactions import transaction
from rules.definition.actions import Action
from rules.definition.content import RuleContent
from rules.definition.delay import Delay, DelayUnit
from rules.definition.outcomes import Note, Outcome, Reason, outcome_of
from rules.models import Later, Rule, RuleVersion, Run
from rules.queries.versions import content_in
from rules.running.run_draft import RunDraft
from rules.running.triggered import TriggeredRule, Version

log = logging.getLogger(__name__)

BATCH = 200
Perform = Callable[[Session, Event, Order, TriggeredRule], RunDraft]  # does it; returns the run it would have stored


def due_at(delay: Delay, now: datetime, calendar: Callable[[], Calendar]) -> datetime:
    if delay.unit is DelayUnit.WORKING_DAYS:
        return clock.at(calendar().shift(clock.day_of(now), delay.number), clock.local(now).time())
    return now + timedelta(**{delay.unit.value: delay.number})


def queue(session: Session, event: Event, order: Order, runs: list[tuple[TriggeredRule, RunDraft]]) -> None:
    """Puts the delayed actions of the rules that matched into the table, and notes them in their runs; what is there already
    stays."""
    rows = []
    for rule, run in runs:
        for place, action in rule.version.delayed:
            if action.delay is not None:
                due = due_at(action.delay, event.at, lambda: load_calendar(session))
                rows.append(_row(event, order, rule, place, due))
                run.note(Reason.LATER, action.code)
    insert_new(session, Later, rows)


def _row(event: Event, order: Order, rule: TriggeredRule, place: int, due: datetime) -> dict[str, object]:
    return {
        "event_id": event.id,
        "rule_id": rule.id,
        "version_id": rule.version.id,
        "action": place,
        "order_id": event.order_id,
        "status_id": order.status_id,
        "due_at": due,
        "state": "waiting",
        "why": "",
        "created_at": event.at,
    }


def cancel(session: Session, event_id: int) -> None:
    """The event was undone."""
    session.execute(_end("cancelled", "undone").where(Later.event_id == event_id, Later.state == "waiting"))


def cancel_of_order(session: Session, order_id: int) -> None:
    """The order was removed."""
    session.execute(_end("cancelled", "removed").where(Later.order_id == order_id, Later.state == "waiting"))


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
        except (Busy, Unwritable):
            raise  # it is done at the next look
        except Exception:
            log.exception("a delayed action failed: %s", id_)
            with transaction() as session:
                session.execute(_end("failed", "failed").where(Later.id == id_, Later.state == "waiting"))
    return len(ids)


def _perform(session: Session, id_: int, perform: Perform) -> None:
    if not row_count(session, _end("done", "").where(Later.id == id_, Later.state == "waiting")):
        return  # another worker was first
    later = session.get_one(Later, id_, populate_existing=True)
    rule, version = session.get(Rule, later.rule_id), session.get(RuleVersion, later.version_id)
    event = session.get(Event, later.event_id)
    if rule is None or version is None or event is None:
        raise NotFound("the rule or its event is gone")
    content, broken = content_in(version, rule.board_id)
    if broken:
        session.execute(_end("failed", Reason.UNREADABLE.value).where(Later.id == id_))
        _note(session, later, [Note(Reason.UNREADABLE)])
        return
    order = orders.find_order(session, later.order_id)
    delayed = content.actions[later.action]
    action = replace(delayed, delay=None)
    against = _what_stands_against(session, rule, content, delayed, order, later)
    if against is not None:
        session.execute(_end("cancelled", against.value.removeprefix("later_")).where(Later.id == id_))
        _note(session, later, [Note(against, action.code)])
        return
    alone = Version(version.id, replace(content, actions=(action,)))
    run = perform(session, event, order, TriggeredRule(rule.id, rule.board_id, rule.name, False, alone))
    _note(session, later, [Note(Reason.LATER_DONE, action.code), *run.notes])


def _what_stands_against(session: Session, rule: Rule, content: RuleContent, action: Action, order: Order, later: Later) -> Reason | None:
    delay = action.delay
    if not rule.active or (rule.paused_until is not None and rule.paused_until > clock.now()):
        return Reason.LATER_OFF
    if delay is not None and delay.while_there and order.status_id != later.status_id:
        return Reason.LATER_LEFT
    if delay is not None and delay.ask_again:
        known = snapshot(order, None, before=None, after=order.status, linked=orders.linked(session, order))
        if judge(content.criteria, known).truth is not True:
            return Reason.LATER_NOT_ANY_MORE
    return None


def _note(session: Session, later: Later, notes: list[Note]) -> None:
    """Adds to the notes of the run that put it off; where something failed the run has."""
    run = session.scalar(select(Run).where(Run.event_id == later.event_id, Run.rule_id == later.rule_id))
    if run is not None:
        run.notes = [*run.notes, *(note.to_json() for note in notes)]
        is_failed = outcome_of(notes, has_messages=False) is Outcome.FAILED
        run.outcome = Outcome.FAILED.value if is_failed else run.outcome


def _end(state: str, why: str) -> Update:
    return update(Later).values(state=state, why=why).execution_options(synchronize_session=False)
