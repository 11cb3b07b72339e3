"""The bell of the top bar: its unread dot, its list, a notice opened, all of them read. Each person sees the own only."""

from collections.abc import Sequence

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.htmx import fragment, is_htmx
from kanban.http.guard import person, signed_in
from kanban.todos.queries import due_count
from kanban.transactions import Turn, transaction
from rules.logs import bell
from rules.models import Message

bp = Blueprint("bell", __name__, url_prefix="/bell")


@bp.get("")
@signed_in
def show() -> ResponseReturnValue:
    """The bell itself, with its count, that of «My work», and whether a worker is at work; pages ask for it after they are drawn."""
    return fragment(_bell())


@bp.get("/list")
@signed_in
def menu() -> ResponseReturnValue:
    """What opens under the bell."""
    return fragment(render_template("bell/_list.html", notices=_notices()))


@bp.get("/all")
@signed_in
def all_notices() -> ResponseReturnValue:
    return render_template("bell/page.html", notices=_notices())


@bp.post("/<int:notice_id>/open")
@signed_in
def open_notice(notice_id: int) -> ResponseReturnValue:
    with transaction(Turn.NONE) as session:
        order_id = bell.open_notice(session, person().id, notice_id).order_id
    return redirect(url_for("orders.show", order_id=order_id) if order_id else url_for("bell.all_notices"), 303)


@bp.post("/read")
@signed_in
def read() -> ResponseReturnValue:
    with transaction(Turn.NONE) as session:
        bell.read_all(session, person().id)
    return fragment(_bell(oob=True)) if is_htmx() else redirect(url_for("bell.all_notices"), 303)


def _bell(oob: bool = False) -> str:
    unread, due = bell.unread_count(db.session(), person().id), due_count(db.session(), person())
    return render_template("bell/_bell.html", unread=unread, due=due, oob=oob, worker=current_app.extensions["potok_beat"].worker)


def _notices() -> Sequence[Message]:
    return bell.notices_of(db.session(), person().id)
