"""Settings → Workflow rules: the list, and the editor whose sentence the server redraws as one chooses."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban import clock
from kanban.db import db
from kanban.errors import Invalid
from kanban.fields import catalogue_of
from kanban.forms.criteria import OFFERED, tick_all
from kanban.htmx import fragment, is_htmx, toast_part
from kanban.http.guard import admin_only, person
from kanban.i18n import N_, _
from kanban.ids import read_id
from kanban.queries.sought import Alternatives, occurs, read_sought
from kanban.settings import country
from kanban.transactions import transaction
from rules.definition.actions import ChangeKind
from rules.definition.channels import Channel, TemplateKind, template_kind
from rules.definition.content import RuleFields
from rules.definition.message_action import ReplyTo
from rules.definition.recipients import RelatedRecipient, Relation, can_reach
from rules.definition.triggers import OF_STATUS, TriggerKind
from rules.editing import verbs
from rules.forms.editor import ActionRow, EditorState, read_state
from rules.forms.rule import rule_of, sketch_of, state_of
from rules.logs.run_log import failed_runs, last_runs
from rules.models import Rule
from rules.queries.lookup import RuleLookup, load_rule_lookup
from rules.queries.rule_list import all_rules, message_counts
from rules.queries.versions import fields_of, find_rule
from rules.trying.advice import advise
from rules.views.aside import aside_values
from rules.words.actions import addresses_hint, change_label
from rules.words.sentences import Sentence, sentence_of
from rules.words.triggers import PHASE_WORDS, trigger_label

bp = Blueprint("rules", __name__, url_prefix="/settings/rules")
MONTH = timedelta(days=30)
SAVED = {
    "draft": N_("The rule is saved and turned off."),
    "log": N_("The rule is saved. It only writes to the log."),
    "on": N_("The rule is saved and active."),
    "paused": N_("The rule is saved and paused."),
}
REPLY_TO = {
    ReplyTo.NOBODY: N_("no reply-to"),
    ReplyTo.RESPONSIBLE: N_("the responsible person"),
    ReplyTo.MOVER: N_("whoever did it"),
}
RELATIONS = {
    Relation.RESPONSIBLE: N_("Responsible person"),
    Relation.PREVIOUS: N_("Previous responsible person"),
    Relation.AUTHOR: N_("Author"),
    Relation.MOVER: N_("Who did it"),
    Relation.CUSTOMER: N_("Customer"),
}
OF_AN_EVENT = (Relation.PREVIOUS, Relation.MOVER)  # a list comes of no event


@dataclass(frozen=True)
class RuleListRow:
    rule: Rule
    sentence: Sentence
    last_at: datetime | None
    sent: int
    failed: int
    broken_runs: int


@bp.get("")
@admin_only
def show() -> ResponseReturnValue:
    sought = read_sought(request.args.get("q", ""), country())
    only = request.args.get("only", "")
    lookup = load_rule_lookup(db.session())
    rows = _rows(lookup)
    shown = [row for row in rows if _is_shown(row, sought, only)]
    counts = {
        "": len(rows),
        "on": sum(row.rule.active for row in rows),
        "broken": sum(bool(row.sentence.gone or row.broken_runs) for row in rows),
    }
    return render_template(
        "rules/page.html",
        rows=shown,
        lookup=lookup,
        counts=counts,
        only=only,
        q=request.args.get("q", ""),
        broken=[row for row in rows if row.sentence.gone],
    )


@bp.get("/new")
@admin_only
def new() -> ResponseReturnValue:
    """?status=<id>: with the trigger filled in, as from a column's menu."""
    lookup = load_rule_lookup(db.session())
    status = lookup.statuses.get(read_id(request.args.get("status")) or 0)
    board = status.board_id if status else next(iter(lookup.boards), 0)
    first = lookup.statuses_of(board)
    template = next((one.id for one in lookup.templates_of(TemplateKind.EMAIL)), "")
    state = EditorState(
        board_id=board, status_id=status.id if status else first[0].id if first else None, actions=[ActionRow(str(template))]
    )
    return editor(state, lookup)


