"""Putting a backup back: into an empty place only, and quietly, since what waited then may have left long ago."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kanban import journal
from kanban.backup.archive import KEYS, Opened, opened
from kanban.backup.databases import BackupError, database_of
from kanban.backup.schedule import State
from kanban.config import Config
from kanban.i18n import _
from kanban.models import Backup, Beat, OneTimeLink, Order, SignIn


def restore(path: Path, config: Config, instance: Path, passphrase: str, migrations: Path) -> datetime:
    """Database and keys. Returns when the backup was made. Raises BackupError; then it can be tried again."""
    database = database_of(config.database_url)
    if not database.is_empty():
        raise BackupError(_("A database already exists. Move it away first, or point INSTANCE or DATABASE_URL to an empty location."))
    with opened(path, passphrase) as found:
        _check(found, database.file_name, migrations)
        _check_keys(found.keys, config)
        for name, key in found.keys.items():  # before the database: a try that fails can be made again
            _write_key(instance / name, key)
        database.load(found.database)
        return found.made_at


def settle(session: Session, made_at: datetime) -> int:
    """Nobody is signed in by what was true then, and no link of then opens a door. Returns the number of orders."""
    session.execute(delete(SignIn))
    session.execute(delete(OneTimeLink))
    session.execute(delete(Beat))  # of another place, and perhaps of a minute ago
    session.execute(delete(Backup).where(Backup.state.in_((State.ASKED, State.RUNNING))))  # this very one was being made
    journal.note(session, journal.Kind.RESTORED, None, about=made_at.isoformat(timespec="seconds"))
    return session.scalar(select(func.count()).select_from(Order)) or 0


def _check(found: Opened, file_name: str, migrations: Path) -> None:
    if found.database.name != file_name:
        raise BackupError(_("This backup is from a different kind of database: %(name)s.", name=found.database.name))
    try:
        ScriptDirectory(str(migrations)).get_revision(found.manifest.revision)
    except CommandError as error:
        raise BackupError(_("This backup was made by a newer version of Potok. Use that version to restore it.")) from error


def _check_keys(keys: Mapping[str, str], config: Config) -> None:
    """The first start makes keys, so those of an empty place may be replaced; one that the environment sets goes before."""
    for name in KEYS:
        if os.environ.get(name.upper(), "").strip() and getattr(config, name) != keys[name]:
            raise BackupError(_("%(name)s is set to a different key than the backup's: unset it.", name=name.upper()))


def _write_key(path: Path, key: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(key)
