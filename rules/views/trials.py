"""Beside the rule editor: try the rule as it stands in the form, see what it would have done, restore a version."""

from dataclasses import replace
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for

from kanban.actor import Actor, actor_of
from kanban.config import Config
from kanban.db import db, transaction
from kanban.errors import Invalid
from kanban.htmx import fragment, is_htmx
from kanban.i18n import _, ngettext
from kanban.ids import read_id
from kanban.models import Person
from kanban.settings import setting
from kanban.views.guard import admin_only, person
from rules import rules
from rules.fields import RuleFields
from rules.forms.editor import EditorState, read_state
from rules.forms.rule import rule_of, state_of
from rules.forms.trial import imagined_of, read_trial
from rules.lookup import Lookup, load_lookup
from rules.models import Rule
from rules.post import outbox
from rules.sense import require_sense
from rules.texts import table_rows
from rules.trying.backtest import DAYS, backtest
from rules.trying.trial import Trial, to_oneself, try_rule
from rules.views.aside import aside_values
from rules.views.rules import bp, editor
from rules.words.clauses import CHANNEL_VERBS


@bp.post("/try")
@admin_only
def try_() -> Any:
    """Nothing is sent or stored."""
    return _answer("rules/_trial.html", lambda fields, lookup: {"trial": _try(fields, lookup)})


@bp.post("/send-to-me")
@admin_only
def send_to_me() -> Any:
    """The letters of the trial, to whoever tries it; nobody else gets anything."""

    def sent(fields: RuleFields, lookup: Lookup) -> dict[str, Any]:
        rows = to_oneself(_try(fields, lookup), person(), _config())
        with transaction() as session:
            outbox.enqueue(session, [], rows)
        words = ngettext("%(num)d letter is on its way to you.", "%(num)d letters are on their way to you.", len(rows)) if rows else ""
        return {"trial": _try(fields, load_lookup(db.session())), "sent_words": words or _("There is no letter to send.")}

    return _answer("rules/_trial.html", sent)


@bp.post("/backtest")
@admin_only
def test() -> Any:
    """What the rule would have done in the last days, beside what the saved one did."""

    def tested(fields: RuleFields, lookup: Lookup) -> dict[str, Any]:
        return {"tested": backtest(db.session(), _rule_id(), fields)}

    return _answer("rules/_backtest.html", tested)


@bp.post("/<int:rule_id>/restore")
@admin_only
def restore(rule_id: int) -> Any:
    number = read_id(request.form.get("number")) or 0
    try:
        with transaction() as session:
            rules.restore_rule(session, person(), rule_id, number)
    except Invalid as error:
        db.session.rollback()
        rule = rules.find_rule(db.session(), rule_id)
        reason = _("Version %(number)s makes no sense any more: %(reason)s", number=number, reason=error.reason)
        return editor(state_of(rules.fields_of(rule)), load_lookup(db.session()), rule, Invalid(reason, ""), 422)
    flash(_("Version %(number)s is restored, as a new version.", number=number))
    return redirect(url_for("rules.edit", rule_id=rule_id), 303)


def _answer(part: str, act: Any) -> Any:
    """The panel for htmx, else the whole page; what can't be tried says why, in the panel."""
    state, lookup = read_state(request.form), load_lookup(db.session())
    rule = rules.find_rule(db.session(), _rule_id()) if _rule_id() else None
    code, more = 200, {}
    try:
        more = act(_sensible(state), lookup)
    except Invalid as error:
        code, more = 422, {"refused": error.reason, "refused_part": part}
    more |= {"channels": CHANNEL_VERBS, "table_rows": table_rows, "company": setting(db.session(), "company"), "days_back": DAYS}
    if not is_htmx():
        return editor(state, load_lookup(db.session()), _again(rule), None, code, **more)
    lookup = load_lookup(db.session())
    return fragment(
        render_template(part, state=state, rule=_again(rule), lookup=lookup, **aside_values(state, _again(rule), lookup), **more), code
    )


def _again(rule: Rule | None) -> Rule | None:
    """A transaction in between has emptied it."""
    return rules.find_rule(db.session(), _rule_id()) if rule else None


def _sensible(state: EditorState) -> RuleFields:
    """Name and mode don't matter here. Raises Invalid."""
    fields = rule_of(replace(state, name=state.name[:120] or "—", mode="on"))
    require_sense(db.session(), fields)
    return fields


def _try(fields: RuleFields, lookup: Lookup) -> Trial:
    typed = read_trial(request.form)
    return try_rule(db.session(), _rule_id(), fields, typed.number, imagined_of(typed, fields, lookup), _who(typed.who), _config(), lookup)


def _who(id_: str) -> Actor:
    """Who is imagined to do it; oneself, unless somebody is chosen."""
    found = db.session.get(Person, read_id(id_) or 0)
    return actor_of(db.session(), found) if found else person()


def _rule_id() -> int:
    return read_id(request.form.get("rule_id")) or 0


def _config() -> Config:
    config: Config = current_app.config["POTOK"]
    return config
