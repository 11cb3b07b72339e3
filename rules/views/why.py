"""«Why» of an event: what its rules saw and did. A part within an order's history, or a page beside it."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.htmx import fragment, is_htmx
from kanban.http.guard import person, signed_in
from kanban.policy import may_administer
from kanban.queries.order import order_view
from rules.logs.run_log import OUTCOMES
from rules.logs.trace import trace_event

bp = Blueprint("why", __name__)


@bp.get("/orders/<int:order_id>/events/<int:event_id>/why")
@signed_in
def show(order_id: int, event_id: int) -> ResponseReturnValue:
    """Whoever may see the order may see it."""
    trace = trace_event(db.session(), order_id, event_id, hidden=may_administer(person()))
    values = {"trace": trace, "event": trace.event, "outcomes": OUTCOMES, "kept_days": current_app.config["POTOK"].runs_kept_days}
    if is_htmx():
        return fragment(render_template("why/_opened.html", **values))
    view = order_view(db.session(), person(), order_id)
    return render_template("why/page.html", view=view, order=view.order, **values)
