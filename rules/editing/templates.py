"""Message templates: who may write them, and what may not be removed."""

from sqlalchemy.orm import Session

from kanban.actor import Actor
from kanban.errors import Conflict
from kanban.i18n import _
from kanban.policy import require_admin
from rules.models import Template
from rules.queries.templates import find_template, last_position, template_usage


def save_template(session: Session, actor: Actor, template_id: int | None, typed: Template) -> Template:
    """typed: valid (rules.definition.texts.check), and of the kind that the stored one has. Raises NotFound."""
    require_admin(actor)
    if template_id is None:
        typed.position = last_position(session) + 1
        session.add(typed)
        return typed
    template = find_template(session, template_id)
    template.name, template.subject, template.text, template.skip_empty = typed.name, typed.subject, typed.text, typed.skip_empty
    return template


def remove_template(session: Session, actor: Actor, template_id: int) -> None:
    """Raises Conflict while rules use it."""
    require_admin(actor)
    if template_usage(session)[template_id]:
        raise Conflict(_("Rules use this template, so it can't be removed."))
    session.delete(find_template(session, template_id))
