"""Export of events, for administrators."""

from typing import Any

from flask import Blueprint

from kanban.db import db
from kanban.exchange.events import event_rows
from kanban.i18n import _
from kanban.views.csv_answer import csv_answer
from kanban.views.guard import admin_only, confirmed

bp = Blueprint("export", __name__)


@bp.get("/export/events.csv")
@admin_only
@confirmed
def events() -> Any:
    """In the order of kanban.exchange.events.COLUMNS."""
    head = [_("Event"), _("Order"), _("Status before"), _("Status after"), _("Key"), _("When"), _("Who"), _("Kind"), _("Undoes")]
    return csv_answer("events", head, event_rows(db.engine))
