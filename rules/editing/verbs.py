"""The verbs of rules: the only code that changes them. Every change of what a rule says is a new version."""

from collections import defaultdict
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban import clock
from kanban.actor import Actor
from kanban.errors import NotFound
from kanban.fields import catalogue_of
from kanban.i18n import _
from kanban.models import Status
from kanban.policy import require_admin
from kanban.references import Reference, ReferenceKind
from rules.definition.cells import are_cells
from rules.definition.content import RuleContent, RuleFields
from rules.definition.evaluator import trigger_key
from rules.definition.triggers import Entered, OfStatus
from rules.editing.validation import validate
from rules.models import GONE, Rule, RuleVersion
from rules.queries.versions import fields_in, fields_of, find_rule


def add_rule(session: Session, actor: Actor | None, fields: RuleFields, *, in_matrix: bool = False) -> Rule:
    """Raises Forbidden, Invalid."""
    if actor is not None:
        require_admin(actor)
    validate(session, fields.content)
    rule = Rule(board_id=fields.content.board_id, name=fields.name, in_matrix=in_matrix, trigger_key="")
    _set_mode(rule, fields)
    session.add(rule)
    _write_version(session, rule, actor, fields.content, 1)
    return rule


def change_rule(session: Session, actor: Actor, rule_id: int, fields: RuleFields) -> Rule:
    """Writes a new version, if the rule now says something else. A rule that the matrix can't show leaves it."""
    require_admin(actor)
    rule = find_rule(session, rule_id)
    validate(session, fields.content)
    old = fields_of(rule)
    rule.name, rule.board_id = fields.name, fields.content.board_id
    _set_mode(rule, fields)
    rule.in_matrix = rule.in_matrix and _is_a_row(fields) and fields.content.status_id == rule.status_id
    if fields.content.trigger != old.content.trigger:
        rule.watched_from = clock.now()  # another time: what lay before it does not come due
    if fields.content != old.content or old.broken:
        _write_version(session, rule, actor, fields.content, rule.version.number + 1)
    return rule


def restore_rule(session: Session, actor: Actor, rule_id: int, number: int) -> Rule:
    """Writes what a version said as a new one. Raises NotFound, and Invalid where that makes no sense any more."""
    require_admin(actor)
    rule = find_rule(session, rule_id)
    old = session.scalar(select(RuleVersion).where(RuleVersion.rule_id == rule_id, RuleVersion.number == number))
    if old is None:
        raise NotFound(_("Version not found."))
    now = fields_of(rule)
    return change_rule(session, actor, rule_id, replace(fields_in(old, now), active=now.active and rule.trigger_key != GONE))


def _set_mode(rule: Rule, fields: RuleFields) -> None:
    _switch(rule, fields.active)
    rule.log_only, rule.paused_until = fields.log_only, fields.paused_until


def _is_a_row(fields: RuleFields) -> bool:
    """Whether a row of the matrix says all that the rule says."""
    content = fields.content
    plain = isinstance(content.trigger, Entered) and not content.criteria.parts and not content.tell_actor
    full = not fields.log_only and fields.paused_until is None
    return plain and full and are_cells(content.actions)


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
    """Its messages stay in the log; its runs go."""
    require_admin(actor)
    session.delete(find_rule(session, rule_id))


def names_by_reference(session: Session) -> dict[Reference, list[str]]:
    """{what a rule points at: the names of the rules that do}"""
    found: dict[Reference, list[str]] = defaultdict(list)
    for rule in session.scalars(select(Rule).options(joinedload(Rule.version)).order_by(Rule.name, Rule.id)):
        for reference in fields_of(rule).content.references:
            found[reference].append(rule.name)
    return found


def reassign_status(session: Session, status: Status, to: int | None) -> None:
    """A status goes: rules that name it name another from now on, or are switched off; those that started there lose
    their trigger."""
    rules = session.scalars(select(Rule).order_by(Rule.id).options(joinedload(Rule.version))).all()
    rows = {rule.status_id for rule in rules if rule.in_matrix}
    gone = Reference(ReferenceKind.STATUS, status.id)
    for rule in rules:
        fields = fields_of(rule)
        if fields.broken or gone not in fields.content.references:
            continue
        if to is None or (rule.in_matrix and to in rows):  # a status has one row in the matrix
            rule.active = False
            if rule.status_id == status.id:
                rule.status_id, rule.trigger_key, rule.in_matrix = None, GONE, False
            continue
        content = fields.content.replaced(gone, to, catalogue_of(rule.board_id))
        _write_version(session, rule, None, content, rule.version.number + 1)
    session.flush()


def _write_version(session: Session, rule: Rule, actor: Actor | None, content: RuleContent, number: int) -> None:
    rule.status_id = content.status_id
    session.flush()
    is_gone = isinstance(content.trigger, OfStatus) and rule.status_id is None
    rule.trigger_key = GONE if is_gone else trigger_key(content.trigger, rule.id, content.board_id)
    session.flush()
    stored = content.to_json()
    version = RuleVersion(
        rule_id=rule.id,
        number=number,
        board_id=stored.board,
        trigger=stored.trigger,
        status_id=rule.status_id,
        options=stored.options,
        criteria=stored.criteria,
        actions=stored.actions,
        tell_actor=stored.tell_actor,
        author_id=actor.id if actor else None,
    )
    session.add(version)
    session.flush()
    rule.version_id = version.id
    rule.version = version
    session.flush()
