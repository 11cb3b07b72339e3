"""Many orders at once: their menu, the move, and its undo."""

import re
from collections.abc import Iterable

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban import orders
from kanban.columns import columns_by_id
from kanban.db import db
from kanban.errors import Invalid, NotFound
from kanban.htmx import fragment, is_htmx
from kanban.http.guard import person, signed_in
from kanban.i18n import _
from kanban.orders import Chosen, EventOf
from kanban.policy import require_write
from kanban.queries.order import board_of_orders, steps_of_board
from kanban.transactions import Turn, transaction
from kanban.views.answers import key_in, number_in
from kanban.views.parts import parts_answer

bp = Blueprint("many", __name__)
_PAIRS = re.compile("[0-9]{1,10}:[0-9]{1,10}(,[0-9]{1,10}:[0-9]{1,10}){0,199}")


@bp.get("/orders/menu")
@signed_in
def menu() -> ResponseReturnValue:
    """«Move to…» of ?orders=17:3,18:1."""
    require_write(person())
    chosen = _pairs(request.args.get("orders", ""))
    board_id = board_of_orders(db.session(), [id_ for id_, _version in chosen])
    if board_id is None:
        raise NotFound(_("Order not found."))
    steps = steps_of_board(db.session(), person(), board_id)
    return fragment(render_template("orders/_menu_many.html", steps=steps, chosen=request.args["orders"], count=len(chosen)))


@bp.post("/orders/move")
@signed_in
def move() -> ResponseReturnValue:
    chosen = [Chosen(*pair) for pair in _pairs(request.form.get("orders", ""))]
    status_id = number_in("status")
    with transaction(Turn.SHARED) as session:
        made = orders.move_many(session, person(), chosen, status_id=status_id, before=request.form.get("before", "")[:20], key=key_in())
    status = columns_by_id(db.session(), [status_id]).get(status_id)
    if not is_htmx():
        return redirect(url_for("boards.show", board_id=status.board_id) if status else url_for("home.show"), 303)
    events = ",".join(f"{one.event.order_id}:{one.event.id}" for one in made.moved if one.event)
    toast = render_template("orders/_toast_many.html", made=made, target=status, events=events) if made.moved and events else ""
    refused = render_template("orders/_refused_many.html", made=made, target=status) if made.refused else ""
    left = [one.order_id for one in made.refused]
    return _answer([one.order_id for one in chosen], [*made.heads, status_id], toast, refused, {"potok:many": {"refused": left}})


@bp.post("/orders/undo")
@signed_in
def undo() -> ResponseReturnValue:
    events = [EventOf(*pair) for pair in _pairs(request.form.get("events", ""))]
    with transaction(Turn.SHARED) as session:
        undoing = orders.undo_many(session, person(), events)
    if not is_htmx():
        return redirect(url_for("home.show"), 303)
    toast = render_template("orders/_toast_many_undone.html", undoing=undoing)
    return _answer([one.order_id for one in events], undoing.heads, toast, "", {})


def _answer(order_ids: list[int], heads: Iterable[int], toast: str, refused: str, also: dict[str, object]) -> ResponseReturnValue:
    dialog = f'<div hx-swap-oob="innerHTML:#dialogs">{refused}</div>' if refused else ""
    return parts_answer(order_ids, heads, toast=toast, more=dialog, also=also)


def _pairs(text: str) -> list[tuple[int, int]]:
    """«17:3,18:1»: orders with their versions, or with events. Raises Invalid."""
    if not _PAIRS.fullmatch(text):
        raise Invalid(_("This request is incomplete. Reload the page and try again."), "orders")
    pairs = [(int(first), int(second)) for first, _colon, second in (part.partition(":") for part in text.split(","))]
    if any(max(pair) > 2**31 - 1 for pair in pairs) or len({pair[0] for pair in pairs}) < len(pairs):
        raise Invalid(_("This request is incomplete. Reload the page and try again."), "orders")
    return pairs
