"""Beside the rule editor: try the rule as it stands in the form, see what it would have done, restore a version."""

from dataclasses import replace
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban.actor import Actor, actor_of
from kanban.config import Config
from kanban.db import db
from kanban.errors import Invalid
from kanban.htmx import fragment, is_htmx
from kanban.http.guard import admin_only, person
from kanban.i18n import _, ngettext
from kanban.ids import read_id
from kanban.models import Person
from kanban.settings import setting
from kanban.transactions import transaction
from rules.definition.content import RuleFields
from rules.definition.texts import blocks_of
from rules.editing import verbs
from rules.editing.validation import validate
from rules.forms.editor import EditorState, read_state
from rules.forms.rule import rule_of, state_of
from rules.forms.trial import imagined_of, read_trial
from rules.models import Rule
from rules.queries.lookup import RuleLookup, load_rule_lookup
from rules.queries.versions import fields_of, find_rule
from rules.trying.backtest import DAYS, backtest
from rules.trying.trial import Trial, send_to_oneself, try_rule
from rules.views.aside import aside_values
from rules.views.rules import bp, editor


@bp.post("/try")
@admin_only
def try_() -> ResponseReturnValue:
    """Nothing is sent or stored."""
    return _answer("rules/_trial.html", lambda fields, lookup: {"trial": _try(fields, lookup)})


@bp.post("/send-to-me")
@admin_only
def send_to_me() -> ResponseReturnValue:
    """The messages of the trial, to whoever tries it; nobody else gets anything."""

    def sent(fields: RuleFields, lookup: RuleLookup) -> dict[str, object]:
        trial = _try(fields, lookup)
        with transaction() as session:
            count = send_to_oneself(session, trial, person())
        words = ngettext("%(num)d e-mail is on its way to you.", "%(num)d e-mails are on their way to you.", count) if count else ""
        return {"trial": _try(fields, load_rule_lookup(db.session())), "sent_words": words or _("There is no e-mail to send.")}

    return _answer("rules/_trial.html", sent)


@bp.post("/backtest")
@admin_only
def test() -> ResponseReturnValue:
    """What the rule would have done in the last days, beside what the saved one did."""

    def tested(fields: RuleFields, lookup: RuleLookup) -> dict[str, object]:
        return {"tested": backtest(db.session(), _rule_id(), fields.content)}

    return _answer("rules/_backtest.html", tested)


@bp.post("/<int:rule_id>/restore")
@admin_only
def restore(rule_id: int) -> ResponseReturnValue:
    number = read_id(request.form.get("number")) or 0
    try:
        with transaction() as session:
            verbs.restore_rule(session, person(), rule_id, number)
    except Invalid as error:
        db.session.rollback()
        rule = find_rule(db.session(), rule_id)
        reason = _("Version %(number)s is no longer valid: %(reason)s", number=number, reason=error.reason)
        return editor(state_of(fields_of(rule)), load_rule_lookup(db.session()), rule, Invalid(reason, ""), 422)
    flash(_("Version %(number)s is restored as a new version.", number=number))
    return redirect(url_for("rules.edit", rule_id=rule_id), 303)


def _answer(part: str, act: Any) -> ResponseReturnValue:
    """The panel for htmx, else the whole page; what can't be tried says why, in the panel."""
    state, lookup = read_state(request.form), load_rule_lookup(db.session())
    rule = find_rule(db.session(), _rule_id()) if _rule_id() else None
    code, more = 200, {}
    try:
        more = act(_sensible(state), lookup)
    except Invalid as error:
        code, more = 422, {"refused": error.reason, "refused_part": part}
    more |= {"blocks_of": blocks_of, "company": setting(db.session(), "company"), "days_back": DAYS}
    if not is_htmx():
        return editor(state, load_rule_lookup(db.session()), _again(rule), None, code, **more)
    lookup = load_rule_lookup(db.session())
    return fragment(
        render_template(part, state=state, rule=_again(rule), lookup=lookup, **aside_values(state, _again(rule), lookup), **more), code
    )


def _again(rule: Rule | None) -> Rule | None:
    """A transaction in between has emptied it."""
    return find_rule(db.session(), _rule_id()) if rule else None


def _sensible(state: EditorState) -> RuleFields:
    """Name and mode don't matter here. Raises Invalid."""
    fields = rule_of(replace(state, name=state.name[:120] or "—", mode="on"))
    validate(db.session(), fields.content)
    return fields


def _try(fields: RuleFields, lookup: RuleLookup) -> Trial:
    typed = read_trial(request.form)
    imagined = imagined_of(typed, fields.content, lookup)
    return try_rule(db.session(), _rule_id(), fields, typed.number, imagined, _who(typed.who), _config(), lookup)


def _who(id_: str) -> Actor:
    """Who is imagined to do it; oneself, unless somebody is chosen."""
    found = db.session.get(Person, read_id(id_) or 0)
    return actor_of(db.session(), found) if found else person()


def _rule_id() -> int:
    return read_id(request.form.get("rule_id")) or 0


def _config() -> Config:
    config: Config = current_app.config["POTOK"]
    return config
