"""A backtest over many events: rules of a rare and of a common trigger, judged on stored facts."""

from datetime import timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import func, insert, select

from bench.workshop import owner
from kanban import clock, facts, orders
from kanban.db import db, table, transaction
from kanban.models import Event, Order, Status
from rules.actions import recipient, send_email
from rules.fields import RuleFields
from rules.trying.backtest import backtest

CHUNK = 5000


def fill_events(count: int) -> None:
    """Moves of the first board in the last 30 days, one status after the other, with facts of full size."""
    actor = owner()
    with transaction() as session:
        missing = count - (session.scalar(select(func.count()).select_from(Event)) or 0)
        order = orders.find_order(session, session.scalar(select(Order.id).where(Order.board_id == 1).limit(1)) or 0)
        statuses = list(session.scalars(select(Status).where(Status.board_id == 1).order_by(Status.position)))
        links = orders.linked(session, order)
        names = [{"id": one.id, "name": one.name, "tone": one.tone} for one in statuses]
        steps = [
            facts.snapshot(order, actor, before=one, after=other, linked=links, was={"status_after": facts.reference(one)})
            for one, other in zip(statuses, [*statuses[1:], statuses[0]], strict=True)
        ]
        begin, step = clock.now() - timedelta(days=29), timedelta(days=29) / max(missing, 1)
        rows: list[dict[str, Any]] = [
            {"kind": "order.moved", "board_id": 1, "order_id": order.id, "actor_id": actor.id, "actor_name": actor.name,
             "at": begin + n * step, "before": {"status": names[n % len(names)]}, "after": {"status": names[(n + 1) % len(names)]},
             "facts": _of_order(steps[n % len(names)], n // len(names))}
            for n in range(missing)
        ]  # fmt: skip
        for start in range(0, len(rows), CHUNK):
            session.execute(insert(table(Event)), rows[start : start + CHUNK])


def _of_order(step: dict[str, Any], number: int) -> dict[str, Any]:
    """The same facts of another order, with its own total, payment and people."""
    money = {"total": 10_000_000 + number * 100, "paid": 5_000_000, "paid_percent": number % 100}
    return step | {"fields": step["fields"] | money, "people": {"1": 1 + number % 5}}


def measure_backtest(count: int) -> list[list[Any]]:
    """[trigger, events, looked at, fired, seconds]"""
    fill_events(count)
    criteria = {"all": [{"field": "total", "op": "at_least", "value": 100}, {"field": "paid_percent", "op": "at_least", "value": 1}]}
    actions = [send_email(1, [recipient("role", 1), recipient("responsible")])]
    status = db.session.scalar(select(Status.id).where(Status.board_id == 1).order_by(Status.position).offset(2).limit(1))
    rows = []
    for name, fields in {
        "enters one status": RuleFields("", 1, "entered", status, criteria, actions),
        "changes its status": RuleFields("", 1, "changed", None, criteria, actions),
    }.items():
        started = perf_counter()
        tested = backtest(db.session(), 0, fields)
        rows.append([name, count, tested.looked, tested.fired, perf_counter() - started])
        db.session.rollback()
    return rows
