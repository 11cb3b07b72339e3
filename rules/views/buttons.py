"""The buttons of an order that start rules: a part of its page, and the press."""

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.htmx import fragment, go, is_htmx
from kanban.http.guard import person, signed_in
from kanban.i18n import _, ngettext
from kanban.queries.order import get_order
from kanban.transactions import transaction
from rules.running import buttons

bp = Blueprint("buttons", __name__)


@bp.get("/orders/<int:order_id>/buttons")
@signed_in
def show(order_id: int) -> ResponseReturnValue:
    order = get_order(db.session(), order_id)
    found = buttons.buttons(db.session(), order.board_id, person())
    if is_htmx():
        return fragment(render_template("orders/_buttons.html", buttons=found, order=order))
    return render_template("orders/buttons.html", buttons=found, order=order)


@bp.post("/orders/<int:order_id>/buttons/<int:rule_id>")
@signed_in
def press(order_id: int, rule_id: int) -> ResponseReturnValue:
    with transaction() as session:
        _order, recorded = buttons.press(session, person(), order_id, rule_id, request.form.get("key", "")[:64])
    messages = recorded.outcome.messages if recorded else 0
    flash(
        ngettext("Done: %(num)s message is on its way.", "Done: %(num)s messages are on their way.", messages) if messages else _("Done.")
    )
    return go(url_for("orders.show", order_id=order_id))
