"""Who got no message, and why: the notes of an order's runs, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.i18n import N_, _
from kanban.models import Event
from rules.actions import CHANNEL_OF
from rules.models import Rule, Run
from rules.words.clauses import CHANGE_VERBS, CHANNEL_VERBS

LATEST = 5  # events that are looked at
WORDS = {
    "did_it": N_("made the change, so knows already"),
    "no_address": N_("has no address"),
    "no_phone": N_("has no phone number that an SMS could go to"),
    "no_chat": N_("has no address in the messenger"),
    "not_employee": N_("is no employee, so has no bell"),
    "unsubscribed": N_("asked for no letters"),
    "no_holder": N_("nobody holds this role"),
    "too_many": N_("more people hold this role than may be told unasked, so only the first ten were: confirm it in the rule"),
    "no_responsible": N_("the order has no responsible"),
    "no_author": N_("the order has no author"),
    "no_mover": N_("nobody did it: a rule, or time"),
    "no_previous": N_("nobody else was responsible before"),
    "no_customer": N_("the customer has no address"),
    "same_address": N_("the same message already goes to this address"),
    "other_customer": N_("the order has another customer by now"),
    "gone": N_("someone the rule names is no longer here"),
    "inactive": N_("may no longer sign in, so gets no letters"),
    "template_failed": N_("the letter could not be made"),
    "action_failed": N_("the letter could not be made"),
    "not_stored": N_("the letter could not be kept"),
    "unreadable": N_("the rule can't be read: restore an earlier version, or write it anew"),
    "rule_failed": N_("the rule could not be run; the server's log says why"),
    "not_passed_on": N_("a linked order could not be told of this"),
    "change_refused": N_("the change was refused"),
    "change_failed": N_("the change could not be made"),
    "loop": N_("stopped: the rule came to this order a second time"),
    "later_off": N_("a later action was dropped: the rule is off"),
    "later_left": N_("a later action was dropped: the order had left the status"),
    "later_not_any_more": N_("a later action was dropped: the criteria held no more"),
    "too_deep": N_("stopped: rules had caused five changes one out of another"),
}
MORE_WORDS = {
    "told_already": N_("has got this very letter by another rule"),
    "changed": N_("has been done"),
    "later": N_("was put off"),
    "later_done": N_("has been done at its time"),
    "would_send": N_("would have got it, if the rule did not only log"),
    "would_change": N_("would have been done, if the rule did not only log"),
}
OF_ACTION = ("changed", "would_change", "loop", "too_deep", "later", "later_done", "later_off", "later_left", "later_not_any_more")
FAILURES = ("template_failed", "action_failed", "not_stored", "unreadable", "rule_failed", "not_passed_on", "change_refused",
            "change_failed", "loop", "too_deep")  # fmt: skip


@dataclass(frozen=True)
class Silence:
    """One who got no letter of a rule. name: a person, a role, what failed, or "" where there is nobody to name."""

    rule_id: int
    rule: str
    name: str
    reason: str
    failed: bool


def silences_of(session: Session, order_id: int, *, hidden: bool) -> list[Silence]:
    """Of the latest events of an order, newest first. hidden: of hidden copies too."""
    latest = select(Event.id).where(Event.order_id == order_id).order_by(Event.id.desc()).limit(LATEST)
    rows = session.execute(
        select(Rule.id, Rule.name, Run.notes)
        .join(Run, Run.rule_id == Rule.id)
        .where(Run.event_id.in_(latest), Run.outcome != "logged")
        .order_by(Run.id.desc())
    )
    return [
        Silence(id_, name, noted(note), _(WORDS[code]), code in FAILURES)
        for id_, name, notes in rows
        for note in notes
        if (code := note.get("why")) in WORDS and (hidden or not note.get("hidden"))
    ]


@dataclass(frozen=True)
class Note:
    """A note of a run in words. name: whom or what it is about, "" where there is nothing to name."""

    name: str
    words: str
    failed: bool
    done: bool


def explained(note: Mapping[str, Any]) -> Note:
    code = str(note.get("why", ""))
    words = WORDS.get(code) or MORE_WORDS.get(code)
    return Note(noted(note), _(words) if words else code, code in FAILURES, code in ("changed", "later_done"))


def explained_all(notes: Iterable[Mapping[str, Any]]) -> list[Note]:
    """Each once: who is left out as a role's holder and as the responsible is left out for one reason."""
    return list(dict.fromkeys(map(explained, notes)))


def said(notes: Iterable[Mapping[str, Any]]) -> str:
    """All notes of a run, for a line or a cell."""
    return "; ".join(": ".join(part for part in (one.name.rstrip("."), one.words) if part) for one in explained_all(notes))


def noted(note: Mapping[str, Any]) -> str:
    """Whom or what a note of a run names."""
    name = str(note.get("name", ""))
    return action_words(name) if note.get("why") in OF_ACTION else name


def action_words(do: str) -> str:
    """What an action does, by its key."""
    verb = CHANNEL_VERBS[CHANNEL_OF[do]] if do in CHANNEL_OF else CHANGE_VERBS.get(do)
    return _(verb) if verb else do


def dropped_words(code: str) -> str:
    """Why a message was cancelled when its turn came (Message.dropped)."""
    return _(WORDS[code]) if code in WORDS else code
