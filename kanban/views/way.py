"""The whole way: the columns of both documents in the order an order goes."""

from flask import Blueprint, render_template, request

from kanban.db import db
from kanban.http.guard import person, signed_in
from kanban.http.kept import Page, Piece, kept
from kanban.http.session import all_boards
from kanban.queries.board import choices, way_view
from kanban.queries.filter import read_filter
from kanban.settings import settings
from kanban.views.parts import part_html

bp = Blueprint("way", __name__)


@bp.get("/way")
@signed_in
@kept
def show() -> Page:
    session, chosen = db.session(), read_filter(request.args)
    view = way_view(session, person(), chosen, all_boards())
    people, firms = choices(session)
    return Page(
        made_of=(all_boards(), tuple(people), tuple(firms), len(view.columns), tuple(settings(session).items())),
        frame=lambda: render_template("way/page.html", view=view, chosen=chosen, people=people, firms=firms),
        pieces={
            Piece.COLUMNS: part_html("way/_columns.html", view=view, chosen=chosen),
            Piece.COUNT: part_html("boards/_count.html", chosen=chosen, shown=view.shown, all=view.all),
            Piece.SWITCHER: part_html("boards/_switcher.html", columns=view.columns),
        },
    )
