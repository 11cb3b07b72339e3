"""A table for a spreadsheet, streamed: a mark of UTF-8, semicolons and the firm's own time, as Excel wants them.

Every export is written here, so that nothing that was typed gets out of its cell or is taken for a formula.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from flask import Flask, Response, current_app

from kanban import clock, journal
from kanban.http.guard import person
from kanban.i18n import force_locale, language
from kanban.journal import Kind
from kanban.transactions import Turn, transaction

ROWS = 500  # made at once
_FORMULA = re.compile("\\s*[=+@＝＋－＠-]|[\\t\\r\\n]")


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """name: of the file, to which the day is added. The request is over by the time rows are made: they are in its language."""
    note_export(name)
    response = Response(_lines(current_app._get_current_object(), language(), head, iter(rows)), mimetype="text/csv")  # type: ignore[attr-defined]
    response.headers["Content-Disposition"] = f"attachment; filename={name}-{clock.today().isoformat()}.csv"
    return response


def note_export(name: str) -> None:
    """In the journal, before anything leaves."""
    with transaction(Turn.NONE) as session:
        journal.note(session, Kind.EXPORTED, person(), about=name)


def _lines(app: Flask, code: str, head: Sequence[str], rows: Iterator[Sequence[object]]) -> Iterator[str]:
    yield "\ufeff" + _written([head])
    while True:
        with app.app_context(), force_locale(code):
            some = list(islice(rows, ROWS))
        if not some:
            return
        yield _written(some)


def _written(rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";", quoting=csv.QUOTE_NONNUMERIC).writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return f"{clock.local(value):%Y-%m-%d %H:%M:%S}"
    return "'" + value if isinstance(value, str) and _FORMULA.match(value) else value
