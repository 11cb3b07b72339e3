"""All messages of rules at rest: an administrator's switch, kept with the firm's settings.

While it is on, nothing a rule wrote leaves by mail, SMS or messenger. What somebody asked for goes on: new passwords, test
messages, copies sent again; and so do notices, which never leave the house.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from kanban import clock, journal
from kanban.actor import Actor
from kanban.i18n import _, force_locale
from kanban.journal import Kind
from kanban.live import publish
from kanban.policy import require_admin
from kanban.settings import setting, settings, write_setting
from kanban.wakeups import Topic, wake


@dataclass(frozen=True)
class Pause:
    """Since when, and by whom."""

    since: datetime
    by: str


def pause_of(session: Session) -> Pause | None:
    """The pause that runs, or None."""
    firm = settings(session)
    since = firm["letters_paused"]
    return Pause(datetime.fromisoformat(since), firm["letters_paused_by"]) if since else None


def begin(session: Session, actor: Actor) -> None:
    """A pause that runs already stays as it is. Raises Forbidden."""
    require_admin(actor)
    if pause_of(session) is None:
        write_setting(session, "letters_paused", clock.now().isoformat())
        write_setting(session, "letters_paused_by", actor.name)
        journal.note(session, Kind.SETTING_CHANGED, actor, changed={"letters_paused": ["", "yes"]})
        publish(session, "messages")


def begin_after_restore(session: Session, made_at: datetime) -> None:
    """What waited when the backup was made may have left since: somebody looks before it goes again."""
    with force_locale(setting(session, "language")):
        by = _("the restored backup from %(time)s", time=f"{clock.local(made_at):%Y-%m-%d %H:%M}")
    if pause_of(session) is None:
        write_setting(session, "letters_paused", clock.now().isoformat())
        write_setting(session, "letters_paused_by", by)


def end(session: Session, actor: Actor) -> None:
    """What waited leaves in order, within the limits of each account. Raises Forbidden."""
    require_admin(actor)
    if pause_of(session) is not None:
        write_setting(session, "letters_paused", "")
        write_setting(session, "letters_resumed", clock.now().isoformat())
        wake(session, Topic.OUTBOX)
        journal.note(session, Kind.SETTING_CHANGED, actor, changed={"letters_paused": ["yes", ""]})
        publish(session, "messages")


def age_from(session: Session, created_at: datetime) -> datetime:
    """From when a message's age counts: a pause takes nothing from the time it may be tried in."""
    resumed = settings(session)["letters_resumed"]
    return max(created_at, datetime.fromisoformat(resumed)) if resumed else created_at
