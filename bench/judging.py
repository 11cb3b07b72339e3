"""Many rules at one event, and rules of time over many orders: each beside the same without them."""

import time
from typing import Any

from sqlalchemy import event as sa_event
from sqlalchemy import update

from bench.clocking import median_ms
from bench.moves import _verb
from bench.workshop import owner
from kanban.criteria import Comparison, Criterion, Group, GroupKind
from kanban.db import db
from kanban.fields import BUILT_IN
from kanban.transactions import transaction
from rules.definition.actions import AddTag, RemoveTag
from rules.definition.content import RuleContent, RuleFields
from rules.definition.triggers import DateNears, Idle, StatusChanged, Stays, TimeUnit, Trigger
from rules.editing.verbs import add_rule
from rules.models import Rule
from rules.running import schedule

ASKED = (
    ("total", Comparison.MORE, 1),
    ("customer", Comparison.NOT_EQUALS, "nobody"),
    ("tags", Comparison.NOT_CONTAINS, "never"),
)
CRITERIA = Group(GroupKind.ALL, tuple([Criterion(name, BUILT_IN.criterion(name), op, value) for name, op, value in ASKED]))


def measure_rules(count: int) -> list[Any]:
    """[rules of one start, move ms, floor: the same move without them, the rules' own ms]: all judged, all matched, runs stored."""
    move = _verb()
    bare, actor = median_ms(move, repeat=20), owner()
    with transaction() as session:
        for number in range(count):
            content = RuleContent(1, StatusChanged(), CRITERIA, (RemoveTag("never"),))
            add_rule(session, actor, RuleFields(f"Judged {number}", content, log_only=True))
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
            triggers: list[Trigger] = [
                DateNears(BUILT_IN.find("ship_on"), -3, TimeUnit.WORKING_DAYS, "09:00"),
                Stays(30 + number, TimeUnit.DAYS),
                Idle(30 + number, TimeUnit.DAYS),
            ]
            content = RuleContent(1, triggers[number % 3], CRITERIA, (AddTag("x"),))
            add_rule(session, actor, RuleFields(f"Tick {number}", content))
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
