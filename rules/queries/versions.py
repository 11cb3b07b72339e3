"""What rules and their versions say, read from what is stored."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban.errors import NotFound
from kanban.fields import catalogue_of
from kanban.i18n import _
from kanban.models import Person
from rules.definition.change_actions import NOT_CHOSEN
from rules.definition.content import RuleContent, RuleFields, StoredContent, read_or_broken
from rules.definition.triggers import OfStatus
from rules.models import GONE, Rule, RuleVersion


def find_rule(session: Session, rule_id: int) -> Rule:
    """With its newest version. Raises NotFound."""
    query = select(Rule).where(Rule.id == rule_id).options(joinedload(Rule.version))
    rule = session.scalar(query.execution_options(populate_existing=True))
    if rule is None:
        raise NotFound(_("Rule not found."))
    return rule


def content_in(version: RuleVersion, board_id: int) -> tuple[RuleContent, str]:
    """What a version says, and "" or why it can't be read. board_id: of the rule today."""
    board_id = version.board_id or board_id
    stored = StoredContent(
        board_id, version.trigger, version.status_id, version.options, version.criteria, version.actions, version.tell_actor
    )
    return read_or_broken(stored, board_id, catalogue_of(board_id))


def fields_of(rule: Rule) -> RuleFields:
    """What the rule says now, its name and its mode."""
    content, broken = content_in(rule.version, rule.board_id)
    if rule.trigger_key == GONE and isinstance(content.trigger, OfStatus):  # its number may be another status's by now
        content = replace(content, trigger=replace(content.trigger, status_id=NOT_CHOSEN))
    return RuleFields(rule.name, content, rule.active, rule.log_only, rule.paused_until, broken)


def fields_in(version: RuleVersion, now: RuleFields) -> RuleFields:
    """What the rule said in one of its versions, under the name and in the mode that it has now."""
    content, broken = content_in(version, now.content.board_id)
    return replace(now, content=content, broken=broken)


def newest_versions(session: Session, rule_id: int, most: int) -> list[tuple[RuleVersion, str]]:
    """Newest first, each with who wrote it: "" for Potok itself."""
    query = select(RuleVersion, Person.name).outerjoin(Person, Person.id == RuleVersion.author_id).where(RuleVersion.rule_id == rule_id)
    return [(version, name or "") for version, name in session.execute(query.order_by(RuleVersion.number.desc()).limit(most))]
