"""The matrix «Who is told»: one ordinary rule a status, its cells the recipients of the rule's e-mails."""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban.actor import Actor
from kanban.errors import Invalid, NotFound
from kanban.i18n import _
from kanban.models import Role, Status
from kanban.policy import require_admin
from rules.definition.cells import WHO, Column, actions_of, cells_of, told_in_full
from rules.definition.channels import TemplateKind
from rules.definition.content import RuleContent, RuleFields
from rules.definition.triggers import Entered
from rules.editing.verbs import add_rule, change_rule
from rules.models import Rule, Template
from rules.queries.versions import fields_of


def matrix_rule(session: Session, status_id: int) -> Rule | None:
    return session.scalar(select(Rule).where(Rule.in_matrix, Rule.status_id == status_id).options(joinedload(Rule.version)).limit(1))


def live_cells(rule: Rule | None) -> dict[Column, int]:
    """{column: template id} of a matrix rule; a rule that is switched off tells nobody."""
    return cells_of(fields_of(rule).content.actions) if rule is not None and rule.active else {}


def set_cell(
    session: Session, actor: Actor, status_id: int, column: Column, template_id: int | None, *, everyone: bool = False
) -> Rule | None:
    """Switches a cell on with a template, changes its template, or switches it off (None). everyone: of a role, all are told however
    many hold it.

    Returns the status's rule as it is now; None where nobody is told any more and the rule has gone.
    """
    require_admin(actor)
    status = session.get(Status, status_id)
    if status is None:
        raise NotFound(_("Status not found."))
    _require_column(session, column)
    template = session.get(Template, template_id) if template_id is not None else None
    if template_id is not None and (template is None or template.kind != TemplateKind.EMAIL):
        raise Invalid(_("Choose a message template."), "template")
    rule = matrix_rule(session, status.id)
    cells = live_cells(rule)
    if template_id is None:
        cells.pop(column, None)
    else:
        cells[column] = template_id
    in_full = told_in_full(fields_of(rule).content.actions) if rule is not None else set()
    in_full |= {column.role_id} if everyone and column.role_id is not None else set()
    return _write(session, actor, status, rule, cells, in_full)


def write_row(session: Session, status: Status, cells: dict[Column, int], in_full: Collection[int] = ()) -> Rule:
    """Makes the matrix rule of a status that has none yet."""
    name = _("Who is notified: %(status)s", status=status.name)
    content = RuleContent(status.board_id, Entered(status.id), actions=actions_of(cells, in_full))
    return add_rule(session, None, RuleFields(name, content), in_matrix=True)


def _write(
    session: Session, actor: Actor, status: Status, rule: Rule | None, cells: dict[Column, int], in_full: Collection[int]
) -> Rule | None:
    if rule is None:
        return write_row(session, status, cells, in_full) if cells else None
    if not cells:
        session.delete(rule)
        session.flush()
        return None
    fields = replace(fields_of(rule).with_actions(actions_of(cells, in_full)), active=True)
    return change_rule(session, actor, rule.id, fields)


def _require_column(session: Session, column: Column) -> None:
    if column.kind == "role":
        if column.role_id is None or session.get(Role, column.role_id) is None:
            raise NotFound(_("Role not found."))
    elif column.kind not in WHO:
        raise NotFound(_("Column not found."))
