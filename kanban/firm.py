"""The verb of the firm's settings."""

from sqlalchemy.orm import Session

from kanban import journal
from kanban.actor import Actor
from kanban.journal import Kind
from kanban.policy import require_admin
from kanban.settings import settings, write_setting


def change_settings(session: Session, actor: Actor, **values: str) -> None:
    """What an administrator chose, noted in the journal where it is another than before. Raises Forbidden."""
    require_admin(actor)
    before = dict(settings(session))
    changed = {name: [before[name], value] for name, value in values.items() if value != before[name]}
    for name in changed:
        write_setting(session, name, values[name])
    if changed:
        journal.note(session, Kind.SETTING_CHANGED, actor, changed=changed)
