"""The firm's settings, read and written by name."""

from sqlalchemy import event, select
from sqlalchemy.orm import Session, SessionTransaction

from kanban.db import db, table
from kanban.models import Setting

_ALL = select(table(Setting).c.name, table(Setting).c.value)
_READ = "potok_settings"
DEFAULTS: dict[str, str] = {
    "company": "",
    "language": "en",
    "letters_paused": "",
    "letters_paused_by": "",
    "letters_resumed": "",
    "country": "RU",
    "public_holidays": "yes",
    "days_off": "",
    "worked_days": "",
    "first_steps_hidden": "",
    "inner_hosts": "",
}


def setting(session: Session, name: str) -> str:
    """The value, or its default. Raises KeyError for a name there is not."""
    return settings(session)[name]


def settings(session: Session) -> dict[str, str]:
    """All settings, by one statement a transaction."""
    found: dict[str, str] | None = session.info.get(_READ)
    if found is None:
        rows = session.connection().execute(_ALL)
        found = DEFAULTS | {name: str(value["value"]) for name, value in rows if name in DEFAULTS}
        session.info[_READ] = found
    return found


def country() -> str:
    """Where the firm is («RU»): whose numbers, holidays and money are meant. Needs an application context."""
    return settings(db.session())["country"]


def write_setting(session: Session, name: str, value: str) -> None:
    if name not in DEFAULTS:
        raise KeyError(name)
    session.merge(Setting(name=name, value={"value": value}))
    session.flush()
    session.info.pop(_READ, None)


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_READ, None)


@event.listens_for(Session, "after_soft_rollback")
def _forget_after_rollback(session: Session, _transaction: SessionTransaction) -> None:
    """Of a savepoint too: what was read in it may have been written in it."""
    session.info.pop(_READ, None)
