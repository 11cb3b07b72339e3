"""Settings → Boards and statuses."""

import re

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban import boards
from kanban.boards import BoardFields, StatusFields
from kanban.db import db
from kanban.dependents import dependents
from kanban.errors import Conflict, Invalid
from kanban.forms.fields import one_line
from kanban.http.guard import admin_only, person
from kanban.i18n import _
from kanban.ids import read_id
from kanban.models import PHASES, TONES, Board, Status
from kanban.queries.firm import all_boards, all_roles, all_statuses
from kanban.transactions import transaction
from kanban.views.settings.company import name_of

bp = Blueprint("statuses", __name__, url_prefix="/settings/boards")


@bp.get("")
@admin_only
def show() -> ResponseReturnValue:
    return _page()


@bp.get("/<int:board_id>/edit")
@admin_only
def edit_board(board_id: int) -> ResponseReturnValue:
    return _page(board=boards.find_board(db.session(), board_id))


@bp.get("/statuses/<int:status_id>/edit")
@admin_only
def edit(status_id: int) -> ResponseReturnValue:
    return _page(status=boards.find_status(db.session(), status_id))


@bp.get("/statuses/<int:status_id>/remove")
@admin_only
def ask_removal(status_id: int) -> ResponseReturnValue:
    """A destructive question opens in the row it is about: where do its orders and rules go."""
    return _page(removing=boards.find_status(db.session(), status_id))


@bp.post("/add")
@admin_only
def add_board() -> ResponseReturnValue:
    with transaction() as session:
        board = boards.add_board(session, person(), _board_fields())
        boards.add_status(session, person(), board.id, StatusFields(_("New"), "violet", "new"))
        boards.add_status(session, person(), board.id, StatusFields(_("Done"), "slate", "done"))
    return redirect(url_for("statuses.show") + f"#board-{board.id}", 303)


@bp.post("/<int:board_id>/change")
@admin_only
def change_board(board_id: int) -> ResponseReturnValue:
    with transaction() as session:
        boards.change_board(session, person(), board_id, _board_fields())
    flash(_("Saved"))
    return redirect(url_for("statuses.show") + f"#board-{board_id}", 303)


@bp.post("/<int:board_id>/remove")
@admin_only
def remove_board(board_id: int) -> ResponseReturnValue:
    with transaction() as session:
        boards.remove_board(session, person(), board_id)
    return redirect(url_for("statuses.show"), 303)


@bp.post("/<int:board_id>/statuses/add")
@admin_only
def add(board_id: int) -> ResponseReturnValue:
    with transaction() as session:
        status = boards.add_status(session, person(), board_id, StatusFields(name_of("name", 80)))
    return redirect(url_for("statuses.edit", status_id=status.id) + f"#status-{status.id}", 303)


@bp.post("/statuses/<int:status_id>/change")
@admin_only
def change(status_id: int) -> ResponseReturnValue:
    form = request.form
    fields = StatusFields(
        name_of("name", 80),
        form.get("tone", ""),
        form.get("phase", ""),
        _count("limit"),
        _count("norm_days"),
        form.get("limit_refuses") == "1",
        _ids("answering"),
        _ids("moving"),
    )
    with transaction() as session:
        status = boards.change_status(session, person(), status_id, fields)
    flash(_("Saved"))
    return redirect(url_for("statuses.show") + f"#status-{status.id}", 303)


@bp.post("/statuses/<int:status_id>/shift")
@admin_only
def shift(status_id: int) -> ResponseReturnValue:
    with transaction() as session:
        status = boards.shift_status(session, person(), status_id, -1 if request.form.get("by") == "-1" else 1)
    return redirect(url_for("statuses.show") + f"#status-{status.id}", 303)


@bp.post("/statuses/<int:status_id>/remove")
@admin_only
def remove(status_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            boards.remove_status(
                session,
                person(),
                status_id,
                orders_to=read_id(request.form.get("orders_to")),
                rules_to=read_id(request.form.get("rules_to")),
            )
    except (Invalid, Conflict) as error:
        db.session.rollback()
        code = 422 if isinstance(error, Invalid) else 409
        return _page(removing=boards.find_status(db.session(), status_id), reason=str(error.reason), code=code)
    flash(_("The status is removed. Its name stays in the history of its orders."))
    return redirect(url_for("statuses.show"), 303)


def _ids(name: str) -> list[int]:
    return [id_ for one in request.form.getlist(name) if (id_ := read_id(one)) is not None]


def _count(name: str) -> int | None:
    """A whole number above zero, or nothing."""
    raw = request.form.get(name, "").strip()
    if not raw:
        return None
    if not re.fullmatch("[0-9]{1,4}", raw) or not int(raw):
        raise Invalid(_("Enter a whole number above zero, or leave this empty."), name)
    return int(raw)


def _board_fields() -> BoardFields:
    form = request.form
    icon = form.get("icon", "receipt-text")
    return BoardFields(
        name_of("name", 80),
        name_of("order_name", 80),
        (one_line(form.get("prefix", "")) or "")[:10],
        read_id(form.get("source_id")),
        read_id(form.get("way_after_id")),
        icon if icon in ("receipt-text", "factory", "truck", "wallet") else "receipt-text",
    )


def _page(
    *, status: Status | None = None, removing: Status | None = None, board: Board | None = None, reason: str = "", code: int = 200
) -> ResponseReturnValue:
    session = db.session()
    rules = dependents.names(session) if removing is not None else {}
    html = render_template(
        "settings/boards.html",
        boards=all_boards(session),
        statuses=all_statuses(session),
        roles=all_roles(session),
        rules=rules,
        open_status=status,
        removing=removing,
        open_board=board,
        reason=reason,
        tones=TONES,
        phases=PHASES,
    )
    return html, code
