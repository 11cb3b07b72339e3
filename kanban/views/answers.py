"""What the verbs of orders have in common over HTTP: what a form says beside its fields, and how it is answered."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.errors import Conflict, Invalid
from kanban.htmx import fragment, is_htmx
from kanban.i18n import _
from kanban.ids import read_id
from kanban.models import Order
from kanban.queries.order import OrderSummary, find_shown
from kanban.views.parts import parts_answer


def answer_conflict(conflict: Conflict, order_id: int) -> ResponseReturnValue:
    """409: the reason, and the card as it is now, in its true place."""
    reason = str(conflict.reason)
    db.session.rollback()
    if not is_htmx():
        raise conflict
    order = find_shown(db.session(), order_id)
    toast = render_template("_toast_refused.html", reason=reason, order=order)
    return parts_answer([order_id], [order.status_id], 409, toast=toast, also=refresh_of(order_id))


def answer_dialog(part: str, order: Order, code: int = 200, **values: object) -> ResponseReturnValue:
    """A form about an order: as a dialog over the page that asked, or as a page of its own."""
    if is_htmx():
        html = render_template("orders/_dialog.html", part=part, order=order, **values)
        return fragment(html, code, retarget="#dialogs", reswap="innerHTML")
    return render_template("orders/dialog.html", part=part, order=order, **values), code


def refresh_of(order_id: int) -> dict[str, object]:
    """An event for the page: this order has changed."""
    return {"potok:order": {"order": order_id}}


def source_in(order: OrderSummary) -> list[int]:
    """The order that it was made from: its card shows this one."""
    return [order.source_id] if order.source_id else []


def page_of_order(order_id: int) -> str:
    return url_for("orders.show", order_id=order_id)


def key_in() -> str:
    """What tells a repeated request from a new one."""
    return request.form.get("key", "")[:64]


def number_in(name: str) -> int:
    number = read_id(request.form.get(name, "").strip())
    if number is None:
        raise Invalid(_("This request is incomplete. Reload the page and try again."), name)
    return number
