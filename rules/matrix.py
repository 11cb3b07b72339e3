"""The matrix «Who is told»: one ordinary rule a status, its cells the recipients of the rule's letters."""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from kanban.actor import Actor
from kanban.errors import Invalid, NotFound
from kanban.i18n import _
from kanban.models import Role, Status
from kanban.policy import require_admin
from rules.cells import WHO, Column, actions_of, cells_of, many_in
from rules.fields import RuleFields
from rules.models import Rule, Template
from rules.rules import add_rule, change_rule, fields_of


def matrix_rule(session: Session, status_id: int) -> Rule | None:
    return session.scalar(select(Rule).where(Rule.in_matrix, Rule.status_id == status_id).options(joinedload(Rule.version)).limit(1))


def live_cells(rule: Rule | None) -> dict[Column, int]:
    """{column: template id} of a matrix rule; a rule that is switched off tells nobody."""
    return cells_of(rule.version.actions) if rule is not None and rule.active else {}


def set_cell(session: Session, actor: Actor, status_id: int, column: Column, template_id: int | None, *, many: bool = False) -> Rule | None:
    """Switches a cell on with a template, changes its template, or switches it off (None). many: of a role, all are told however
    many hold it.

    Returns the status's rule as it is now; None where nobody is told any more and the rule has gone.
    """
    require_admin(actor)
    status = session.get(Status, status_id)
    if status is None:
        raise NotFound(_("There is no such status."))
    _require_column(session, column)
    template = session.get(Template, template_id) if template_id is not None else None
    if template_id is not None and (template is None or template.kind != "letter"):
        raise Invalid(_("Choose a message template."), "template")
    rule = matrix_rule(session, status.id)
    cells = live_cells(rule)
    if template_id is None:
        cells.pop(column, None)
    else:
        cells[column] = template_id
    told = many_in(rule.version.actions) if rule is not None else set()
    told |= {column[1]} if many and column[1] is not None else set()
    return _write(session, actor, status, rule, cells, told)


def write_row(session: Session, status: Status, cells: dict[Column, int], many: Collection[int] = ()) -> Rule:
    """Makes the matrix rule of a status that has none yet."""
    name = _("Who is told: %(status)s", status=status.name)
    fields = RuleFields(name, status.board_id, "entered", status.id, actions=actions_of(cells, many))
    return add_rule(session, None, fields, in_matrix=True)


def _write(
    session: Session, actor: Actor, status: Status, rule: Rule | None, cells: dict[Column, int], many: Collection[int]
) -> Rule | None:
    if rule is None:
        return write_row(session, status, cells, many) if cells else None
    if not cells:
        session.delete(rule)
        session.flush()
        return None
    return change_rule(session, actor, rule.id, replace(fields_of(rule), actions=actions_of(cells, many), active=True))


def _require_column(session: Session, column: Column) -> None:
    kind, id_ = column
    if kind == "role":
        if id_ is None or session.get(Role, id_) is None:
            raise NotFound(_("There is no such role."))
    elif kind not in WHO:
        raise NotFound(_("There is no such column."))
