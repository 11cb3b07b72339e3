"""The log of runs as rows of a table."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Engine

from kanban.exchange.events import PAGE
from rules.logs.run_log import RUNS, read_row
from rules.models import Run
from rules.words.events import what_happened
from rules.words.reasons import explained_line

MOST_NOTES = 500


def run_rows(engine: Engine, conditions: Sequence[ColumnElement[bool]], words: Mapping[str, str]) -> Iterator[tuple[object, ...]]:
    """At, outcome, rule, version, order, event, messages, notes; newest first, read a page at a time. words: what outcomes are
    called."""
    query, last = RUNS.where(*conditions).limit(PAGE), None
    while True:
        with engine.connect() as connection:
            rows = [read_row(row) for row in connection.execute(query if last is None else query.where(Run.id < last))]
        for row in rows:
            yield (
                row.at,
                words.get(row.outcome, row.outcome),
                row.rule,
                row.version,
                row.number,
                what_happened(row.kind, row.before, row.after),
                row.messages,
                explained_line(row.notes)[:MOST_NOTES],
            )
        if len(rows) < PAGE:
            return
        last = rows[-1].id
