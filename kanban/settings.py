"""The firm's settings, read and written by name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.models import Setting

_ALL = select(table(Setting).c.name, table(Setting).c.value)
DEFAULTS: dict[str, str] = {
    "company": "", "language": "en", "letters_paused": "", "letters_paused_by": "", "letters_resumed": "",
    "holidays": "", "days_off": "", "first_steps_hidden": "",
}  # fmt: skip


def setting(session: Session, name: str) -> str:
    """The value, or its default. Raises KeyError for a name there is not."""
    default = DEFAULTS[name]
    row = session.get(Setting, name)
    return str(row.value["value"]) if row else default


def settings(session: Session) -> dict[str, str]:
    """All settings, by one statement."""
    rows = session.connection().execute(_ALL)
    return DEFAULTS | {name: str(value["value"]) for name, value in rows if name in DEFAULTS}


def write_setting(session: Session, name: str, value: str) -> None:
    if name not in DEFAULTS:
        raise KeyError(name)
    session.merge(Setting(name=name, value={"value": value}))
