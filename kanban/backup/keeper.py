"""The worker's backups: one at a time, in a thread, so that e-mails go on meanwhile."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from kanban import clock
from kanban.backup import archive, schedule
from kanban.backup.databases import BackupError, database_of
from kanban.backup.schedule import State
from kanban.config import Config
from kanban.db import db, revision
from kanban.i18n import N_, _, force_locale
from kanban.settings import setting
from kanban.transactions import transaction

log = logging.getLogger("potok.backup")
FELL = N_("The worker stopped while making this backup.")
# Tells a failure to those who keep the system; called inside a transaction.
Tell = Callable[[Session, str, int], object]


class Keeper:
    def __init__(self, app: Flask, tell: Tell) -> None:
        self._app, self._tell = app, tell
        self._config: Config = app.config["POTOK"]
        self._started_at = clock.now()
        self._thread: threading.Thread | None = None

    def look(self, now: datetime) -> None:
        """Begins one where it is time. Needs an application context."""
        if self._thread is not None and self._thread.is_alive():
            return
        if not schedule.is_due(db.session(), now, self._config, self._started_at):
            return
        with transaction() as session:
            id_ = schedule.claim(session, now, self._config, self._started_at)
        if id_ is not None:
            self._thread = threading.Thread(target=self._run, args=(id_,), name="backup", daemon=True)
            self._thread.start()

    def wait(self, most_s: float | None = None) -> None:
        if self._thread is not None:
            self._thread.join(most_s)

    def give_up(self) -> None:
        """What the worker of this name had begun before."""
        with transaction() as session:
            schedule.give_up(session, self._config.worker_name, FELL)

    def _run(self, id_: int) -> None:
        """Never raises: what went wrong is in the row, in the log and at the administrators' bell."""
        with self._app.app_context():
            try:
                language = setting(db.session(), "language")
                with force_locale(language):
                    path, size = make(self._config)
                with transaction() as session:
                    schedule.settle(session, id_, State.DONE, clock.now(), name=path.name, size=size)
                log.info("%s, %s bytes", path, size)
                archive.remove_leftovers(path.parent, clock.now() - schedule.LOST)
                if self._config.backup_kept_days:
                    schedule.remove_old(path.parent, clock.now(), self._config.backup_kept_days)
            except Exception as error:
                self._fail(id_, error)
            finally:
                db.session.remove()

    def _fail(self, id_: int, error: Exception) -> None:
        log.error("no backup: %s", error, exc_info=not isinstance(error, BackupError))
        try:
            with transaction() as session, force_locale(setting(session, "language")):
                unknown = _("Something went wrong on our side. See the server log for details.")
                reason = str(error) if isinstance(error, BackupError) else unknown
                schedule.settle(session, id_, State.FAILED, clock.now(), error=reason)
                if schedule.is_first_failure(session, id_):
                    self._tell(session, reason, id_)
        except Exception:
            log.exception("that a backup failed can't be kept")


def make(config: Config, target: Path | None = None) -> tuple[Path, int]:
    """(file, size in bytes) of a backup. target: a folder or a new file; BACKUP_DIR where it is not given. Raises BackupError."""
    now = clock.now()
    path = target or Path(config.backup_dir)
    if target is None:  # one that was typed is not made: where a disk is not mounted, the copy would land beside the original
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise archive.unwritable(path, error) from error
    if path.is_dir():
        path /= archive.name_of(now, sealed=bool(config.backup_passphrase))
    tables = revision(db.session())
    db.session.rollback()
    keys = {"secret_key": config.secret_key, "seal_key": config.seal_key}
    return path, archive.make(database_of(config.database_url), keys, tables, path, config.backup_passphrase)
