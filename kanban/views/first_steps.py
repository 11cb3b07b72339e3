"""The first steps on the board's page: for administrators of a firm that still has some to do."""

from typing import Any

from flask import Blueprint, flash, redirect, url_for

from kanban import first_steps
from kanban.db import db, transaction
from kanban.i18n import _
from kanban.policy import may_administer
from kanban.views.guard import admin_only, person

bp = Blueprint("first_steps", __name__, url_prefix="/first-steps")


class _Settled:
    """Once they are done or hidden this process asks no more."""

    yes = False


def forget() -> None:
    """For another database in the same process."""
    _Settled.yes = False


def to_show() -> first_steps.FirstSteps | None:
    """None, without a statement, for everybody but administrators, and where there was nothing to do any more."""
    if not may_administer(person()) or _Settled.yes:
        return None
    found = first_steps.first_steps(db.session())
    _Settled.yes = found is None
    return found


@bp.post("/hide")
@admin_only
def hide() -> Any:
    with transaction() as session:
        first_steps.hide(session, person())
    flash(_("The first steps are hidden. All of it is in the settings."))
    return redirect(url_for("doors.home"), 303)
