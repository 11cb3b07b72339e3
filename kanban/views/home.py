"""The first page, the language before one has signed in, and security.txt."""

from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from kanban import clock
from kanban.db import db
from kanban.http.guard import signed_in
from kanban.i18n import LANGUAGES
from kanban.queries.firm import first_board_id
from kanban.security import is_own_path

bp = Blueprint("home", __name__)
SECURITY_TXT_LIFE = timedelta(days=90)


@bp.get("/")
@signed_in
def show() -> ResponseReturnValue:
    board = first_board_id(db.session())
    return redirect(url_for("boards.show", board_id=board) if board else url_for("statuses.show"))


@bp.post("/language")
def language() -> ResponseReturnValue:
    """The language before one has signed in."""
    wanted = request.form.get("language", "")
    if wanted in LANGUAGES:
        session["language"] = wanted
    back = request.form.get("back", "/")
    return redirect(back if is_own_path(back) else "/", 303)


@bp.get("/.well-known/security.txt")
def security_txt() -> ResponseReturnValue:
    """Whom to tell of a weakness (RFC 9116), where the firm has said so."""
    config = current_app.config["POTOK"]
    if not config.security_contact:
        abort(404)
    lines = (
        f"Contact: {config.security_contact}",
        f"Expires: {clock.now() + SECURITY_TXT_LIFE:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: ru, en",
        f"Canonical: {config.public_url}/.well-known/security.txt",
    )
    return Response("\n".join(lines) + "\n", mimetype="text/plain")
