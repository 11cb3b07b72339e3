"""The log of runs as rows of a table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine

from kanban.exchange.events import PAGE
from rules.logs.run_log import RUNS, RunRow
from rules.models import Run
from rules.words.happened import what_happened
from rules.words.silence import said

MOST_NOTES = 500


def run_rows(engine: Engine, conditions: Sequence[ColumnElement[bool]], words: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """At, outcome, rule, version, order, event, letters, notes; newest first, read a page at a time. words: what outcomes are
    called."""
    query, last = RUNS.where(*conditions).limit(PAGE), None
    while True:
        with engine.connect() as connection:
            rows = [RunRow(*row) for row in connection.execute(query if last is None else query.where(Run.id < last))]
        for row in rows:
            yield (
                row.at, words.get(row.outcome, row.outcome), row.rule, row.version, row.number,
                what_happened(row.kind, row.before, row.after), row.letters, said(row.notes)[:MOST_NOTES],
            )  # fmt: skip
        if len(rows) < PAGE:
            return
        last = rows[-1].id
