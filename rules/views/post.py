"""Messages of the application itself, put into the same outbox."""

from flask import current_app

from kanban.config import Config
from kanban.models import Person, SignInEmailKind
from kanban.transactions import transaction
from rules.post import sign_in_emails


def send(kind: SignInEmailKind, person: Person, subject: str, text: str, url: str, language: str) -> None:
    config: Config = current_app.config["POTOK"]
    with transaction() as session:
        sign_in_emails.put(session, config, kind, person, subject, text, url, language)
