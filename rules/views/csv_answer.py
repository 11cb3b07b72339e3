"""A table for a spreadsheet, streamed: a mark of UTF-8 and semicolons, as Excel wants them."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from flask import Flask, Response, current_app

from kanban import clock
from kanban.i18n import force_locale, language

ROWS = 500  # made at once


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """name: of the file, to which the day is added. The request is over by the time rows are made: they are in its language."""
    response = Response(_lines(current_app._get_current_object(), language(), head, iter(rows)), mimetype="text/csv")  # type: ignore[attr-defined]
    response.headers["Content-Disposition"] = f"attachment; filename={name}-{clock.today().isoformat()}.csv"
    return response


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
    csv.writer(buffer, delimiter=";").writerows(rows)
    return buffer.getvalue()
