"""Rules of time: what has come due by now, recomputed from today's orders at each tick.

A date that changed moves its alarm, an empty one has none. Each comes due once for an order and a mark (rules.models.DueMark):
the row and the event are one transaction, so also after a restart, with two workers, or when the clock is turned back.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session, joinedload

from kanban import clock, orders
from kanban.actor import Actor
from kanban.calendar import Calendar, load_calendar
from kanban.db import Query, db, is_new, table
from kanban.events import record
from kanban.models import Event, Order, Status
from kanban.snapshot import snapshot
from kanban.transactions import transaction
from rules.definition.triggers import DateNears, Idle, Stays
from rules.models import DueMark, Rule, RuleVersion
from rules.queries.versions import fields_of
from rules.running.due import dates_due, earliest, since

log = logging.getLogger(__name__)

_F = table(DueMark).c
OF_TIME = (DateNears.kind, Stays.kind, Idle.kind)
MOST = 200  # orders of one rule in one tick; the rest come with the next


@dataclass(frozen=True)
class Due:
    rule_id: int
    rule: str
    order_id: int
    mark: str


def tick() -> int:
    """Records what is due. Returns how many orders that were. Needs an application context."""
    due = list(what_is_due(db.session(), clock.now()))
    db.session.rollback()
    return sum(_come_due(one) for one in due)


def what_is_due(session: Session, now: datetime) -> Iterator[Due]:
    """One statement for the rules, one for the calendar, and one a rule."""
    rules = session.scalars(
        select(Rule)
        .join(RuleVersion, RuleVersion.id == Rule.version_id)
        .where(Rule.active, or_(Rule.paused_until.is_(None), Rule.paused_until <= now), RuleVersion.trigger.in_(OF_TIME))
        .options(joinedload(Rule.version))
    ).all()
    if not rules:
        return
    calendar = load_calendar(session)
    for rule in rules:
        try:
            query = _query(rule, calendar, now)
            rows = session.execute(query.limit(MOST)).all() if query is not None else []
        except Exception:
            log.exception("rule of time %s can't be judged", rule.id)
            continue
        yield from (Due(rule.id, rule.name, row.id, _mark(row.mark)) for row in rows)


def _query(rule: Rule, calendar: Calendar, now: datetime) -> Query | None:
    """None where nothing can be due, or what the rule says can't be read."""
    trigger = fields_of(rule).content.trigger
    match trigger:
        case DateNears():
            return _of_date(rule, trigger, calendar, now)
        case Stays():
            return _of_stay(rule, trigger, calendar, now)
        case Idle():
            return _of_idle(rule, trigger, calendar, now)
    return None


def _of_date(rule: Rule, trigger: DateNears, calendar: Calendar, now: datetime) -> Query | None:
    """Orders whose date is due, by their dates' index."""
    if trigger.field is None:
        return None
    column = getattr(Order, trigger.field.name)
    days = [day for day, moment in dates_due(trigger, calendar, now).items() if moment > rule.watched_from]
    return _open(rule, column, _F.mark == cast(column, String), column.in_(days)) if days else None


def _of_stay(rule: Rule, trigger: Stays, calendar: Calendar, now: datetime) -> Query:
    """Orders that have stood in their status for so long; in a particular one, if the trigger names it."""
    long_ago, after = _between(trigger, rule, calendar, now)
    here = [Order.status_id == trigger.status_id] if trigger.status_id else []
    return _open(rule, Order.entered_at, _F.at > Order.entered_at, Order.entered_at <= long_ago, Order.entered_at > after, *here)


def _of_idle(rule: Rule, trigger: Idle, calendar: Calendar, now: datetime) -> Query:
    """Orders whose last event is so long ago."""
    long_ago, after = _between(trigger, rule, calendar, now)
    its = (Event.order_id == Order.id, Event.kind != "order.due")
    last = select(func.max(Event.id)).where(*its).correlate(Order).scalar_subquery()
    happened = select(func.max(Event.at)).where(*its).correlate(Order).scalar_subquery()
    return _open(rule, last, _F.mark == cast(last, String), Order.entered_at <= long_ago, happened <= long_ago, happened > after)


def _between(trigger: Stays | Idle, rule: Rule, calendar: Calendar, now: datetime) -> tuple[datetime, datetime]:
    """(before when it began, after when it began): long enough, but neither too long ago nor before the rule was switched on."""
    ends = [since(trigger.length, trigger.unit, calendar, end) for end in (now, earliest(now), rule.watched_from)]
    return ends[0], max(ends[1:])


def _open(rule: Rule, mark: SQLColumnExpression[Any], is_it: ColumnElement[bool], *where: ColumnElement[bool]) -> Query:
    """Orders of the rule's board that are not over and for which it has not come due yet. is_it: what tells that it has."""
    already = select(_F.id).where(_F.rule_id == rule.id, _F.order_id == Order.id, is_it).exists()
    statuses = select(Status.id).where(Status.board_id == rule.board_id, Status.phase.in_(orders.OPEN))
    return (
        select(Order.id, mark.label("mark"))
        .where(and_(Order.board_id == rule.board_id, Order.status_id.in_(statuses), Order.removed_at.is_(None), *where, ~already))
        .order_by(Order.id)
    )


def _mark(found: date | int) -> str:
    return found.isoformat() if isinstance(found, date) else str(found)


def _come_due(due: Due) -> bool:
    """The mark and the event, in one transaction; False where another worker was first, or nothing holds any more."""
    try:
        with transaction() as session:
            if not _mark_fired(session, due):
                return False
            order = orders.find_order(session, due.order_id)
            actor = Actor(0, due.rule, "", "admin", "", "slate", ())
            known = snapshot(order, actor, before=order.status, after=order.status, linked=orders.linked(session, order))
            record(
                session,
                order,
                "order.due",
                actor,
                facts=replace(known, rule_id=due.rule_id),
                after={"rule": {"id": due.rule_id, "name": due.rule}, "mark": due.mark},
            )
            return True
    except Exception:
        log.exception("rule of time %s failed at order %s", due.rule_id, due.order_id)
        return False


def _mark_fired(session: Session, due: Due) -> bool:
    row = {"rule_id": due.rule_id, "order_id": due.order_id, "mark": due.mark, "at": clock.now()}
    return is_new(session, DueMark, row)
