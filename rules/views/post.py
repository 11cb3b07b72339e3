"""Letters of the application itself, put into the same outbox."""

from urllib.parse import urlsplit

from flask import current_app

from kanban.config import Config
from kanban.db import db, transaction
from kanban.i18n import language
from kanban.models import Person
from kanban.settings import setting
from rules.post.outbox import enqueue_plain


def send_reset(kind: str, person: Person, subject: str, text: str, url: str) -> None:
    """A password letter: no undo window, and its text is not kept once it has left."""
    config: Config = current_app.config["POTOK"]
    address, name = person.email, person.name
    firm = setting(db.session(), "company")
    host = urlsplit(config.public_url).hostname or "potok"
    with transaction() as session:
        enqueue_plain(
            session, kind="reset", address=address, name=name, subject=subject, text=text, language=language(), host=host,
            layout={"firm": firm, "url": url, "why": {"kind": "reset"}},
        )  # fmt: skip
