"""The search of every page: orders of all boards."""

from typing import Any

from flask import Blueprint, render_template, request

from kanban.db import db
from kanban.queries.filter import read_filter
from kanban.queries.found import find_orders
from kanban.views.guard import person, signed_in

bp = Blueprint("search", __name__)


@bp.get("/search")
@signed_in
def show() -> Any:
    words = read_filter(request.args).q
    found = find_orders(db.session(), person(), words)
    return render_template("search/page.html", q=words, orders=found.orders, has_more=found.has_more)
