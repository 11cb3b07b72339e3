"""One move: the verb alone and the whole request, beside one bare committed transaction with the same rows."""

import uuid
from typing import Any

from flask import Flask
from sqlalchemy import insert, select, update

from bench.client import Client
from bench.clocking import median_ms
from bench.workshop import owner
from kanban import clock, orders
from kanban.db import db, table
from kanban.models import Event, LiveChange, Order, Status
from kanban.transactions import transaction
from rules.models import Message, Run


def measure_move(app: Flask, open_orders: int, rules: int) -> list[Any]:
    """[orders, rules, verb ms, floor ms, times the floor, request ms, answer bytes]"""
    verb = median_ms(_verb())
    floor = median_ms(_floor())
    client = Client(app)
    request, size = _request(client)
    return [open_orders, rules, verb, floor, verb / floor, median_ms(request), size()]


def _some_order() -> tuple[int, int, int]:
    """(order id, status 1, status 2): to and fro between two statuses of which each tells the manager."""
    order = db.session.scalars(select(Order).where(Order.board_id == 1).order_by(Order.id.desc()).limit(1)).one()
    statuses = list(db.session.scalars(select(Status.id).where(Status.board_id == 1).order_by(Status.position).offset(1).limit(1)))
    last = list(db.session.scalars(select(Status.id).where(Status.board_id == 1).order_by(Status.position).offset(5).limit(1)))
    found = (order.id, statuses[0], last[0])
    db.session.rollback()
    return found


def _verb() -> Any:
    actor = owner()
    order_id, one, other = _some_order()
    state = {"to": one, "version": db.session.scalar(select(Order.version).where(Order.id == order_id))}
    db.session.rollback()

    def move() -> None:
        with transaction() as session:
            moved = orders.move(session, actor, order_id, status_id=int(state["to"] or 0), before="", version=int(state["version"] or 0))
        state["version"] = moved.order.version
        state["to"] = other if state["to"] == one else one
        assert moved.event is None or moved.outcome.messages == 1

    return move


def _request(client: Client) -> tuple[Any, Any]:
    order_id, one, other = _some_order()
    version = db.session.scalar(select(Order.version).where(Order.id == order_id)) or 0
    here = db.session.scalar(select(Order.status_id).where(Order.id == order_id))
    db.session.rollback()
    state = {"to": other if here == one else one, "version": version, "size": 0}

    def move() -> None:
        answer = client.post(f"/orders/{order_id}/move", {"status": state["to"], "before": "", "version": state["version"]})
        assert answer.status_code == 200, answer.text
        state["version"] += 1
        state["to"] = other if state["to"] == one else one
        state["size"] = len(answer.data)

    return move, lambda: state["size"]


def _floor() -> Any:
    """The same rows through SQLAlchemy Core in one committed transaction, and nothing else."""
    order_id, one, other = _some_order()
    last = db.session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    newest = db.session.scalars(select(Message).where(Message.event_id == last.id)).first()
    run = db.session.scalars(select(Run).where(Run.event_id == last.id)).first()
    event = {column.name: getattr(last, column.name) for column in table(Event).columns if column.name not in ("id", "key")}
    message = {column.name: getattr(newest, column.name) for column in table(Message).columns if column.name != "id"} if newest else None
    run_row = {column.name: getattr(run, column.name) for column in table(Run).columns if column.name != "id"} if run else None
    db.session.rollback()

    def write() -> None:
        with db.engine.connect().execution_options(potok_write=True) as connection, connection.begin():
            connection.execute(
                update(table(Status)).where(table(Status).c.id.in_((one, other))).values(order_total=table(Status).c.order_total)
            )
            connection.execute(update(table(Order)).where(table(Order).c.id == order_id).values(entered_at=clock.now()))
            connection.execute(insert(table(LiveChange)).values(topics=["card-1", "order-1", "head-1", "head-2"], at=clock.now()))
            made = connection.execute(insert(table(Event)).values(**event))
            id_ = made.inserted_primary_key[0] if made.inserted_primary_key else 0
            if run_row:
                connection.execute(insert(table(Run)).values(**(run_row | {"event_id": id_})))
            if message:
                connection.execute(insert(table(Message)).values(**(message | {"event_id": id_, "key": f"floor-{uuid.uuid4().hex}"})))

    return write
