"""The first steps on the board's page: for administrators of a firm that still has some to do."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from kanban import first_steps
from kanban.db import db
from kanban.http.guard import admin_only, person
from kanban.i18n import _
from kanban.policy import may_administer
from kanban.transactions import transaction

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
def hide() -> ResponseReturnValue:
    with transaction() as session:
        first_steps.hide(session, person())
    flash(_("The first steps are hidden. You can find everything in the settings."))
    return redirect(url_for("home.show"), 303)
