"""Moving orders: the menu, the move with the gate's dialog, undo."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from kanban import orders
from kanban.db import db
from kanban.errors import Conflict, Invalid, Lacking
from kanban.events import Outcome
from kanban.forms.fields import PotokForm
from kanban.forms.gate import asked_in, filled_by, gate_form, names_for, roles_in
from kanban.htmx import fragment, is_htmx
from kanban.http.guard import person, signed_in
from kanban.models import Order
from kanban.orders import Filled
from kanban.queries.board import Choice
from kanban.queries.firm import offered_organisations, offered_people
from kanban.queries.gate import gate_view
from kanban.queries.order import OrderSummary, find_shown, links_of, order_summary, production_of, steps_of
from kanban.transactions import Turn, transaction
from kanban.views.answers import answer_conflict, answer_dialog, key_in, number_in, page_of_order, refresh_of, source_in
from kanban.views.parts import parts_answer

bp = Blueprint("moves", __name__)


@bp.get("/orders/<int:order_id>/menu")
@signed_in
def menu(order_id: int) -> ResponseReturnValue:
    """«Move to…»: the statuses, and what else can be done with a card."""
    session, order = db.session(), find_shown(db.session(), order_id)
    steps, production = steps_of(session, person(), order), production_of(session, person(), order, links_of(session, order))
    return fragment(render_template("orders/_menu.html", order=order, steps=steps, production=production))


@bp.post("/orders/<int:order_id>/move")
@signed_in
def move(order_id: int) -> ResponseReturnValue:
    """Where a gate asks for more: its dialog, with what was filled in."""
    form, filled = _filled(order_id)
    if form is not None and filled is None:
        return _gate(order_id, form=form)
    try:
        with transaction(Turn.SHARED) as session:
            moved = orders.move(
                session,
                person(),
                order_id,
                status_id=number_in("status"),
                before=_before(),
                version=number_in("version"),
                key=key_in(),
                filled=filled,
            )
    except Conflict as conflict:
        return answer_conflict(conflict, order_id)
    except Lacking as lacking:
        return _gate(order_id, form=form, reason=str(lacking.reason) if form is not None else "")
    except Invalid as invalid:
        if form is None:
            raise
        return _gate(order_id, form=form, reason=str(invalid.reason))
    if not is_htmx():
        return redirect(page_of_order(order_id), 303)
    order = order_summary(db.session(), order_id)
    toast = _toast_moved(order, moved.event.id if moved.event else None, moved.outcome)
    return parts_answer([order_id, *source_in(order)], [*moved.heads, order.status.id], toast=toast, also=refresh_of(order_id))


def _before() -> str:
    return request.form.get("before", "")[:20]


def _filled(order_id: int) -> tuple[PotokForm | None, Filled | None]:
    """The gate's form, and what it says where it can be read; neither of a plain move."""
    if "gate" not in request.form:
        return None, None
    order = find_shown(db.session(), order_id)
    form = gate_form(order, asked_in(request.form, order.board_id), *_offered(order))
    return form, filled_by(form, request.form, order.board_id) if form.validate() else None


def _offered(order: Order) -> tuple[list[Choice], list[Choice]]:
    """People and organisations; those that the order names stay a choice, even where they are no longer active."""
    named = {order.responsible_id, *(one.person_id for one in order.people)}
    people = [Choice(one.id, one.name) for one in offered_people(db.session(), named)]
    return people, [Choice(*firm) for firm in offered_organisations(db.session(), order.organisation_id)]


def _gate(order_id: int, *, form: PotokForm | None, reason: str = "") -> ResponseReturnValue:
    """422: what the status asks for. Everything typed stays, and so does the version that was looked at: what somebody else has changed
    meanwhile is not overwritten. The order stands where it stood."""
    db.session.rollback()
    view = gate_view(db.session(), person(), order_id, number_in("status"))
    order = view.order
    people, firms = _offered(order)
    asked = {lack: names_for(lack.criterion, order) for lack in view.lacks}
    names = dict.fromkeys([name for names in asked.values() for name in names] + asked_in(request.form, order.board_id))
    filled = {one.role_id: one.person_id for one in order.people} | roles_in(request.form)
    values = {
        "view": view,
        "form": form or gate_form(order, names, people, firms),
        "roles": [role for id_, role in view.lookup.roles.items() if f"role-{id_}" in names],
        "filled": filled,
        "people": people,
        "explained": [lack for lack, names in asked.items() if not names],
        "lacks": {names[-1]: lack for lack, names in asked.items() if names},
        "before": _before(),
        "version": number_in("version"),
        "key": key_in(),
        "comment": request.form.get("comment", ""),
        "reason": reason,
    }
    return answer_dialog("orders/_gate.html", order, 422, **values)


@bp.post("/orders/<int:order_id>/undo")
@signed_in
def undo(order_id: int) -> ResponseReturnValue:
    try:
        with transaction(Turn.SHARED) as session:
            undoing = orders.undo(session, person(), order_id, number_in("event"))
    except Conflict as conflict:
        return answer_conflict(conflict, order_id)
    if not is_htmx():
        return redirect(page_of_order(order_id), 303)
    order = order_summary(db.session(), order_id)
    toast = render_template("orders/_toast_undone.html", order=order, undoing=undoing)
    return parts_answer([order_id, *source_in(order)], [*undoing.heads, order.status.id], toast=toast, also=refresh_of(order_id))


def _toast_moved(order: OrderSummary, event_id: int | None, outcome: Outcome) -> str:
    """Nothing is said of a mere change of place in the column."""
    if event_id is None:
        return ""
    return render_template("orders/_toast_moved.html", order=order, event_id=event_id, outcome=outcome)
