"""The buttons of an order that start rules: a part of its page, and the press."""

from typing import Any

from flask import Blueprint, flash, render_template, request, url_for

from kanban.db import db, transaction
from kanban.errors import NotFound
from kanban.htmx import fragment, go, is_htmx
from kanban.i18n import _, ngettext
from kanban.models import Order
from kanban.views.guard import person, signed_in
from rules.running import by_hand

bp = Blueprint("by_hand", __name__)


@bp.get("/orders/<int:order_id>/buttons")
@signed_in
def show(order_id: int) -> Any:
    order = db.session.get(Order, order_id)
    if order is None:
        raise NotFound(_("There is no such order."))
    found = by_hand.buttons(db.session(), order.board_id, person())
    if is_htmx():
        return fragment(render_template("orders/_buttons.html", buttons=found, order=order))
    return render_template("orders/buttons.html", buttons=found, order=order)


@bp.post("/orders/<int:order_id>/buttons/<int:rule_id>")
@signed_in
def press(order_id: int, rule_id: int) -> Any:
    with transaction() as session:
        _order, recorded = by_hand.press(session, person(), order_id, rule_id, request.form.get("key", "")[:64])
    letters = recorded.outcome.letters if recorded else 0
    flash(ngettext("Done: %(num)s message is on its way.", "Done: %(num)s messages are on their way.", letters) if letters else _("Done."))
    return go(url_for("orders.show", order_id=order_id))
