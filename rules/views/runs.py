"""Settings → Workflow rules → Runs: what rules did, filtered, page by page, and as a table."""

from typing import Any

from flask import Blueprint, current_app, render_template, request
from sqlalchemy import select

from kanban.db import db
from kanban.i18n import _, day_short
from kanban.models import Order
from kanban.views.csv_answer import csv_answer
from kanban.views.guard import admin_only, confirmed
from rules.logs.letter_log import MOST_PAGE, PERIODS
from rules.logs.run_export import run_rows
from rules.logs.run_log import FILTERS, OUTCOMES, RunFilter, read_run_filter, run_choices, run_page
from rules.words.happened import what_happened
from rules.words.silence import explained_all

bp = Blueprint("runs", __name__)


@bp.get("/settings/rules/runs")
@admin_only
def show() -> Any:
    session, chosen = db.session(), read_run_filter(request.args)
    page = max(1, min(request.args.get("page", 1, type=int), MOST_PAGE))
    rows, has_more = run_page(session, chosen, page)
    choices = run_choices(session)
    return render_template(
        "runs/page.html", rows=rows, has_more=has_more, page=page, chosen=chosen, choices=choices, applied=_applied(chosen, dict(choices)),
        periods=PERIODS, outcomes=OUTCOMES, filters=FILTERS, what_happened=what_happened, explained_all=explained_all,
        kept_days=current_app.config["POTOK"].runs_kept_days,
    )  # fmt: skip


@bp.get("/settings/rules/runs.csv")
@admin_only
@confirmed
def table() -> Any:
    """The filtered log for a spreadsheet."""
    words = {outcome: _(text) for outcome, text in OUTCOMES.items()}
    head = [_("When"), _("Outcome"), _("Rule"), _("Version"), _("Order"), _("Event"), _("Letters"), _("Notes")]
    return csv_answer("runs", head, run_rows(db.engine, read_run_filter(request.args).conditions(), words))


def _applied(chosen: RunFilter, rules: dict[int, str]) -> list[tuple[str, str, dict[str, Any]]]:
    """What the filter's menu holds, as chips: name, value and the filter without it."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    if chosen.rule:
        found.append((_("Rule"), rules.get(chosen.rule, "?"), chosen.query(rule=None)))
    if chosen.order:
        number = db.session.scalar(select(Order.number).where(Order.id == chosen.order))
        found.append((_("Order"), number or "?", chosen.query(order=None)))
    if chosen.days:
        found.append((_("Period"), _("last %(days)s days", days=chosen.days), chosen.query(days=None)))
    if chosen.since:
        found.append((_("Since"), day_short(chosen.since), chosen.query(**{"from": None})))
    if chosen.until:
        found.append((_("Until"), day_short(chosen.until), chosen.query(to=None)))
    return found
