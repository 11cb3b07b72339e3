"""Settings → Boards and statuses → the gate of a status: what must hold of an order before it enters."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban import boards
from kanban.db import db
from kanban.errors import Invalid
from kanban.fields import catalogue_of
from kanban.forms.criteria import OFFERED, CriteriaState, criteria_of, do_wish, read_rows, sketched_criteria, take_criteria, tick_all
from kanban.htmx import fragment, is_htmx
from kanban.http.guard import admin_only, person
from kanban.i18n import _
from kanban.lookup import load_lookup
from kanban.models import Status
from kanban.orders import read_gate
from kanban.transactions import transaction
from kanban.words.criteria import conditions_of

bp = Blueprint("gates", __name__, url_prefix="/settings/boards/statuses")


@bp.get("/<int:status_id>/gate")
@admin_only
def edit(status_id: int) -> ResponseReturnValue:
    status = boards.find_status(db.session(), status_id)
    gate = read_gate(status.gate, status.board_id)
    state = CriteriaState(status.board_id)
    take_criteria(state, gate.criteria)
    return _page(status, state, broken=gate.broken)


@bp.post("/<int:status_id>/gate/draw")
@admin_only
def draw(status_id: int) -> ResponseReturnValue:
    """Drawn anew from what stands in it; nothing is saved."""
    status = boards.find_status(db.session(), status_id)
    return _page(status, _typed(status))


@bp.post("/<int:status_id>/gate")
@admin_only
def change(status_id: int) -> ResponseReturnValue:
    status = boards.find_status(db.session(), status_id)
    state = _typed(status)
    if request.form.get("do"):
        return _page(status, state)
    try:
        gate = criteria_of(state, catalogue_of(status.board_id))
        with transaction() as session:
            boards.change_gate(session, person(), status_id, gate)
    except Invalid as error:
        db.session.rollback()
        return _page(boards.find_status(db.session(), status_id), state, reason=str(error.reason), code=422)
    flash(_("Saved"))
    return redirect(url_for("statuses.show") + f"#status-{status_id}", 303)


def _typed(status: Status) -> CriteriaState:
    state = CriteriaState(status.board_id)
    read_rows(state, request.form, catalogue_of(status.board_id))
    do_wish(state, request.form.get("do", ""))
    return state


def _page(status: Status, state: CriteriaState, *, broken: str = "", reason: str = "", code: int = 200) -> ResponseReturnValue:
    lookup = load_lookup(db.session())
    tick_all(state, lookup)
    gone: list[str] = []
    sketch = sketched_criteria(state, catalogue_of(status.board_id))
    values: dict[str, object] = OFFERED | {
        "open_status": status,
        "state": state,
        "lookup": lookup,
        "conditions": conditions_of(sketch, status.board_id, lookup, gone),
        "group": sketch.kind,
        "broken": broken or " ".join(gone),
        "reason": reason,
        "draw_url": url_for("gates.draw", status_id=status.id),
        "editor_id": "gate-editor",
    }
    if is_htmx():
        return fragment(render_template("settings/_gate.html", **values), code)
    return render_template("settings/gate.html", **values), code
