"""The claim's statement, as PostgreSQL plans it when its statistics are of a quiet hour: nothing waits, says the planner."""

import re
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event, text, update

from kanban import clock
from kanban.db import db
from kanban.transactions import Turn, transaction
from rules.models import Message
from rules.post import outbox
from tests.messages import put_messages


def test_what_stands_behind_what_is_found_once_a_claim_and_not_once_a_message(app: Flask) -> None:
    put_messages([f"p{n}@melnikov.example" for n in range(200)], "old")
    with transaction() as session:
        session.execute(update(Message).values(state="sent"))
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE message"))
    put_messages([f"p{n}@melnikov.example" for n in range(1000)], "new")
    plan = _plan_of_claim()
    if db.engine.dialect.name == "postgresql":
        used = re.findall(r"(hashed )?SubPlan \d+\)", plan)
        assert used and all(used), plan
    else:
        assert "CORRELATED" not in plan, plan


def test_a_claim_takes_what_is_due_and_nothing_that_is_due_later(app: Flask) -> None:
    now = clock.now()
    due = put_messages(["a@melnikov.example", "b@melnikov.example"], "due", due_at=now)
    put_messages(["c@melnikov.example", "d@melnikov.example"], "later", due_at=now + timedelta(seconds=1))
    with transaction(Turn.NONE) as session:
        assert [one.message_id for one in outbox.claim(session, "worker", 120, now)] == due
        assert outbox.claim(session, "worker", 120, now) == []


def _plan_of_claim() -> str:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    with transaction(Turn.NONE) as session:
        assert len(outbox.claim(session, "worker", 120, clock.now())) == outbox.BATCH
        event.remove(db.engine, "before_cursor_execute", note)
        statement, parameters = next(one for one in seen if one[0].startswith("SELECT message.id"))
        explain = "EXPLAIN " if db.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        rows = session.connection().exec_driver_sql(explain + statement, parameters).all()
    return "\n".join(str(row[-1]) for row in rows)
