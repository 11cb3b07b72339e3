"""E-mails of signing in: a link to choose a password by, and news of one's own sign-ins. To one person, and never copied."""

import uuid

from sqlalchemy.orm import Session

from kanban import clock, sign_ins
from kanban.config import Config
from kanban.i18n import _, force_locale
from kanban.models import Person, SignInEmailKind
from kanban.settings import setting
from rules.definition.channels import Channel
from rules.post import outbox
from rules.post.entry import OutboxEntry, message_key
from rules.post.layout import Chosen, ChosenAs, Layout


def put(session: Session, config: Config, kind: SignInEmailKind, person: Person, subject: str, text: str, url: str, language: str) -> None:
    """Into the outbox, with no undo window. url: of a page of ours, as a path."""
    key = message_key(f"{kind}-{uuid.uuid4().hex[:12]}", Channel.EMAIL, person.email, kind)
    layout, now = Layout(setting(session, "company"), url=config.public_url + url, chosen=Chosen(ChosenAs(kind))), clock.now()
    entry = OutboxEntry(
        key, kind, Channel.EMAIL, person.name, person.email, subject, text, language, config.public_host, now, now, layout=layout
    )
    outbox.enqueue(session, [], [entry])


def answer_resets(session: Session, config: Config) -> None:
    """Puts a message for each wish for a new password that is somebody's."""
    for person, token, wished in sign_ins.answer_requests(session):
        language = person.language or wished
        with force_locale(language):
            text = _(
                "Someone, probably you, asked to reset your Potok password. The button below lets you choose a new one "
                "and works for an hour."
            )
            put(session, config, "reset", person, _("Choose a new Potok password"), text, f"/reset/{token}", language)
