"""Export of events, for administrators."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response

from kanban.db import db
from kanban.exchange.events import HEADER, event_rows
from kanban.views.guard import admin_only

bp = Blueprint("export", __name__)


@bp.get("/export/events.csv")
@admin_only
def events() -> Any:
    engine = db.engine

    def lines() -> Iterator[str]:
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(HEADER)
        for row in event_rows(engine):
            writer.writerow(row)
            if buffer.tell() > 32_000:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    response = Response(lines(), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=events.csv"
    return response
