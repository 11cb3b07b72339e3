"""«Pause all messages» and «Resume», and the strip every page shows in between."""

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.http.guard import admin_only, person
from kanban.i18n import _
from kanban.security import is_own_path
from kanban.transactions import transaction
from rules.post import pause

bp = Blueprint("pause", __name__, url_prefix="/settings/messages")


@bp.post("/pause")
@admin_only
def begin() -> ResponseReturnValue:
    with transaction() as session:
        pause.begin(session, person())
    return redirect(url_for("messages.show"), 303)


@bp.post("/resume")
@admin_only
def end() -> ResponseReturnValue:
    with transaction() as session:
        pause.end(session, person())
    flash(_("Messages are being sent again."))
    back = request.form.get("back", "")
    return redirect(back if is_own_path(back) else url_for("messages.show"), 303)


def for_every_page() -> dict[str, object]:
    return {"messages_pause": _pause}


def _pause() -> pause.Pause | None:
    """Read once a request, where a template asks."""
    if "messages_pause" not in g:
        g.messages_pause = pause.pause_of(db.session())
    found: pause.Pause | None = g.messages_pause
    return found
