"""The board's page, its windows, and what the live feed fetches."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban.columns import columns_by_id
from kanban.db import db
from kanban.errors import NotFound
from kanban.htmx import fragment
from kanban.http.guard import person, signed_in
from kanban.http.kept import Page, Piece, do_not_keep, kept
from kanban.http.session import all_boards
from kanban.i18n import _
from kanban.ids import read_id
from kanban.policy import may_write
from kanban.queries.board import board_view, choices
from kanban.queries.cards import next_window
from kanban.queries.filter import read_filter
from kanban.queries.quick import quick_choices
from kanban.settings import settings
from kanban.views import first_steps
from kanban.views.parts import MOST_CARDS, part_html, parts_answer

bp = Blueprint("boards", __name__)


@bp.get("/boards/<int:board_id>")
@signed_in
@kept
def show(board_id: int) -> Page:
    session, chosen = db.session(), read_filter(request.args)
    view = board_view(session, person(), board_id, chosen, all_boards())
    people, firms = choices(session)
    steps = first_steps.to_show()
    if steps:
        do_not_keep()
    quick = quick_choices(session, person(), people, firms) if may_write(person()) else None
    return Page(
        made_of=(all_boards(), tuple(people), tuple(firms), len(view.columns), view.has_long_names, tuple(settings(session).items())),
        frame=lambda: render_template("boards/page.html", view=view, chosen=chosen, people=people, firms=firms, first_steps=steps),
        pieces={
            Piece.COLUMNS: render_template("boards/_columns.html", view=view, chosen=chosen, quick=quick),
            Piece.COUNT: part_html("boards/_count.html", chosen=chosen, shown=view.shown, all=view.all),
            Piece.SWITCHER: part_html("boards/_switcher.html", columns=view.columns),
        },
    )


@bp.get("/boards/<int:board_id>/statuses/<int:status_id>/window")
@signed_in
def window(board_id: int, status_id: int) -> ResponseReturnValue:
    """The next cards of a column, from ?start=<order id> on."""
    column = columns_by_id(db.session(), [status_id]).get(status_id)
    if column is None or column.board_id != board_id:
        raise NotFound(_("Status not found."))
    start = read_id(request.args.get("start"))
    if start is None:
        raise NotFound(_("Order not found."))
    chosen = read_filter(request.args)
    cards = next_window(db.session(), column, chosen.conditions(person()), start)
    more = url_for("boards.window", board_id=board_id, status_id=status_id, start=cards.next_id, **chosen.query())
    html = render_template("boards/_window.html", window=cards, more=more, compact=request.args.get("compact") == "1")
    return fragment(html)


@bp.get("/fresh")
@signed_in
def fresh() -> ResponseReturnValue:
    """Cards and heads that the feed says are out of date: ?cards=17,18&heads=4,5. They fit the page that asks."""
    return parts_answer(_ids("cards"), _ids("heads"))


def _ids(name: str) -> list[int]:
    found = (read_id(one) for one in request.args.get(name, "").split(",")[:MOST_CARDS])
    return [id_ for id_ in found if id_ is not None]
