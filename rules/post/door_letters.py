"""Letters of the doors: a link to choose a password by, and news of one's own sign-ins. To one person, and never copied."""

from sqlalchemy.orm import Session

from kanban import sign_ins
from kanban.config import Config
from kanban.i18n import _, force_locale
from kanban.models import DoorKind, Person
from kanban.settings import setting
from rules.post.outbox import enqueue_plain


def put(session: Session, config: Config, kind: DoorKind, person: Person, subject: str, text: str, url: str, language: str) -> None:
    """Into the outbox, with no undo window. url: of a page of ours, as a path."""
    enqueue_plain(
        session, kind=kind, address=person.email, name=person.name, subject=subject, text=text, language=language,
        host=config.public_host,
        layout={"firm": setting(session, "company"), "url": config.public_url + url, "why": {"kind": kind}},
    )  # fmt: skip


def answer_resets(session: Session, config: Config) -> None:
    """Puts a letter for each wish for a new password that is somebody's."""
    for person, token, wished in sign_ins.answer_requests(session):
        language = person.language or wished
        with force_locale(language):
            text = _("Someone, probably you, asked for a new password for Potok. The button below leads to it and works for an hour.")
            put(session, config, "reset", person, _("A new password for Potok"), text, f"/reset/{token}", language)
