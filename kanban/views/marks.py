"""Marking an order as blocked, removing it, restoring it; and the list of what was removed lately."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban import orders
from kanban.db import db
from kanban.errors import Invalid
from kanban.forms.fields import one_line
from kanban.htmx import is_htmx
from kanban.http.guard import admin_only, person, signed_in
from kanban.policy import require_admin, require_write
from kanban.queries.order import find_shown, order_summary
from kanban.queries.removed import removal_view, removed_orders
from kanban.transactions import Turn, transaction
from kanban.views.answers import answer_dialog, key_in, number_in, page_of_order, refresh_of, source_in
from kanban.views.parts import parts_answer

bp = Blueprint("marks", __name__)


@bp.get("/orders/<int:order_id>/block")
@signed_in
def ask_reason(order_id: int) -> ResponseReturnValue:
    require_write(person())
    order = find_shown(db.session(), order_id)
    return answer_dialog("orders/_block.html", order, reason=order.blocked)


@bp.post("/orders/<int:order_id>/block")
@signed_in
def block(order_id: int) -> ResponseReturnValue:
    reason = one_line(request.form.get("reason", "")) or ""
    try:
        with transaction(Turn.SHARED) as session:
            orders.block(session, person(), order_id, reason, key=key_in())
    except Invalid as invalid:
        db.session.rollback()
        order = find_shown(db.session(), order_id)
        return answer_dialog("orders/_block.html", order, 422, reason=reason, error=str(invalid.reason))
    return _answer(order_id, "orders/_toast_blocked.html")


@bp.post("/orders/<int:order_id>/unblock")
@signed_in
def unblock(order_id: int) -> ResponseReturnValue:
    with transaction(Turn.SHARED) as session:
        orders.unblock(session, person(), order_id, key=key_in())
    return _answer(order_id, "orders/_toast_blocked.html")


@bp.get("/orders/<int:order_id>/remove")
@signed_in
def ask_removal(order_id: int) -> ResponseReturnValue:
    """What goes with it, and what stays, before it is done."""
    require_admin(person())
    view = removal_view(db.session(), order_id)
    return answer_dialog("orders/_remove.html", view.order, view=view)


@bp.post("/orders/<int:order_id>/remove")
@signed_in
def remove(order_id: int) -> ResponseReturnValue:
    with transaction(Turn.SHARED) as session:
        orders.remove(session, person(), order_id, version=number_in("version"), key=key_in())
    return _answer(order_id, "orders/_toast_removed.html")


@bp.post("/orders/<int:order_id>/restore")
@signed_in
def restore(order_id: int) -> ResponseReturnValue:
    with transaction(Turn.SHARED) as session:
        orders.restore(session, person(), order_id)
    return _answer(order_id, "orders/_toast_restored.html")


@bp.get("/settings/removed")
@admin_only
def removed() -> ResponseReturnValue:
    found = removed_orders(db.session())
    return render_template("settings/removed.html", removed=found, days=orders.RESTORABLE.days), 200


def _answer(order_id: int, toast: str) -> ResponseReturnValue:
    order = find_shown(db.session(), order_id)
    said = render_template(toast, order=order)
    if is_htmx():
        return parts_answer(
            [order_id, *source_in(order_summary(db.session(), order_id))], [order.status_id], toast=said, also=refresh_of(order_id)
        )
    if order.removed_at is not None:
        flash(render_template("orders/_removed_words.html", order=order))
        return redirect(url_for("boards.show", board_id=order.board_id), 303)
    return redirect(page_of_order(order_id), 303)
