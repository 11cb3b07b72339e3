"""Many rules at one event, and rules of time over many orders: each beside the same without them."""

import time
from typing import Any

from sqlalchemy import event as sa_event
from sqlalchemy import update

from bench.clocking import median_ms
from bench.moves import _verb
from bench.workshop import owner
from kanban.db import db, transaction
from rules.fields import RuleFields
from rules.models import Rule
from rules.rules import add_rule
from rules.running import schedule

CRITERIA = {
    "all": [
        {"field": "total", "op": "more", "value": 1},
        {"field": "customer", "op": "not_equals", "value": "nobody"},
        {"field": "tags", "op": "not_contains", "value": "never"},
    ]
}


def measure_rules(count: int) -> list[Any]:
    """[rules of one start, move ms, floor: the same move without them, the rules' own ms]: all judged, all matched, runs stored."""
    move = _verb()
    bare, actor = median_ms(move, repeat=20), owner()
    with transaction() as session:
        for number in range(count):
            fields = RuleFields(f"Judged {number}", 1, "changed", None, CRITERIA, [{"do": "untag", "tag": "never"}], log_only=True)
            add_rule(session, actor, fields)
    move()
    judged = median_ms(move, repeat=20)
    with transaction() as session:
        session.execute(update(Rule).where(Rule.name.startswith("Judged")).values(active=False))
    return [count, judged, bare, judged - bare]


def measure_tick(rules: int) -> list[Any]:
    """[rules of time, orders that were due, seconds of a tick, statements]"""
    actor = owner()
    with transaction() as session:
        for number in range(rules):
            kind, options = (
                ("date", {"field": "ship_on", "offset": -3, "unit": "working_days", "at": "09:00", "late": "catch_up"}),
                ("stay", {"offset": 30 + number, "unit": "days"}),
                ("idle", {"offset": 30 + number, "unit": "days"}),
            )[number % 3]
            add_rule(session, actor, RuleFields(f"Tick {number}", 1, kind, None, CRITERIA, [{"do": "tag", "tag": "x"}], options=options))
    statements: list[str] = []

    def listen(*arguments: Any) -> None:
        statements.append(arguments[2])

    schedule.tick()
    sa_event.listen(db.engine, "before_cursor_execute", listen)
    start = time.perf_counter()
    due = schedule.tick()
    took = time.perf_counter() - start
    sa_event.remove(db.engine, "before_cursor_execute", listen)
    with transaction() as session:
        session.execute(update(Rule).where(Rule.name.startswith("Tick")).values(active=False))
    return [rules, due, took, len(statements)]
