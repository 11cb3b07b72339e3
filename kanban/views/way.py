"""The whole way: the columns of both documents in the order an order goes."""

from typing import Any

from flask import Blueprint, render_template, request

from kanban.db import db
from kanban.queries.board import choices, way_view
from kanban.queries.filter import read_filter
from kanban.views.doors import all_boards
from kanban.views.guard import person, signed_in
from kanban.views.live import feed

bp = Blueprint("way", __name__)


@bp.get("/way")
@signed_in
def show() -> Any:
    chosen = read_filter(request.args)
    since = feed().last_id()
    stretches = way_view(db.session(), person(), chosen, all_boards())
    people, firms = choices(db.session())
    return render_template("way/page.html", stretches=stretches, chosen=chosen, people=people, firms=firms, since=since)
