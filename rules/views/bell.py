"""The bell of the top bar: its unread dot, its list, a notice opened, all of them read. Each person sees the own only."""

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, url_for

from kanban.db import db, transaction
from kanban.htmx import fragment, is_htmx
from kanban.queries.work import due_count
from kanban.views.guard import person, signed_in
from rules.post import bell

bp = Blueprint("bell", __name__, url_prefix="/bell")


@bp.get("")
@signed_in
def show() -> Any:
    """The bell itself, with its count, that of «My work», and whether a worker is at work; pages ask for it after they are drawn."""
    return fragment(_bell())


@bp.get("/list")
@signed_in
def menu() -> Any:
    """What opens under the bell."""
    return fragment(render_template("bell/_list.html", notices=_notices()))


@bp.get("/all")
@signed_in
def all_notices() -> Any:
    return render_template("bell/page.html", notices=_notices())


@bp.post("/<int:notice_id>/open")
@signed_in
def open_notice(notice_id: int) -> Any:
    with transaction() as session:
        order_id = bell.open_notice(session, person().id, notice_id).order_id
    return redirect(url_for("orders.show", order_id=order_id) if order_id else url_for("bell.all_notices"), 303)


@bp.post("/read")
@signed_in
def read() -> Any:
    with transaction() as session:
        bell.read_all(session, person().id)
    return fragment(_bell(oob=True)) if is_htmx() else redirect(url_for("bell.all_notices"), 303)


def _bell(oob: bool = False) -> str:
    unread, due = bell.unread_count(db.session(), person().id), due_count(db.session(), person())
    return render_template("bell/_bell.html", unread=unread, due=due, oob=oob, worker=current_app.extensions["potok_beat"].worker)


def _notices() -> Any:
    return bell.notices_of(db.session(), person().id)
