"""The firm's settings, read and written by name."""

from sqlalchemy.orm import Session

from kanban.models import Setting

DEFAULTS: dict[str, str] = {"company": "", "language": "en"}


def setting(session: Session, name: str) -> str:
    """The value, or its default. Raises KeyError for a name there is not."""
    default = DEFAULTS[name]
    row = session.get(Setting, name)
    return str(row.value["value"]) if row else default


def write_setting(session: Session, name: str, value: str) -> None:
    if name not in DEFAULTS:
        raise KeyError(name)
    session.merge(Setting(name=name, value={"value": value}))
