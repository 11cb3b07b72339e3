"""A backtest over many events: rules of a rare and of a common trigger, judged on stored facts."""

from datetime import timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import func, insert, select

from bench.workshop import owner
from kanban import clock, orders
from kanban.criteria import Comparison, Criterion, Group, GroupKind
from kanban.db import db, table
from kanban.fields import BUILT_IN
from kanban.models import Event, Order, Status
from kanban.snapshot import reference, snapshot
from kanban.transactions import transaction
from rules.definition.actions import SendMessage
from rules.definition.channels import Channel
from rules.definition.content import RuleContent
from rules.definition.recipients import RelatedRecipient, Relation, RoleRecipient
from rules.definition.triggers import Entered, StatusChanged, Trigger
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
            snapshot(order, actor, before=one, after=other, linked=links, was={"status_after": reference(one)}).to_json()
            for one, other in zip(statuses, [*statuses[1:], statuses[0]], strict=True)
        ]
        begin, step = clock.now() - timedelta(days=29), timedelta(days=29) / max(missing, 1)
        rows: list[dict[str, Any]] = [
            {
                "kind": "order.moved",
                "board_id": 1,
                "order_id": order.id,
                "actor_id": actor.id,
                "actor_name": actor.name,
                "at": begin + n * step,
                "before": {"status": names[n % len(names)]},
                "after": {"status": names[(n + 1) % len(names)]},
                "facts": _of_order(steps[n % len(names)], n // len(names)),
            }
            for n in range(missing)
        ]
        for start in range(0, len(rows), CHUNK):
            session.execute(insert(table(Event)), rows[start : start + CHUNK])


def _of_order(step: dict[str, Any], number: int) -> dict[str, Any]:
    """The same facts of another order, with its own total, payment and people."""
    money = {"total": 10_000_000 + number * 100, "paid": 5_000_000, "paid_percent": number % 100}
    return step | {"fields": step["fields"] | money, "people": {"1": 1 + number % 5}}


def measure_backtest(count: int) -> list[list[Any]]:
    """[trigger, events, looked at, fired, seconds]"""
    fill_events(count)
    asked = (("total", 100), ("paid_percent", 1))
    criteria = Group(GroupKind.ALL, tuple([Criterion(name, BUILT_IN.criterion(name), Comparison.AT_LEAST, least) for name, least in asked]))
    actions = (SendMessage(Channel.EMAIL, 1, (RoleRecipient(1), RelatedRecipient(Relation.RESPONSIBLE))),)
    status = db.session.scalar(select(Status.id).where(Status.board_id == 1).order_by(Status.position).offset(2).limit(1))
    rows = []
    triggers: dict[str, Trigger] = {"enters one status": Entered(status or 0), "changes its status": StatusChanged()}
    for name, trigger in triggers.items():
        started = perf_counter()
        tested = backtest(db.session(), 0, RuleContent(1, trigger, criteria, actions))
        rows.append([name, count, tested.looked, tested.fired, perf_counter() - started])
        db.session.rollback()
    return rows
