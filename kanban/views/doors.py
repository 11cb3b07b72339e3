"""The first page, the language at the door, and what every page needs."""

from datetime import timedelta
from typing import Any, cast

from flask import Blueprint, Response, abort, current_app, g, redirect, request, session, url_for
from flask_login import current_user
from sqlalchemy import select

from kanban import clock
from kanban.db import db
from kanban.i18n import LANGUAGES
from kanban.models import Board
from kanban.policy import may_administer, may_write
from kanban.security import is_own_path
from kanban.settings import setting
from kanban.views.guard import person, signed_in

bp = Blueprint("doors", __name__)
SECURITY_TXT_LIFE = timedelta(days=90)


@bp.get("/")
@signed_in
def home() -> Any:
    board = db.session.scalar(select(Board.id).order_by(Board.position, Board.id).limit(1))
    return redirect(url_for("boards.show", board_id=board) if board else url_for("statuses.show"))


@bp.post("/language")
def language() -> Any:
    """The language before one has signed in."""
    wanted = request.form.get("language", "")
    if wanted in LANGUAGES:
        session["language"] = wanted
    back = request.form.get("back", "/")
    return redirect(back if is_own_path(back) else "/", 303)


@bp.get("/.well-known/security.txt")
def security_txt() -> Any:
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


def for_every_page() -> dict[str, Any]:
    """Navigation and rights; nothing is read from the database before a template asks."""
    signed = bool(current_user) and current_user.is_authenticated
    return {
        "boards_nav": all_boards if signed else list,
        "me": person() if signed else None,
        "is_admin": signed and may_administer(person()),
        "can_write": signed and may_write(person()),
        "live_since": current_app.extensions["potok_feed"].last_id,
        "company_name": lambda: setting(db.session(), "company"),
    }


def board_of(board_id: int) -> Board:
    return next(board for board in all_boards() if board.id == board_id)


def all_boards() -> list[Board]:
    """Every board, read once a request."""
    if "boards" not in g:
        g.boards = list(db.session.scalars(select(Board).order_by(Board.position, Board.id)))
    return cast(list[Board], g.boards)
