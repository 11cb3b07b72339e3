"""`python app.py backup [TARGET]` and `restore FILE`."""

import getpass
import sys
from pathlib import Path

from flask import Flask

from commands.migrate import MIGRATIONS, upgrade
from kanban.backup import archive, keeper, restore
from kanban.backup.databases import BackupError
from kanban.config import Config
from kanban.transactions import transaction
from rules.post import pause


def backup(app: Flask, config: Config, target: Path | None) -> int:
    """While Potok runs, or not."""
    with app.app_context():
        try:
            path, size = keeper.make(config, target)
        except BackupError as error:
            return _say(error)
    print(f"{path}, {size / 1_000_000:.1f} MB")
    if not config.backup_passphrase:
        print("It holds the keys, and BACKUP_PASSPHRASE is not set: keep it where nobody else reads.")
    return 0


def bring_back(app: Flask, config: Config, instance: Path, path: Path) -> int:
    """The environment's keys must be the backup's, or unset; the application was made with keys of before, so it ends afterwards."""
    with app.app_context():
        try:
            made_at = restore.restore(path, config, instance, _passphrase(path, config), MIGRATIONS)
            upgrade(app)
        except BackupError as error:
            return _say(error)
        with transaction() as session:
            orders = restore.settle(session, made_at)
            pause.begin_after_restore(session, made_at)
    print(f"The backup of {made_at:%Y-%m-%d %H:%M} UTC is back: {orders} orders. Everybody signs in anew.")
    print("E-mails of rules are paused: see Settings → Messages for those that may have left since, then resume.")
    return 0


def _passphrase(path: Path, config: Config) -> str:
    """The setting's, or typed where somebody is there to type."""
    if config.backup_passphrase or not path.is_file() or not archive.is_sealed(path) or not sys.stdin.isatty():
        return config.backup_passphrase
    return getpass.getpass("Passphrase: ")


def _say(error: BackupError) -> int:
    print(error, file=sys.stderr)
    return 1
