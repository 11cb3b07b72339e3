"""Moving orders: the menu, the move with the gate's dialog, undo."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from kanban import orders
from kanban.db import db
from kanban.errors import Conflict, Lacking
from kanban.events import Outcome
from kanban.forms.fields import PotokForm
from kanban.forms.gate import asked_in, filled_by, gate_form, names_for
from kanban.htmx import fragment, is_htmx
from kanban.http.guard import person, signed_in
from kanban.queries.board import Choice
from kanban.queries.firm import offered_organisations, offered_people
from kanban.queries.gate import gate_view
from kanban.queries.order import OrderSummary, find_shown, order_summary, order_view, steps_of
from kanban.transactions import Turn, transaction
from kanban.views.answers import answer_conflict, answer_dialog, key_in, number_in, page_of_order, refresh_of, source_in
from kanban.views.parts import parts_answer

bp = Blueprint("moves", __name__)


@bp.get("/orders/<int:order_id>/menu")
@signed_in
def menu(order_id: int) -> ResponseReturnValue:
    """«Move to…»: the statuses, and what else can be done with a card."""
    order = find_shown(db.session(), order_id)
    view = order_view(db.session(), person(), order_id)
    steps = steps_of(db.session(), person(), order)
    return fragment(render_template("orders/_menu.html", order=order, steps=steps, view=view))


@bp.post("/orders/<int:order_id>/move")
@signed_in
def move(order_id: int) -> ResponseReturnValue:
    """Where a gate asks for more: its dialog, with what was filled in."""
    form = _gate_form(order_id)
    if form is not None and not form.validate():
        return _gate(order_id, form=form)
    try:
        with transaction(Turn.SHARED) as session:
            moved = orders.move(
                session,
                person(),
                order_id,
                status_id=number_in("status"),
                before=request.form.get("before", "")[:20],
                version=number_in("version"),
                key=key_in(),
                filled=filled_by(form, request.form, _board_of(order_id)) if form is not None else None,
            )
    except Conflict as conflict:
        return answer_conflict(conflict, order_id)
    except Lacking as lacking:
        return _gate(order_id, form=form, reason=str(lacking.reason) if form is not None else "")
    if not is_htmx():
        return redirect(page_of_order(order_id), 303)
    order = order_summary(db.session(), order_id)
    toast = _toast_moved(order, moved.event.id if moved.event else None, moved.outcome)
    return parts_answer([order_id, *source_in(order)], [*moved.heads, order.status.id], toast=toast, also=refresh_of(order_id))


def _board_of(order_id: int) -> int:
    return order_summary(db.session(), order_id).board_id


def _gate_form(order_id: int) -> PotokForm | None:
    """None of a plain move: nothing was filled in."""
    if "gate" not in request.form:
        return None
    order = find_shown(db.session(), order_id)
    return gate_form(order, asked_in(request.form, order.board_id), *_offered(order_id))


def _offered(order_id: int) -> tuple[list[Choice], list[Choice]]:
    """People and organisations; those that the order names stay a choice, even where they are no longer active."""
    session, order = db.session(), find_shown(db.session(), order_id)
    named = {order.responsible_id, *(one.person_id for one in order.people)}
    people = [Choice(one.id, one.name) for one in offered_people(session, named)]
    return people, [Choice(*firm) for firm in offered_organisations(session, order.organisation_id)]


def _gate(order_id: int, *, form: PotokForm | None, reason: str = "") -> ResponseReturnValue:
    """422: what the status asks for. Everything typed stays; the order stands where it stood."""
    db.session.rollback()
    view = gate_view(db.session(), person(), order_id, number_in("status"))
    people, firms = _offered(order_id)
    names = dict.fromkeys(name for lack in view.lacks for name in names_for(lack.criterion, view.order))
    names |= dict.fromkeys(asked_in(request.form, view.order.board_id)) if form is not None else {}
    form = form or gate_form(view.order, names, people, firms)
    values = {
        "view": view,
        "form": form,
        "roles": [view.lookup.roles[id_] for id_ in map(_role_in, names) if id_ in view.lookup.roles],
        "filled": {one.role_id: one.person_id for one in view.order.people},
        "people": people,
        "explained": [lack for lack in view.lacks if not names_for(lack.criterion, view.order)],
        "lacks": {names_for(lack.criterion, view.order)[-1]: lack for lack in view.lacks if names_for(lack.criterion, view.order)},
        "before": request.form.get("before", "")[:20],
        "key": key_in(),
        "comment": request.form.get("comment", ""),
        "reason": reason,
    }
    return answer_dialog("orders/_gate.html", 422, **values)


def _role_in(name: str) -> int | None:
    return int(name[5:]) if name.startswith("role-") and name[5:].isdecimal() else None


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
