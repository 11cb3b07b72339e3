"""The whole way: the columns of both documents in the order an order goes."""

from flask import Blueprint, render_template, request

from kanban.db import db
from kanban.http.guard import person, signed_in
from kanban.http.kept import kept, since
from kanban.http.session import all_boards
from kanban.queries.board import choices, way_view
from kanban.queries.filter import read_filter

bp = Blueprint("way", __name__)


@bp.get("/way")
@signed_in
@kept
def show() -> str:
    chosen = read_filter(request.args)
    stretches = way_view(db.session(), person(), chosen, all_boards())
    people, firms = choices(db.session())
    return render_template("way/page.html", stretches=stretches, chosen=chosen, people=people, firms=firms, since=since())
