"""From a move to the mail server's acceptance of its message, beyond the undo window: whole server, real processes."""

import re
import sqlite3
import time
from datetime import UTC, datetime
from typing import Any

from bench.crowd import Visitor, people_of, server
from tests.bareserver import ServerProcess

MOVES, APART_S, WINDOW_S = 100, 0.2, 2


def measure_promptness() -> list[Any]:
    """[moves, messages, median s, p95 s, most s]"""
    settings = {
        "UNDO_WINDOW_S": str(WINDOW_S),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_SECURITY": "none",
        "SMTP_FROM": "potok@melnikov.example",
    }
    with ServerProcess() as mail, server(**settings, SMTP_PORT=str(mail.port)) as (port, folder, _process):
        visitor = Visitor(port, *people_of(folder))
        _, page = visitor.send("GET", "/boards/1")
        order, version = map(int, re.findall(r'data-order="(\d+)" data-status="1" data-version="(\d+)"', page)[0])
        for n in range(MOVES):
            assert visitor.move(order, 2 - n % 2, version + n) == 200
            time.sleep(APART_S)
        time.sleep(WINDOW_S + 2)
        arrived = {one.message_id: one.at for one in mail.arrivals()}
        with sqlite3.connect(folder / "potok.db") as database:
            due = dict(database.execute("SELECT message_id, due_at FROM message WHERE kind = 'rule' AND channel = 'email'").fetchall())
    waits = sorted((arrived[id_] - _moment(due_at)).total_seconds() for id_, due_at in due.items() if id_ in arrived)
    assert len(waits) == len(arrived)
    return [MOVES, len(waits), waits[len(waits) // 2], waits[int(len(waits) * 0.95)], waits[-1]]


def _moment(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)
