"""Settings → Workflow rules: the list, and the editor whose sentence the server redraws as one chooses."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from kanban import clock
from kanban.criteria import ALWAYS, DAYS, LISTS, comparisons
from kanban.db import db, transaction
from kanban.errors import Invalid
from kanban.facts import find_field
from kanban.htmx import fragment, is_htmx, toast_part
from kanban.i18n import N_, _
from kanban.ids import read_id
from kanban.queries.sought import Alternatives, occurs, read_sought
from kanban.settings import country
from kanban.views.guard import admin_only, person
from rules import rules
from rules.actions import NOT_BY, template_kind
from rules.evaluator import WITH_STATUS
from rules.fields import RuleFields
from rules.forms.editor import ActionRow, CriterionRow, EditorState, read_state
from rules.forms.rule import rule_of, sketch_of, state_of
from rules.logs.run_log import failed_runs, last_runs
from rules.lookup import Lookup, load_lookup
from rules.models import TRIGGERS, Message, Rule
from rules.running.changes import DATES, SETTABLE
from rules.running.senders import REPLY_TO
from rules.trying.advice import advise
from rules.views.aside import aside_values
from rules.words.clauses import CHANGE_VERBS, CHANNEL_VERBS
from rules.words.sentences import Sentence, op_label, sentence_of
from rules.words.starts import PHASE_WORDS, TRIGGER_WORDS

bp = Blueprint("rules", __name__, url_prefix="/settings/rules")
MONTH = timedelta(days=30)
SAVED = {
    "draft": N_("The rule is saved and switched off."), "log": N_("The rule is saved. It only writes the log."),
    "on": N_("The rule is saved and works from now on."), "paused": N_("The rule is saved and paused."),
}  # fmt: skip
FIELD_GROUPS = {"order": N_("Of the order"), "role": N_("Role on the order"), "who": N_("Who did it"), "linked": N_("Linked order")}


@dataclass(frozen=True)
class Row:
    rule: Rule
    sentence: Sentence
    last_at: datetime | None
    sent: int
    failed: int
    broken_runs: int


@bp.get("")
@admin_only
def show() -> Any:
    sought = read_sought(request.args.get("q", ""), country())
    only = request.args.get("only", "")
    lookup = load_lookup(db.session())
    rows = _rows(lookup)
    shown = [row for row in rows if _is_shown(row, sought, only)]
    counts = {
        "": len(rows),
        "on": sum(row.rule.active for row in rows),
        "broken": sum(bool(row.sentence.gone or row.broken_runs) for row in rows),
    }
    return render_template("rules/page.html", rows=shown, lookup=lookup, counts=counts, only=only, q=request.args.get("q", ""),
                           broken=[row for row in rows if row.sentence.gone])  # fmt: skip


@bp.get("/new")
@admin_only
def new() -> Any:
    """?status=<id>: with the trigger filled in, as from a column's menu."""
    lookup = load_lookup(db.session())
    status = lookup.statuses.get(read_id(request.args.get("status")) or 0)
    board = status.board_id if status else next(iter(lookup.boards), 0)
    first = lookup.statuses_of(board)
    template = next((one.id for one in lookup.templates_of("letter")), "")
    state = EditorState(
        board_id=board, status_id=status.id if status else first[0].id if first else None, actions=[ActionRow(str(template))]
    )
    return editor(state, lookup)


@bp.get("/<int:rule_id>")
@admin_only
def edit(rule_id: int) -> Any:
    rule = rules.find_rule(db.session(), rule_id)
    return editor(state_of(rules.fields_of(rule)), load_lookup(db.session()), rule)


@bp.post("/draw")
@admin_only
def draw() -> Any:
    """The editor redrawn from what stands in it; nothing is saved."""
    rule_id = read_id(request.form.get("rule_id"))
    rule = rules.find_rule(db.session(), rule_id) if rule_id else None
    return editor(read_state(request.form), load_lookup(db.session()), rule)


@bp.post("/save")
@admin_only
def save() -> Any:
    rule_id = read_id(request.form.get("rule_id"))
    state = read_state(request.form)
    if request.form.get("do"):
        return draw()
    try:
        fields = rule_of(state)
        _require_answers(rule_id or 0, fields)
        with transaction() as session:
            saved = rules.change_rule(session, person(), rule_id, fields) if rule_id else rules.add_rule(session, person(), fields)
    except Invalid as error:
        db.session.rollback()
        rule = rules.find_rule(db.session(), rule_id) if rule_id else None
        return editor(state, load_lookup(db.session()), rule, error, 422)
    flash(_(SAVED[state.mode]))
    advice = advise(db.session(), saved.id, fields, load_lookup(db.session()), current_app.config["POTOK"])
    return redirect(url_for("rules.edit", rule_id=saved.id) + "#rule-advice" if advice else url_for("rules.show"), 303)


def _require_answers(rule_id: int, fields: RuleFields) -> None:
    """A rule that is to work is not saved while a question about it is open."""
    advice = advise(db.session(), rule_id, fields, load_lookup(db.session()), current_app.config["POTOK"]) if fields.active else []
    if any(one.question for one in advice):
        raise Invalid(_("Answer first whether so many people are to be told."), "many")


