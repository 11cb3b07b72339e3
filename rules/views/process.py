"""Settings → Process as a file: take it away, or bring one, with what it would change shown first."""

from base64 import b64decode, b64encode
from collections.abc import Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban import clock
from kanban.db import db
from kanban.errors import Invalid
from kanban.http.csv_answer import note_export
from kanban.http.guard import admin_only, confirmed, person
from kanban.i18n import _, ngettext
from kanban.presets import MOST_SIGNS, parse
from kanban.presets.loaded import KINDS, ImportedThing
from kanban.settings import setting
from rules.editing.encodings import ENCODINGS, NotUtf8, read_as, read_utf8
from rules.editing.process_export import write_process
from rules.editing.process_import import read_process

BEGINNING = 400  # signs of a file that show whether the encoding is the right one

bp = Blueprint("process", __name__, url_prefix="/settings/process")


@bp.get("")
@admin_only
def show() -> ResponseReturnValue:
    return _page()


@bp.get("/potok.yaml")
@admin_only
@confirmed
def export() -> ResponseReturnValue:
    note_export("process")
    response = Response(write_process(db.session()), mimetype="application/yaml")
    response.headers["Content-Disposition"] = f"attachment; filename=potok-{clock.today().isoformat()}.yaml"
    return response


@bp.post("/look")
@admin_only
def look() -> ResponseReturnValue:
    """What a file would change; nothing is kept."""
    return _read(keep=False)


@bp.post("/bring")
@admin_only
@confirmed
def bring() -> ResponseReturnValue:
    return _read(keep=True)


def _read(*, keep: bool) -> ResponseReturnValue:
    try:
        text = _text()
    except NotUtf8 as other:
        return _ask_encoding(other)
    try:
        found = read_process(parse(text), person(), setting(db.session(), "language"), keep=keep)
    except Invalid as error:
        db.session.rollback()
        return _page(text=text, reason=str(error.reason), code=422)
    if not keep:
        return _page(text=text, found=found)
    count = sum(one.what in ("new", "changed") for one in found)
    flash(ngettext("%(num)d item was imported from the file.", "%(num)d items were imported from the file.", count))
    return redirect(url_for("process.show"), 303)


def _text() -> str:
    """Of the file that was chosen, else of one whose encoding was asked for, else of the field. Raises NotUtf8."""
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        return read_utf8(upload.stream.read(4 * MOST_SIGNS))
    encoding = request.form.get("encoding", "")
    if encoding not in ENCODINGS:
        return request.form.get("text", "")[: MOST_SIGNS + 1]
    try:
        raw = b64decode(request.form.get("raw", ""), validate=True)
    except ValueError as error:
        raise Invalid(_("This request is not valid."), "raw") from error
    try:
        return read_as(raw, encoding)
    except UnicodeDecodeError as error:
        raise NotUtf8(raw) from error


def _ask_encoding(other: NotUtf8) -> ResponseReturnValue:
    """The file comes back with the question, so that it need not be chosen again."""
    asked = {
        "raw": b64encode(other.raw).decode(),
        "guess": other.guess,
        "encodings": ENCODINGS,
        "beginning": read_as(other.raw, other.guess, "replace")[:BEGINNING],
    }
    reason = _("The file is not in UTF-8. It looks like %(encoding)s.", encoding=ENCODINGS[other.guess])
    return _page(text=request.form.get("text", "")[:MOST_SIGNS], reason=reason, asked=asked, code=422)


def _page(
    text: str = "", found: list[ImportedThing] | None = None, reason: str = "", asked: Mapping[str, object] | None = None, code: int = 200
) -> ResponseReturnValue:
    counts = {what: sum(one.what == what for one in found or []) for what in ("new", "changed", "skipped", "same")}
    html = render_template("process/page.html", text=text, found=found, asked=asked, reason=reason, counts=counts, kinds=KINDS)
    return html, code
