"""The verbs of rules: the only code that changes them. Every change of what a rule says is a new version."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban import clock
from kanban.actor import Actor
from kanban.errors import NotFound
from kanban.i18n import _
from kanban.models import Status
from kanban.policy import require_admin
from rules.cells import are_cells
from rules.evaluator import WITH_STATUS, trigger_key
from rules.fields import NO_CRITERIA, RuleFields
from rules.models import Rule, RuleVersion
from rules.pointers import Thing, exchanged, things_in
from rules.sense import require_sense


def add_rule(session: Session, actor: Actor | None, fields: RuleFields, *, in_matrix: bool = False) -> Rule:
    """Raises Forbidden, Invalid."""
    if actor is not None:
        require_admin(actor)
    require_sense(session, fields)
    rule = Rule(board_id=fields.board_id, name=fields.name, in_matrix=in_matrix, trigger_key="")
    _set_mode(rule, fields)
    session.add(rule)
    _write_version(session, rule, actor, fields, 1)
    return rule


def change_rule(session: Session, actor: Actor, rule_id: int, fields: RuleFields) -> Rule:
    """Writes a new version, if the rule now says something else. A rule that the matrix can't show leaves it."""
    require_admin(actor)
    rule = find_rule(session, rule_id)
    require_sense(session, fields)
    old = fields_of(rule)
    before = says(old)
    rule.name, rule.board_id = fields.name, fields.board_id
    _set_mode(rule, fields)
    rule.in_matrix = rule.in_matrix and _is_a_row(fields) and fields.status_id == rule.status_id
    if (fields.trigger, fields.options) != (old.trigger, old.options):
        rule.watched_from = clock.now()  # another time: what lay before it does not come due
    if says(fields) != before:
        _write_version(session, rule, actor, fields, rule.version.number + 1)
    return rule


def restore_rule(session: Session, actor: Actor, rule_id: int, number: int) -> Rule:
    """Writes what a version said as a new one. Raises NotFound, and Invalid where that makes no sense any more."""
    require_admin(actor)
    rule = find_rule(session, rule_id)
    old = session.scalar(select(RuleVersion).where(RuleVersion.rule_id == rule_id, RuleVersion.number == number))
    if old is None:
        raise NotFound(_("There is no such version."))
    now = fields_of(rule)
    return change_rule(session, actor, rule_id, replace(said_in(old, now), active=now.active and rule.trigger_key != "gone"))


def says(fields: RuleFields) -> tuple[Any, ...]:
    """What makes a version."""
    status_id = fields.status_id if fields.trigger in WITH_STATUS else None
    return fields.board_id, fields.trigger, status_id, fields.options, fields.criteria, fields.actions, fields.tell_actor


def _set_mode(rule: Rule, fields: RuleFields) -> None:
    _switch(rule, fields.active)
    rule.log_only, rule.paused_until = fields.log_only, fields.paused_until


def _is_a_row(fields: RuleFields) -> bool:
    """Whether a row of the matrix says all that the rule says."""
    plain = fields.trigger == "entered" and fields.criteria == NO_CRITERIA and not fields.tell_actor
    full = not fields.log_only and fields.paused_until is None
    return plain and full and are_cells(fields.actions)


def switch_rule(session: Session, actor: Actor, rule_id: int, active: bool) -> Rule:
    """One that only logs does so again when it is switched on; a pause ends with being switched off."""
    require_admin(actor)
    rule = find_rule(session, rule_id)
    _switch(rule, active)
    if not active:
        rule.paused_until = None
    return rule


def _switch(rule: Rule, active: bool) -> None:
    """Rules of time don't come due for what lay before they were switched on."""
    if active and not rule.active:
        rule.watched_from = clock.now()
    rule.active = active


def remove_rule(session: Session, actor: Actor, rule_id: int) -> None:
    """Its letters stay in the log; its runs go."""
    require_admin(actor)
    session.delete(find_rule(session, rule_id))


def find_rule(session: Session, rule_id: int) -> Rule:
    rule = session.scalar(
        select(Rule).where(Rule.id == rule_id).options(joinedload(Rule.version)).execution_options(populate_existing=True)
    )
    if rule is None:
        raise NotFound(_("There is no such rule."))
    return rule


def fields_of(rule: Rule) -> RuleFields:
    version = rule.version
    return RuleFields(
        rule.name, rule.board_id, version.trigger, version.status_id, version.criteria, list(version.actions),
        version.tell_actor, rule.active, dict(version.options), rule.log_only, rule.paused_until, version.is_readable,
    )  # fmt: skip


def said_in(version: RuleVersion, now: RuleFields) -> RuleFields:
    """What the rule said in one of its versions, under the name and in the mode that it has now."""
    return replace(
        now, board_id=version.board_id or now.board_id, trigger=version.trigger, status_id=version.status_id,
        options=dict(version.options), criteria=version.criteria, actions=list(version.actions), tell_actor=version.tell_actor,
        is_readable=version.is_readable,
    )  # fmt: skip


def names_by_thing(session: Session) -> dict[Thing, list[str]]:
    """{what a rule points at: the names of the rules that do}"""
    found: dict[Thing, list[str]] = defaultdict(list)
    for rule in session.scalars(select(Rule).options(joinedload(Rule.version)).order_by(Rule.name, Rule.id)):
        for thing in things_in(replace(fields_of(rule), status_id=rule.status_id)):
            found[thing].append(rule.name)
    return found


def hand_over(session: Session, status: Status, to: int | None) -> None:
    """A status goes: rules that name it name another from now on, or are switched off; those that started there lose
    their trigger."""
    rules = session.scalars(select(Rule).order_by(Rule.id).options(joinedload(Rule.version))).all()
    rows = {rule.status_id for rule in rules if rule.in_matrix}
    for rule in rules:
        fields = replace(fields_of(rule), status_id=rule.status_id)
        if not rule.version.is_readable or ("status", status.id) not in things_in(fields):
            continue
        if to is None or (rule.in_matrix and to in rows):  # a status has one row in the matrix
            rule.active = False
            if rule.status_id == status.id:
                rule.status_id, rule.trigger_key, rule.in_matrix = None, "gone", False
            continue
        _write_version(session, rule, None, exchanged(fields, "status", status.id, to), rule.version.number + 1)
    session.flush()


def _write_version(session: Session, rule: Rule, actor: Actor | None, fields: RuleFields, number: int) -> None:
    rule.status_id = fields.status_id if fields.trigger in WITH_STATUS else None
    session.flush()
    rule.trigger_key = trigger_key(fields.trigger, rule.id, fields.board_id, rule.status_id, fields.options)
    session.flush()
    version = RuleVersion(
        rule_id=rule.id, number=number, board_id=fields.board_id, trigger=fields.trigger, status_id=rule.status_id, options=fields.options,
        criteria=fields.criteria, actions=fields.actions, tell_actor=fields.tell_actor, author_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(version)
    session.flush()
    rule.version_id = version.id
    rule.version = version
    session.flush()
