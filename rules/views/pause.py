"""«Pause all letters» and «Resume», and the strip every page shows in between."""

from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for

from kanban.db import db, transaction
from kanban.i18n import _
from kanban.security import is_own_path
from kanban.views.guard import admin_only, person
from rules.post import pause

bp = Blueprint("pause", __name__, url_prefix="/settings/letters")


@bp.post("/pause")
@admin_only
def begin() -> Any:
    with transaction() as session:
        pause.begin(session, person())
    return redirect(url_for("letters.show"), 303)


@bp.post("/resume")
@admin_only
def end() -> Any:
    with transaction() as session:
        pause.end(session, person())
    flash(_("Letters leave again."))
    back = request.form.get("back", "")
    return redirect(back if is_own_path(back) else url_for("letters.show"), 303)


def for_every_page() -> dict[str, Any]:
    return {"letters_pause": _pause}


def _pause() -> pause.Pause | None:
    """Read once a request, where a template asks."""
    if "letters_pause" not in g:
        g.letters_pause = pause.pause_of(db.session())
    found: pause.Pause | None = g.letters_pause
    return found
