"""Timing: medians of repeated calls, statements counted, and the floors they stand beside."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from kanban.db import db


def median_ms(action: Callable[[], Any], repeat: int = 60, warm: int = 8) -> float:
    """Milliseconds, the median of `repeat` calls after `warm` that don't count."""
    for _ in range(warm):
        action()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


@contextmanager
def recorded() -> Iterator[list[tuple[str, Any]]]:
    """Collects (statement, parameters) of what runs inside."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def replay(seen: list[tuple[str, Any]]) -> Callable[[], Any]:
    """The floor of a read: the same SQL, bare, and its values joined into one text."""

    def run() -> str:
        parts: list[str] = []
        with db.engine.connect() as connection:
            for statement, parameters in seen:
                for row in connection.exec_driver_sql(statement, parameters):
                    parts.append("".join(map(str, row)))
        return "".join(parts)

    return run
