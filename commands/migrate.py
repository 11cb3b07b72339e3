"""`python app.py migrate`: brings the tables up to date, and fills an empty database with the demo, unless DEMO=0."""

import logging
import os
from pathlib import Path

import flask_migrate
from flask import Flask

from kanban import i18n, security, setup_code
from kanban.config import Config
from kanban.db import db
from kanban.presets import demo
from kanban.transactions import transaction
from rules.demo import fill
from rules.mail.named_hosts import name_hosts_in_use

MIGRATIONS = Path(__file__).parent.parent / "migrations"
log = logging.getLogger("potok")


def upgrade(app: Flask, revision: str = "head") -> None:
    """Needs an application context."""
    flask_migrate.Migrate(app, db)
    flask_migrate.upgrade(str(MIGRATIONS), revision)


def downgrade(app: Flask, revision: str) -> None:
    """Needs an application context."""
    flask_migrate.Migrate(app, db)
    flask_migrate.downgrade(str(MIGRATIONS), revision)


def prepare(app: Flask, config: Config, instance: Path) -> None:
    """Says at the end where Potok is, and how to get in."""
    notes = instance / "demo.txt"
    with app.app_context():
        upgrade(app)
        empty = demo.is_empty(db.session())
        db.session.rollback()
        with transaction() as session:
            name_hosts_in_use(session, config)
        if empty and config.demo:
            language = "ru" if os.environ.get("LANG", "").lower().startswith("ru") else "en"
            make_demo(config, language, notes)
        code = setup_code.read() if empty and not config.demo else ""
    print(f"\n  Potok: {config.public_url}\n")
    if code:
        print(f"  The first page asks for this code: {code}\n", flush=True)
    if config.is_open_to_listeners:
        log.warning("PUBLIC_URL is http: passwords and orders cross the network as plain text; see docs/operations.md for https")
    if notes.exists():
        print(notes.read_text(encoding="utf-8"))


def make_demo(config: Config, language: str, notes: Path) -> None:
    """The demo workshop; its passwords are kept in notes, for the owner of the file only."""
    cast = demo.make_people(security.passwords().hash)
    with i18n.force_locale(language), transaction() as session:
        people = fill(session, config, cast, language)
        lines = [f"  {people[one.key].email:32} {one.password:32} {people[one.key].name}" for one in cast]
    with os.fdopen(os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
