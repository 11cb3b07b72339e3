"""Export of events, for administrators."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.exchange.events import event_rows
from kanban.http.csv_answer import csv_answer
from kanban.http.guard import admin_only, confirmed
from kanban.i18n import _

bp = Blueprint("export", __name__)


@bp.get("/export/events.csv")
@admin_only
@confirmed
def events() -> ResponseReturnValue:
    """In the order of kanban.exchange.events.COLUMNS."""
    head = [_("Event"), _("Order"), _("Status before"), _("Status after"), _("Key"), _("When"), _("Who"), _("Type"), _("Undoes")]
    return csv_answer("events", head, event_rows(db.engine))
