"""A table for a spreadsheet, streamed: a mark of UTF-8 and semicolons, as Excel wants them."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response

from kanban import clock

CHUNK = 32_000


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """name: of the file, to which the day is added."""

    def lines() -> Iterator[str]:
        buffer = io.StringIO()
        buffer.write("\ufeff")
        writer = csv.writer(buffer, delimiter=";")
        writer.writerow(head)
        for row in rows:
            writer.writerow(row)
            if buffer.tell() > CHUNK:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    response = Response(lines(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f"attachment; filename={name}-{clock.today().isoformat()}.csv"
    return response
