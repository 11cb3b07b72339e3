"""Notes of runs in words: who got no message and why, what failed, what was done."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.i18n import _
from kanban.models import Event
from rules.definition.outcomes import Note, Outcome, Reason, read_notes
from rules.models import Rule, Run
from rules.words.actions import action_label

LATEST = 5  # events that are looked at
NO_MESSAGE = frozenset(Reason) - {
    Reason.TOLD_ALREADY,
    Reason.CHANGED,
    Reason.LATER,
    Reason.LATER_DONE,
    Reason.WOULD_SEND,
    Reason.WOULD_CHANGE,
}


def reason_words(reason: Reason) -> str:  # noqa: PLR0912, PLR0915, a line a reason
    match reason:
        case Reason.DID_IT:
            words = _("made the change, so already knows")
        case Reason.NO_ADDRESS:
            words = _("has no e-mail address")
        case Reason.NO_PHONE:
            words = _("has no phone number for SMS")
        case Reason.NO_CHAT:
            words = _("has no messenger address")
        case Reason.NOT_EMPLOYEE:
            words = _("is not an employee, so can't get notices")
        case Reason.UNSUBSCRIBED:
            words = _("has unsubscribed from e-mails")
        case Reason.NO_HOLDER:
            words = _("nobody holds this role")
        case Reason.TOO_MANY:
            words = _("too many people hold this role to notify without asking, so only the first ten were: confirm this in the rule")
        case Reason.NO_RESPONSIBLE:
            words = _("the order has no responsible person")
        case Reason.NO_AUTHOR:
            words = _("the order has no author")
        case Reason.NO_MOVER:
            words = _("not done by a person, but by a rule or on schedule")
        case Reason.NO_PREVIOUS:
            words = _("nobody else was responsible before")
        case Reason.NO_CUSTOMER:
            words = _("the customer has no e-mail address")
        case Reason.SAME_ADDRESS:
            words = _("the same message already goes to this address")
        case Reason.OTHER_CUSTOMER:
            words = _("the order now has another customer")
        case Reason.GONE:
            words = _("someone named in the rule is no longer here")
        case Reason.INACTIVE:
            words = _("can no longer sign in, so gets no messages")
        case Reason.TOLD_ALREADY:
            words = _("already gets this message from another rule")
        case Reason.TEMPLATE_FAILED:
            words = _("the message could not be created")
        case Reason.ACTION_FAILED:
            words = _("the message could not be created")
        case Reason.NOT_STORED:
            words = _("the message could not be saved")
        case Reason.UNREADABLE:
            words = _("the rule can't be read: restore an earlier version, or rewrite it")
        case Reason.RULE_FAILED:
            words = _("the rule could not run; see the server log for the reason")
        case Reason.NOT_PASSED_ON:
            words = _("a linked order could not be notified of this")
        case Reason.CHANGE_REFUSED:
            words = _("the change was rejected")
        case Reason.CHANGE_FAILED:
            words = _("the change could not be made")
        case Reason.LOOP:
            words = _("stopped: the rule reached this order a second time")
        case Reason.TOO_DEEP:
            words = _("stopped: rules triggered one another five times in a row")
        case Reason.CHANGED:
            words = _("has been done")
        case Reason.LATER:
            words = _("was postponed")
        case Reason.LATER_DONE:
            words = _("was done on schedule")
        case Reason.LATER_OFF:
            words = _("a delayed action was cancelled: the rule is off")
        case Reason.LATER_LEFT:
            words = _("a delayed action was cancelled: the order had left the status")
        case Reason.LATER_NOT_ANY_MORE:
            words = _("a delayed action was cancelled: the criteria no longer matched")
        case Reason.WOULD_SEND:
            words = _("would have got it, but the rule is log-only")
        case Reason.WOULD_CHANGE:
            words = _("would have been done, but the rule is log-only")
        case _:
            assert_never(reason)
    return words


@dataclass(frozen=True)
class Skipped:
    """One who got no message of a rule. name: a person, a role, what failed, or "" where there is nobody to name."""

    rule_id: int
    rule: str
    name: str
    reason: str
    failed: bool


def skipped_of(session: Session, order_id: int, *, hidden: bool) -> list[Skipped]:
    """Of the latest events of an order, newest first. hidden: of hidden copies too."""
    latest = select(Event.id).where(Event.order_id == order_id).order_by(Event.id.desc()).limit(LATEST)
    rows = session.execute(
        select(Rule.id, Rule.name, Run.notes)
        .join(Run, Run.rule_id == Rule.id)
        .where(Run.event_id.in_(latest), Run.outcome != Outcome.LOGGED.value)
        .order_by(Run.id.desc())
    )
    return [
        Skipped(id_, name, named_in(note), reason_words(note.reason), note.reason.is_failure)
        for id_, name, notes in rows
        for note in read_notes(notes)
        if note.reason in NO_MESSAGE and (hidden or not note.is_hidden)
    ]


@dataclass(frozen=True)
class Explained:
    """A note of a run in words. name: whom or what it is about, "" where there is nothing to name."""

    name: str
    words: str
    failed: bool = False
    done: bool = False


def explained(note: Note) -> Explained:
    return Explained(named_in(note), reason_words(note.reason), note.reason.is_failure, note.reason.is_done)


def explained_all(notes: Iterable[Note]) -> list[Explained]:
    """Each once: who is left out as a role's holder and as the responsible is left out for one reason."""
    return list(dict.fromkeys(map(explained, notes)))


def explained_line(notes: Iterable[Note]) -> str:
    """All notes of a run, for a line or a cell."""
    return "; ".join(": ".join(part for part in (one.name.rstrip("."), one.words) if part) for one in explained_all(notes))


def named_in(note: Note) -> str:
    """Whom or what a note names."""
    return action_label(note.name) if note.reason.names_action else note.name


def dropped_words(code: str) -> str:
    """Why a message was cancelled when its turn came (Message.dropped)."""
    return reason_words(Reason(code)) if code in tuple(Reason) else code
