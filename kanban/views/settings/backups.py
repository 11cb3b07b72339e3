"""Settings → Backups: what was made and when the next one is; «Back up now»."""

from pathlib import Path

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from kanban import clock
from kanban.backup import schedule
from kanban.backup.schedule import State
from kanban.config import Config
from kanban.db import db
from kanban.http.guard import admin_only, confirmed, person
from kanban.http.kept import follows_feed
from kanban.i18n import N_, _
from kanban.transactions import transaction

bp = Blueprint("backups", __name__, url_prefix="/settings/backups")
STATES = {
    State.ASKED: N_("waiting for the worker"),
    State.RUNNING: N_("being made"),
    State.DONE: N_("completed"),
    State.FAILED: N_("failed"),
}


@bp.get("")
@admin_only
@confirmed
@follows_feed
def show() -> ResponseReturnValue:
    config: Config = current_app.config["POTOK"]
    rows = schedule.backups(db.session())
    gone = {one.name for one in rows if one.name and _is_gone(Path(config.backup_dir), one.name)}
    plan = schedule.plan(db.session(), clock.now(), config)
    return render_template(
        "settings/backups.html",
        rows=rows,
        gone=gone,
        plan=plan,
        states=STATES,
        folder=config.backup_dir,
        kept_days=config.backup_kept_days,
        is_sealed=bool(config.backup_passphrase),
    )


@bp.post("")
@admin_only
@confirmed
def ask() -> ResponseReturnValue:
    with transaction() as session:
        schedule.ask(session, person())
    flash(_("The backup will start in a moment."))
    return redirect(url_for("backups.show"), 303)


def _is_gone(folder: Path, name: str) -> bool:
    """Where the folder is on this machine: the worker's may be another one's."""
    return folder.is_dir() and not (folder / name).exists()
