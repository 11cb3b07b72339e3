"""The search of every page: orders of all boards."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.http.guard import person, signed_in
from kanban.queries.filter import read_filter
from kanban.queries.found import find_orders

bp = Blueprint("search", __name__)


@bp.get("/search")
@signed_in
def show() -> ResponseReturnValue:
    words = read_filter(request.args).q
    found = find_orders(db.session(), person(), words)
    return render_template("search/page.html", q=words, orders=found.orders, has_more=found.has_more)