@bp.post("/<int:rule_id>/switch")
@admin_only
def switch(rule_id: int) -> Any:
    with transaction() as session:
        rule = rules.switch_rule(session, person(), rule_id, request.form.get("active") == "1")
    if not is_htmx():
        return redirect(url_for("rules.show"), 303)
    text = _("“%(rule)s” is on.", rule=rule.name) if rule.active else _("“%(rule)s” is off.", rule=rule.name)
    lookup = load_lookup(db.session())
    row = next(row for row in _rows(lookup) if row.rule.id == rule_id)
    return fragment(render_template("rules/_row.html", row=row) + toast_part(render_template("_toast.html", text=text)))


@bp.post("/<int:rule_id>/remove")
@admin_only
def remove(rule_id: int) -> Any:
    with transaction() as session:
        rules.remove_rule(session, person(), rule_id)
    flash(_("The rule is removed. Letters it sent stay in the log."))
    return redirect(url_for("rules.show"), 303)


def _rows(lookup: Lookup) -> list[Row]:
    session = db.session()
    found = session.scalars(select(Rule).options(joinedload(Rule.version)).order_by(Rule.board_id, Rule.id)).all()
    places = {id_: place for place, id_ in enumerate(lookup.statuses, 1)}
    found = sorted(found, key=lambda rule: (rule.board_id, places.get(rule.status_id or 0, 0), rule.in_matrix, rule.id))
    since = clock.now() - MONTH
    letters = session.execute(
        select(Message.rule_id, Message.state, func.count())
        .where(Message.created_at > since, Message.rule_id.is_not(None))
        .group_by(Message.rule_id, Message.state)
    ).all()
    runs, failing = last_runs(session), failed_runs(session, since)
    return [
        Row(
            rule, sentence_of(rules.fields_of(rule), lookup), runs.get(rule.id),
            sum(count for id_, state, count in letters if id_ == rule.id and state in ("sent", "tray")),
            sum(count for id_, state, count in letters if id_ == rule.id and state == "failed"), failing.get(rule.id, 0),
        )
        for rule in found
    ]  # fmt: skip


def _is_shown(row: Row, sought: list[Alternatives], only: str) -> bool:
    if (only == "on" and not row.rule.active) or (only == "broken" and not (row.sentence.gone or row.broken_runs)):
        return False
    sentence = row.sentence
    text = " ".join(
        [
            row.rule.name,
            sentence.status["name"] if sentence.status else "",
            *(f"{one.template} {' '.join(one.to)}" for one in sentence.sends),
        ]
    )
    return occurs(sought, text)


def editor(
    state: EditorState, lookup: Lookup, rule: Rule | None = None, error: Invalid | None = None, code: int = 200, **more: Any
) -> Any:  # fmt: skip
    """The editor and what stands beside it. more: of a trial or a test (rules.views.trials)."""
    statuses = lookup.linked_statuses(state.board_id) if state.trigger == "linked" else lookup.statuses_of(state.board_id)
    if state.trigger in WITH_STATUS and state.status_id not in [status.id for status in statuses]:
        state.status_id = statuses[0].id if statuses and rule is None else None
    for row in state.actions:
        if not row.is_change:
            _fit_template(row, state.trigger, lookup)
    if state.ticks_all_of is not None:
        _tick_all(state.ticks_all_of, state.board_id, lookup)
    values = {
        "state": state, "lookup": lookup, "rule": rule, "error": error,
        "triggers": {key: TRIGGER_WORDS[key] for key in TRIGGERS}, "groups": FIELD_GROUPS,
        "find_field": lambda name: find_field(name, lookup.role_names), "days": DAYS,
        "comparisons": comparisons, "op_label": op_label, "always": ALWAYS, "lists": LISTS, "channels": CHANNEL_VERBS,
        "not_by": NOT_BY, "kind_of": lambda channel: template_kind(channel, state.trigger), "reply_to": REPLY_TO,
        "changes": CHANGE_VERBS, "phases": PHASE_WORDS, "settable": SETTABLE, "dates": DATES,
    }  # fmt: skip
    sketch = replace(sketch_of(state), is_readable=rule is None or rule.version.is_readable)
    advice = advise(db.session(), rule.id if rule else 0, sketch, lookup, current_app.config["POTOK"])
    sentence = sentence_of(sketch, lookup)
    # what the stored rule has lost; what stands in the form is perhaps but not chosen yet
    lost = sentence_of(rules.fields_of(rule), lookup).gone if rule else ()
    values |= {"sentence": sentence, "broken": [reason for reason in sentence.gone if reason in lost], "advice": advice}
    values |= aside_values(state, rule, lookup) | more
    if is_htmx():
        return fragment(render_template("rules/_editor.html", **values) + render_template("rules/_aside.html", oob=True, **values), code)
    return render_template("rules/edit.html", **values), code


def _tick_all(row: CriterionRow, board_id: int, lookup: Lookup) -> None:
    """All choices of a list, or none where all are ticked."""
    field = find_field(row.field, lookup.role_names)
    every = [str(id_) for id_, _name in lookup.choices(field.choices, board_id)] if field else []
    row.values = [] if set(every) <= set(row.values) else every


def _fit_template(row: ActionRow, trigger: str, lookup: Lookup) -> None:
    """Another channel or start was chosen, and the template is of the kind that the old one takes."""
    kind = template_kind(row.channel, trigger)
    chosen = lookup.templates.get(read_id(row.template) or 0)
    if chosen is not None and chosen.kind != kind:
        row.template = str(next((one.id for one in lookup.templates_of(kind)), ""))
