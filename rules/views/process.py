"""Settings → Process as a file: take it away, or bring one, with what it would change shown first."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from kanban import clock
from kanban.db import db
from kanban.errors import Invalid
from kanban.i18n import ngettext
from kanban.presets import KINDS, MOST_SIGNS, Found, parse
from kanban.settings import setting
from kanban.views.guard import admin_only, person
from rules.process import read_process, write_process

bp = Blueprint("process", __name__, url_prefix="/settings/process")


@bp.get("")
@admin_only
def show() -> Any:
    return _page()


@bp.get("/potok.yaml")
@admin_only
def export() -> Any:
    response = Response(write_process(db.session()), mimetype="application/yaml")
    response.headers["Content-Disposition"] = f"attachment; filename=potok-{clock.today().isoformat()}.yaml"
    return response


@bp.post("/look")
@admin_only
def look() -> Any:
    """What a file would change; nothing is kept."""
    return _read(keep=False)


@bp.post("/bring")
@admin_only
def bring() -> Any:
    return _read(keep=True)


def _read(*, keep: bool) -> Any:
    text = _text()
    try:
        found = read_process(parse(text), person(), setting(db.session(), "language"), keep=keep)
    except Invalid as error:
        db.session.rollback()
        return _page(text=text, reason=str(error.reason), code=422)
    if not keep:
        return _page(text=text, found=found)
    count = sum(one.what in ("new", "changed") for one in found)
    flash(ngettext("%(num)d thing was brought in from the file.", "%(num)d things were brought in from the file.", count))
    return redirect(url_for("process.show"), 303)


def _text() -> str:
    """Of the file that was chosen, else of the field."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return request.form.get("text", "")[: MOST_SIGNS + 1]
    try:
        return upload.stream.read(4 * MOST_SIGNS).decode("utf-8-sig")
    except UnicodeDecodeError:
        return "\ufffd"


def _page(text: str = "", found: list[Found] | None = None, reason: str = "", code: int = 200) -> Any:
    counts = {what: sum(one.what == what for one in found or []) for what in ("new", "changed", "skipped", "same")}
    html = render_template("process/page.html", text=text, found=found, reason=reason, counts=counts, kinds=KINDS)
    return html, code