@bp.get("/<int:rule_id>")
@admin_only
def edit(rule_id: int) -> ResponseReturnValue:
    rule = find_rule(db.session(), rule_id)
    return editor(state_of(fields_of(rule)), load_rule_lookup(db.session()), rule)


@bp.post("/draw")
@admin_only
def draw() -> ResponseReturnValue:
    """The editor redrawn from what stands in it; nothing is saved."""
    rule_id = read_id(request.form.get("rule_id"))
    rule = find_rule(db.session(), rule_id) if rule_id else None
    return editor(read_state(request.form), load_rule_lookup(db.session()), rule)


@bp.post("/save")
@admin_only
def save() -> ResponseReturnValue:
    rule_id = read_id(request.form.get("rule_id"))
    state = read_state(request.form)
    if request.form.get("do"):
        return draw()
    try:
        fields = rule_of(state)
        _require_answers(rule_id or 0, fields)
        with transaction() as session:
            saved = verbs.change_rule(session, person(), rule_id, fields) if rule_id else verbs.add_rule(session, person(), fields)
    except Invalid as error:
        db.session.rollback()
        rule = find_rule(db.session(), rule_id) if rule_id else None
        return editor(state, load_rule_lookup(db.session()), rule, error, 422)
    flash(_(SAVED[state.mode]))
    advice = advise(db.session(), saved.id, fields, load_rule_lookup(db.session()), current_app.config["POTOK"])
    return redirect(url_for("rules.edit", rule_id=saved.id) + "#rule-advice" if advice else url_for("rules.show"), 303)


def _require_answers(rule_id: int, fields: RuleFields) -> None:
    """A rule that is to work is not saved while a question about it is open."""
    advice = advise(db.session(), rule_id, fields, load_rule_lookup(db.session()), current_app.config["POTOK"]) if fields.active else []
    if any(one.question for one in advice):
        raise Invalid(_("First confirm that so many people should be notified."), "many")


@bp.post("/<int:rule_id>/switch")
@admin_only
def switch(rule_id: int) -> ResponseReturnValue:
    with transaction() as session:
        rule = verbs.switch_rule(session, person(), rule_id, request.form.get("active") == "1")
    if not is_htmx():
        return redirect(url_for("rules.show"), 303)
    text = _("“%(rule)s” is on.", rule=rule.name) if rule.active else _("“%(rule)s” is off.", rule=rule.name)
    lookup = load_rule_lookup(db.session())
    row = next(row for row in _rows(lookup) if row.rule.id == rule_id)
    return fragment(render_template("rules/_row.html", row=row) + toast_part(render_template("_toast.html", text=text)))


@bp.post("/<int:rule_id>/remove")
@admin_only
def remove(rule_id: int) -> ResponseReturnValue:
    with transaction() as session:
        verbs.remove_rule(session, person(), rule_id)
    flash(_("The rule is removed. Messages it sent stay in the log."))
    return redirect(url_for("rules.show"), 303)


def _rows(lookup: RuleLookup) -> list[RuleListRow]:
    session = db.session()
    places = {id_: place for place, id_ in enumerate(lookup.statuses, 1)}
    found = sorted(all_rules(session), key=lambda rule: (rule.board_id, places.get(rule.status_id or 0, 0), rule.in_matrix, rule.id))
    since = clock.now() - MONTH
    counts, runs, failing = message_counts(session, since), last_runs(session), failed_runs(session, since)
    return [
        RuleListRow(
            rule,
            sentence_of(fields_of(rule), lookup),
            runs.get(rule.id),
            counts.sent[rule.id],
            counts.failed[rule.id],
            failing.get(rule.id, 0),
        )
        for rule in found
    ]


