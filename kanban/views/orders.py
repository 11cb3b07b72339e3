"""One order: its page, and the verbs that change it. Each view reads the form, calls one verb, answers."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from kanban import clock, orders
from kanban.db import db
from kanban.errors import Conflict, Invalid
from kanban.fields import catalogue_of
from kanban.forms.fields import many_lines
from kanban.forms.order import OrderForm, form_class, form_of, quick_form
from kanban.htmx import fragment, go, is_htmx
from kanban.http.guard import person, signed_in
from kanban.http.kept import follows_feed
from kanban.ids import read_id
from kanban.models import Order
from kanban.orders import OrderFields
from kanban.policy import may_administer, require_write
from kanban.queries.board import choices
from kanban.queries.firm import all_roles, offered_organisations, offered_people
from kanban.queries.order import OrderView, find_shown, order_summary, order_view
from kanban.queries.quick import quick_choices
from kanban.todos.queries import team_of
from kanban.todos.views import order_values
from kanban.transactions import Turn, transaction
from kanban.views.answers import key_in, number_in, page_of_order, source_in
from kanban.views.parts import parts_answer

bp = Blueprint("orders", __name__)


@bp.get("/orders/<int:order_id>")
@signed_in
@follows_feed
def show(order_id: int) -> ResponseReturnValue:
    return _page(order_id)


def _removed(view: OrderView) -> str:
    event = next(line.event for line in view.lines if line.event.kind == "order.removed")
    can_restore = may_administer(person()) and orders.is_restorable(view.order)
    template = "orders/_removed.html" if is_htmx() else "orders/removed.html"
    return render_template(template, order=view.order, event=event, can_restore=can_restore)


def _page(order_id: int, *, said: str = "", reason: str = "") -> str:
    """said, reason: a comment that was refused, and why."""
    view = order_view(db.session(), person(), order_id)
    if view.order.removed_at is not None:
        return _removed(view)
    template = "orders/_body.html" if is_htmx() else "orders/page.html"
    return render_template(template, view=view, order=view.order, said_text=said, reason=reason, **order_values(order_id))


@bp.post("/boards/<int:board_id>/place")
@signed_in
def place(board_id: int) -> ResponseReturnValue:
    """The quick add. Asked again with its errors where it can't be read: nothing typed is lost."""
    require_write(person())
    offered = quick_choices(db.session(), person(), *choices(db.session()))
    form = quick_form(offered)
    if not form.validate():
        html = render_template("orders/_quick.html", form=form, board_id=board_id, quick=offered)
        return fragment(html, 422, retarget="#quick-add", reswap="outerHTML")
    fields = OrderFields(
        customer_name=form.customer_name.data or "",
        customer_phone=form.customer_phone.data or "",
        organisation_id=read_id(form.organisation_id.data),
        responsible_id=read_id(form.responsible_id.data),
    ).with_values(
        title=form.title.data or "",
        total=form.total.data or 0,
        order_on=clock.today(),
        ship_on=form.ship_on.data,
    )
    with transaction(Turn.SHARED) as session:
        placed = orders.place(session, person(), board_id, fields, key=key_in())
    return _placed(placed, board_id)


@bp.post("/orders/<int:order_id>/production")
@signed_in
def production(order_id: int) -> ResponseReturnValue:
    try:
        with transaction(Turn.SHARED) as session:
            placed = orders.make_production(session, person(), order_id, key=key_in())
    except Conflict as conflict:
        if conflict.order is None or conflict.order.source_id != order_id:
            raise
        flash(str(conflict.reason))
        return go(url_for("orders.show", order_id=conflict.order.id))
    return _placed(placed, placed.order.board_id)


def _placed(placed: orders.Placed, board_id: int) -> ResponseReturnValue:
    if not is_htmx():
        return redirect(url_for("orders.show", order_id=placed.order.id), 303)
    order = order_summary(db.session(), placed.order.id)
    recorded = placed.recorded
    toast = render_template("orders/_toast_placed.html", order=order, event_id=recorded.event.id, outcome=recorded.outcome)
    shown = [order.id, *source_in(order)]
    return parts_answer(shown, [order.status.id], toast=toast, also={"potok:placed": {"order": order.id, "board": board_id}})


@bp.post("/orders/<int:order_id>/comment")
@signed_in
def comment(order_id: int) -> ResponseReturnValue:
    """Answered with an empty composer, and the history beside it."""
    text = many_lines(request.form.get("text", "")) or ""
    try:
        with transaction(Turn.SHARED) as session:
            orders.comment(session, person(), order_id, text, key=key_in())
    except Invalid as invalid:
        if is_htmx():
            raise
        return _page(order_id, said=text, reason=str(invalid.reason)), 422
    if not is_htmx():
        return redirect(f"{page_of_order(order_id)}#history", 303)
    view = order_view(db.session(), person(), order_id)
    return fragment(render_template("orders/_commented.html", view=view, order=view.order, team=team_of(db.session())))


@bp.get("/orders/<int:order_id>/edit")
@signed_in
def edit(order_id: int) -> ResponseReturnValue:
    require_write(person())
    order = find_shown(db.session(), order_id)
    return _form_page(order, form_of(order))


@bp.post("/orders/<int:order_id>/change")
@signed_in
def change(order_id: int) -> ResponseReturnValue:
    require_write(person())
    order = find_shown(db.session(), order_id)
    form = form_class(catalogue_of(order.board_id))()
    _fill_choices(form, order)
    if not form.validate():
        return _form_page(find_shown(db.session(), order_id), form, 422)
    try:
        with transaction(Turn.SHARED) as session:
            orders.change(session, person(), order_id, form.fields(request.form), version=number_in("version"), key=key_in())
    except Conflict as conflict:
        return _form_page(find_shown(db.session(), order_id), form, 409, str(conflict.reason))
    except Invalid as invalid:
        return _form_page(find_shown(db.session(), order_id), form, 422, str(invalid.reason))
    return redirect(url_for("orders.show", order_id=order_id), 303)


def _form_page(order: Order, form: OrderForm, code: int = 200, reason: str = "") -> ResponseReturnValue:
    """The form with what was typed; on a conflict it carries the version as it is now, so that a second save is meant."""
    if form.organisation_id.choices is None:
        _fill_choices(form, order)
    roles = all_roles(db.session())
    filled = {one.role_id: one.person_id for one in order.people}
    people = offered_people(db.session(), {*filled.values(), order.responsible_id})
    if request.method == "POST":
        filled = {role.id: value for role in roles if (value := read_id(request.form.get(f"role-{role.id}")))}
    version = read_id(request.form.get("version")) if code == 422 else None  # a mended form is still the old one
    values = {"version": version or order.version, "roles": roles, "people": people, "filled": filled, "reason": reason}
    return render_template("orders/edit.html", order=order, form=form, **values), code


def _fill_choices(form: OrderForm, order: Order) -> None:
    """Who and what may be chosen; what the order names already stays a choice, even where it is no longer active."""
    session = db.session()
    firms, people = offered_organisations(session, order.organisation_id), offered_people(session, {order.responsible_id})
    form.organisation_id.choices = [SelectChoice("", "—"), *(SelectChoice(str(id_), name) for id_, name in firms)]
    form.responsible_id.choices = [SelectChoice("", "—"), *(SelectChoice(str(one.id), one.name) for one in people)]
