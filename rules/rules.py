"""The verbs of rules: the only code that changes them. Every change of what a rule says is a new version."""

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban import clock
from kanban.actor import Actor
from kanban.errors import Invalid, NotFound
from kanban.facts import find_field
from kanban.i18n import _
from kanban.models import PHASES, Board, Status
from kanban.policy import require_admin
from rules.actions import CHANNEL_OF, COPIES, NOT_BY, addressed, channel_of, template_kind
from rules.cells import are_cells
from rules.changes import DATES, require_change
from rules.due import LATER_UNITS, MOST_LATER, MOST_OFFSET, UNITS
from rules.evaluator import LIST, OF_TIME, WITH_STATUS, trigger_key
from rules.models import TRIGGERS, Rule, RuleVersion, Template
from rules.pointers import Thing, exchanged, things_in

NO_CRITERIA: dict[str, Any] = {"all": []}


@dataclass
class RuleFields:
    """What a rule says, and its mode (see Rule). status_id goes with the triggers entered, left and linked; options: see RuleVersion."""

    name: str
    board_id: int
    trigger: str
    status_id: int | None = None
    criteria: dict[str, Any] = field(default_factory=lambda: dict(NO_CRITERIA))
    actions: list[dict[str, Any]] = field(default_factory=list)
    tell_actor: bool = False
    active: bool = True
    options: dict[str, Any] = field(default_factory=dict)
    log_only: bool = False
    paused_until: datetime | None = None


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
    before = says(fields_of(rule))
    rule.name, rule.board_id = fields.name, fields.board_id
    _set_mode(rule, fields)
    rule.in_matrix = rule.in_matrix and _is_a_row(fields) and fields.status_id == rule.status_id
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
        version.tell_actor, rule.active, dict(version.options), rule.log_only, rule.paused_until,
    )  # fmt: skip


def said_in(version: RuleVersion, now: RuleFields) -> RuleFields:
    """What the rule said in one of its versions, under the name and in the mode that it has now."""
    return replace(
        now, board_id=version.board_id or now.board_id, trigger=version.trigger, status_id=version.status_id,
        options=dict(version.options), criteria=version.criteria, actions=list(version.actions), tell_actor=version.tell_actor,
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
        if ("status", status.id) not in things_in(fields):
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


def require_sense(session: Session, fields: RuleFields) -> None:
    """Raises Invalid."""
    if fields.trigger not in TRIGGERS:
        raise Invalid(_("Choose when the rule starts."), "trigger")
    if session.get(Board, fields.board_id) is None:
        raise Invalid(_("This board no longer exists."), "board_id")
    _require_trigger(session, fields)
    for action in fields.actions:
        _require_action(session, action, fields.trigger)
    if not fields.actions:
        raise Invalid(_("Choose what the rule does."), "actions")


def _require_trigger(session: Session, fields: RuleFields) -> None:
    options = fields.options
    if fields.trigger in WITH_STATUS:
        status = session.get(Status, fields.status_id) if fields.status_id is not None else None
        if status is None or (status.board_id == fields.board_id) != (fields.trigger != "linked"):
            raise Invalid(
                _("Choose a status of another board.") if fields.trigger == "linked" else _("Choose a status of this board."), "status_id"
            )
    if fields.trigger == "field" and find_field(str(options.get("field"))) is None:
        raise Invalid(_("Choose the field."), "options")
    if fields.trigger == "all_linked" and options.get("phase") not in PHASES:
        raise Invalid(_("Choose the phase."), "options")
    if fields.trigger in OF_TIME:
        _require_time(fields)
    if fields.trigger == LIST:
        _require_list(fields)
    if fields.trigger == "hand" and not (0 < len(options.get("button", "")) <= 60):
        raise Invalid(_("Write what the button says."), "options")
    if fields.trigger == "paid" and not (1 <= options.get("percent", 0) <= 100 or options.get("sum", 0) > 0):
        raise Invalid(_("Give a share from 1 to 100 per cent, or a sum."), "options")


def _require_time(fields: RuleFields) -> None:
    options = fields.options
    unit, offset = options.get("unit"), options.get("offset")
    if unit not in UNITS or not isinstance(offset, int) or abs(offset) > MOST_OFFSET[unit] or (fields.trigger != "date" and offset < 1):
        raise Invalid(_("Give a number of hours or days."), "options")
    if fields.trigger == "date" and options.get("field") not in DATES:
        raise Invalid(_("Choose the date."), "options")
    if fields.trigger == "date":
        _require_time_of_day(options)


def _require_time_of_day(options: dict[str, Any]) -> None:
    if not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]", options.get("at", "")):
        raise Invalid(_("Give a time of day such as 09:00."), "options")


def _require_list(fields: RuleFields) -> None:
    days = fields.options.get("days")
    if not days or not set(days) <= set(range(1, 8)):
        raise Invalid(_("Choose at least one day of the week."), "options")
    _require_time_of_day(fields.options)
    if any(action["do"] not in CHANNEL_OF or action.get("after") for action in fields.actions):
        raise Invalid(_("A list only sends messages, and at once."), "actions")
    if any(action.get(place) for action in fields.actions for place in COPIES):
        raise Invalid(_("Each reader of a list gets their own: there are no copies of it."), "actions")


def _require_action(session: Session, action: dict[str, Any], trigger: str) -> None:
    after = action.get("after")
    if after and not (after.get("unit") in LATER_UNITS and 1 <= after.get("number", 0) <= MOST_LATER[after["unit"]]):
        raise Invalid(_("Give how long the action waits: a number of minutes, hours or days."), "actions")
    if action["do"] not in CHANNEL_OF:
        require_change(session, action)
        return
    if not action["to"]:
        raise Invalid(_("Choose who gets the message."), "to")
    template = session.get(Template, action["template"])
    if template is None or template.kind != template_kind(channel_of(action), trigger):
        raise Invalid(_("Choose a message template."), "template")
    if any(one["kind"] in NOT_BY.get(channel_of(action), ()) for one in addressed(action)):
        raise Invalid(_("Customers have no bell and no messenger here: choose employees."), "to")