def _is_shown(row: RuleListRow, sought: list[Alternatives], only: str) -> bool:
    if (only == "on" and not row.rule.active) or (only == "broken" and not (row.sentence.gone or row.broken_runs)):
        return False
    status, clauses = row.sentence.status, row.sentence.clauses
    said = [f"{clause.text} {' '.join(clause.to)}" for clause in clauses]
    text = " ".join([row.rule.name, status.name if status else "", *said])
    return occurs(sought, text)


def editor(
    state: EditorState, lookup: RuleLookup, rule: Rule | None = None, error: Invalid | None = None, code: int = 200, **more: object
) -> ResponseReturnValue:
    """The editor and what stands beside it. more: of a trial or a test (rules.views.trials)."""
    _choose(state, lookup, is_new=rule is None)
    stored = fields_of(rule) if rule else None
    sketch = replace(sketch_of(state), broken=stored.broken if stored else "")
    advice = advise(db.session(), rule.id if rule else 0, sketch, lookup, current_app.config["POTOK"])
    sentence = sentence_of(sketch, lookup)
    # what the stored rule has lost; what stands in the form is perhaps but not chosen yet
    lost = sentence_of(stored, lookup).gone if stored else ()
    values = _offered(state) | {
        "state": state,
        "lookup": lookup,
        "rule": rule,
        "error": error,
        "sentence": sentence,
        "advice": advice,
        "broken": [reason for reason in sentence.gone if reason in lost],
    }
    values |= aside_values(state, rule, lookup) | more
    if is_htmx():
        return fragment(render_template("rules/_editor.html", **values) + render_template("rules/_aside.html", oob=True, **values), code)
    return render_template("rules/edit.html", **values), code


def _choose(state: EditorState, lookup: RuleLookup, *, is_new: bool) -> None:
    """Chooses what follows from what was chosen: a status of the board, templates of the channels, all of a list."""
    is_linked = state.trigger is TriggerKind.LINKED_ENTERED
    statuses = lookup.linked_statuses(state.board_id) if is_linked else lookup.statuses_of(state.board_id)
    if state.trigger in OF_STATUS and state.status_id not in [status.id for status in statuses]:
        state.status_id = statuses[0].id if statuses and is_new else None
    for row in state.actions:
        if not row.is_change:
            _fit_template(row, state.trigger, lookup)
    tick_all(state, lookup)


def _offered(state: EditorState) -> dict[str, object]:
    """What the editor's templates offer to choose from."""
    catalogue = catalogue_of(state.board_id)
    return OFFERED | {
        "triggers": {kind: trigger_label(kind) for kind in TriggerKind},
        "addresses_hint": lambda row: addresses_hint(Channel(row.kind)),
        "channels": {channel: channel.verb for channel in Channel},
        "changes": {kind: change_label(kind) for kind in ChangeKind},
        "reply_to": REPLY_TO,
        "phases": PHASE_WORDS,
        "settable": list(catalogue.settable),
        "dates": list(catalogue.dates),
        "kind_of": lambda row: _template_kind(row, state.trigger),
        "relations_of": lambda row: _relations(row, state.trigger),
    }


def _relations(row: ActionRow, trigger: TriggerKind) -> dict[Relation, str]:
    """Whom of the order a message of that channel can reach."""
    none = OF_AN_EVENT if trigger is TriggerKind.WEEKLY else ()
    channel = Channel(row.kind)
    return {one: words for one, words in RELATIONS.items() if one not in none and can_reach(RelatedRecipient(one), channel)}


def _template_kind(row: ActionRow, trigger: TriggerKind) -> TemplateKind:
    return template_kind(Channel(row.kind), is_list=trigger is TriggerKind.WEEKLY)


def _fit_template(row: ActionRow, trigger: TriggerKind, lookup: RuleLookup) -> None:
    """Another channel or start was chosen, and the template is of the kind that the old one takes."""
    kind = _template_kind(row, trigger)
    chosen = lookup.templates.get(read_id(row.template) or 0)
    if chosen is not None and chosen.kind != kind:
        row.template = str(next((one.id for one in lookup.templates_of(kind)), ""))
