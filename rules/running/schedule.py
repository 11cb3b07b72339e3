"""Rules of time: what has come due by now, recomputed from today's orders at each tick.

A date that changed moves its alarm, an empty one has none. Each comes due once for an order and a mark (rules.models.Fired):
the row and the event are one transaction, so also after a restart, with two workers, or when the clock is turned back.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session, joinedload

from kanban import clock, facts, orders
from kanban.actor import Actor
from kanban.calendar import Calendar, load_calendar
from kanban.db import db, is_new, table, transaction
from kanban.events import record
from kanban.models import Event, Order, Status
from rules.evaluator import OF_TIME
from rules.models import Fired, Rule, RuleVersion
from rules.running.due import dates_due, earliest, since

log = logging.getLogger(__name__)

_F = table(Fired).c
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
        select(Rule).join(RuleVersion, RuleVersion.id == Rule.version_id)
        .where(Rule.active, or_(Rule.paused_until.is_(None), Rule.paused_until <= now), RuleVersion.trigger.in_(OF_TIME))
        .options(joinedload(Rule.version))
    ).all()  # fmt: skip
    if not rules:
        return
    calendar = load_calendar(session)
    for rule in rules:
        if not rule.version.is_readable:
            continue
        try:
            query = _QUERIES[rule.version.trigger](rule, calendar, now)
            rows = session.execute(query.limit(MOST)).all() if query is not None else []
        except Exception:
            log.exception("rule of time %s can't be judged", rule.id)
            continue
        yield from (Due(rule.id, rule.name, row.id, _mark(row.mark)) for row in rows)


def _of_date(rule: Rule, calendar: Calendar, now: datetime) -> Select[Any] | None:
    """Orders whose date is due, by their dates' index."""
    column = getattr(Order, rule.version.options["field"])
    days = [day for day, moment in dates_due(rule.version.options, calendar, now).items() if moment > rule.watched_from]
    return _open(rule, column, _F.mark == cast(column, String), column.in_(days)) if days else None


def _of_stay(rule: Rule, calendar: Calendar, now: datetime) -> Select[Any]:
    """Orders that have stood in their status for so long; in a particular one, if the options name it."""
    options = rule.version.options
    after = max(since(options, calendar, earliest(options, now)), since(options, calendar, rule.watched_from))
    here = [Order.status_id == options["status"]] if options.get("status") else []
    long_ago = since(options, calendar, now)
    return _open(rule, Order.entered_at, _F.at > Order.entered_at, Order.entered_at <= long_ago, Order.entered_at > after, *here)


def _of_idle(rule: Rule, calendar: Calendar, now: datetime) -> Select[Any]:
    """Orders whose last event is so long ago."""
    options = rule.version.options
    after = max(since(options, calendar, earliest(options, now)), since(options, calendar, rule.watched_from))
    its = (Event.order_id == Order.id, Event.kind != "order.due")
    last = select(func.max(Event.id)).where(*its).correlate(Order).scalar_subquery()
    happened = select(func.max(Event.at)).where(*its).correlate(Order).scalar_subquery()
    long_ago = since(options, calendar, now)
    return _open(rule, last, _F.mark == cast(last, String), Order.entered_at <= long_ago, happened <= long_ago, happened > after)


_QUERIES: dict[str, Any] = {"date": _of_date, "stay": _of_stay, "idle": _of_idle}


def _open(rule: Rule, mark: Any, is_it: ColumnElement[bool], *where: ColumnElement[bool]) -> Select[Any]:
    """Orders of the rule's board that are not over and for which it has not come due yet. is_it: what tells that it has."""
    already = select(_F.id).where(_F.rule_id == rule.id, _F.order_id == Order.id, is_it).exists()
    statuses = select(Status.id).where(Status.board_id == rule.board_id, Status.phase.in_(orders.OPEN))
    return (
        select(Order.id, mark.label("mark"))
        .where(and_(Order.board_id == rule.board_id, Order.status_id.in_(statuses), *where, ~already))
        .order_by(Order.id)
    )


def _mark(found: Any) -> str:
    return found.isoformat() if hasattr(found, "isoformat") else str(found)


def _come_due(due: Due) -> bool:
    """The mark and the event, in one transaction; False where another worker was first, or nothing holds any more."""
    try:
        with transaction() as session:
            if not _mark_fired(session, due):
                return False
            order = orders.find_order(session, due.order_id)
            actor = Actor(0, due.rule, "", "admin", "", "slate", ())
            known = facts.snapshot(order, actor, before=order.status, after=order.status, linked=orders.linked(session, order))
            record(session, order, "order.due", actor, facts=known | {"rule": due.rule_id},
                   after={"rule": {"id": due.rule_id, "name": due.rule}, "mark": due.mark})  # fmt: skip
            return True
    except Exception:
        log.exception("rule of time %s stumbled at order %s", due.rule_id, due.order_id)
        return False


def _mark_fired(session: Session, due: Due) -> bool:
    row = {"rule_id": due.rule_id, "order_id": due.order_id, "mark": due.mark, "at": clock.now()}
    return is_new(session, Fired, row)
