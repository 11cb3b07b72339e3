"""Settings → Workflow rules → Runs: what rules did, filtered, page by page, and as a table."""

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.http.csv_answer import csv_answer
from kanban.http.guard import admin_only, confirmed
from kanban.i18n import _
from kanban.queries.order import number_of
from rules.logs.message_log import MOST_PAGE, PERIODS
from rules.logs.run_export import run_rows
from rules.logs.run_log import FILTERS, OUTCOMES, RunFilter, read_run_filter, run_choices, run_page
from rules.views.chips import Chip, period_chips
from rules.words.events import what_happened
from rules.words.reasons import explained_all

bp = Blueprint("runs", __name__)


@bp.get("/settings/rules/runs")
@admin_only
def show() -> ResponseReturnValue:
    session, chosen = db.session(), read_run_filter(request.args)
    page = max(1, min(request.args.get("page", 1, type=int), MOST_PAGE))
    rows, has_more = run_page(session, chosen, page)
    choices = run_choices(session)
    return render_template(
        "runs/page.html",
        rows=rows,
        has_more=has_more,
        page=page,
        chosen=chosen,
        choices=choices,
        applied=_applied(chosen, dict(choices)),
        periods=PERIODS,
        outcomes=OUTCOMES,
        filters=FILTERS,
        what_happened=what_happened,
        explained_all=explained_all,
        kept_days=current_app.config["POTOK"].runs_kept_days,
    )


@bp.get("/settings/rules/runs.csv")
@admin_only
@confirmed
def table() -> ResponseReturnValue:
    """The filtered log for a spreadsheet."""
    words = {outcome: _(text) for outcome, text in OUTCOMES.items()}
    head = [_("When"), _("Outcome"), _("Rule"), _("Version"), _("Order"), _("Event"), _("Messages"), _("Notes")]
    return csv_answer("runs", head, run_rows(db.engine, read_run_filter(request.args).conditions(), words))


def _applied(chosen: RunFilter, rules: dict[int, str]) -> list[Chip]:
    """What the filter's menu holds, as chips: name, value and the filter without it."""
    found: list[Chip] = []
    if chosen.rule:
        found.append(Chip(_("Rule"), rules.get(chosen.rule, "?"), chosen.query(rule=None)))
    if chosen.order:
        found.append(Chip(_("Order"), number_of(db.session(), chosen.order) or "?", chosen.query(order=None)))
    return found + period_chips(chosen)
