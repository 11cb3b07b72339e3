"""Every page there is to look at: all GET routes, with what the database holds in the place of their parameters."""

import itertools
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule as Route

from kanban.db import db
from kanban.models import Board, Event, Order, Person, Status, Todo
from rules.models import Message, Rule, Template

IDS: dict[str, Any] = {
    "board_id": Board,
    "status_id": Status,
    "order_id": Order,
    "event_id": Event,
    "person_id": Person,
    "rule_id": Rule,
    "message_id": Message,
    "template_id": Template,
    "todo_id": Todo,
}
WORDS = {"tab": ["sending", "receiving", "other"], "which": ["system", "new"]}
ELSEWHERE = (
    "health.healthz",
    "health.readyz",
    "assets.asset",
    "live.stream",
    "mail.end_oauth",
    "unsubscribe.show",
    "sign_in.link",
    "sign_in.invitation",
)


def pages(app: Flask, most: int = 2) -> list[str]:
    """Addresses, with at most so many values of each parameter: the newest. Those of events are of their own order."""
    found: list[str] = []
    with app.test_request_context():
        for route in app.url_map.iter_rules():
            if "GET" in (route.methods or ()) and route.endpoint not in ELSEWHERE:
                found += [app.url_map.bind("").build(route.endpoint, values) for values in _values(route, most)]
    db.session.rollback()
    return sorted(set(found))


def _values(route: Route, most: int) -> list[dict[str, Any]]:
    if {"order_id", "event_id"} <= route.arguments:
        rows = db.session.execute(select(Event.order_id, Event.id).where(Event.order_id.is_not(None)).order_by(Event.id.desc()).limit(most))
        return [{"order_id": order, "event_id": event} for order, event in rows]
    names = sorted(route.arguments)
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*(_of(name, most) for name in names))]


def _of(name: str, most: int) -> list[Any]:
    if name in WORDS:
        return WORDS[name]
    id_ = IDS[name].id
    return list(db.session.scalars(select(id_).order_by(id_.desc()).limit(most)))
