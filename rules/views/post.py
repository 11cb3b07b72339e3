"""Letters of the application itself, put into the same outbox."""

from flask import current_app

from kanban.config import Config
from kanban.db import transaction
from kanban.models import DoorKind, Person
from rules.post import door_letters


def send(kind: DoorKind, person: Person, subject: str, text: str, url: str, language: str) -> None:
    config: Config = current_app.config["POTOK"]
    with transaction() as session:
        door_letters.put(session, config, kind, person, subject, text, url, language)
