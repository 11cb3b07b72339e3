"""What came of a rule that matched: its outcome, and notes of who was left out and why, what failed, what was changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kanban.json_reader import JsonObject


class Outcome(StrEnum):
    """nobody: matched, but there was no one to write to. stopped: a chain of rules that would have gone on too long. logged: only
    written down."""

    DONE = "done"
    NOBODY = "nobody"
    FAILED = "failed"
    STOPPED = "stopped"
    LOGGED = "logged"


class Reason(StrEnum):
    """Their words: rules.words.reasons."""

    # who got no message
    DID_IT = "did_it"
    NO_ADDRESS = "no_address"
    NO_PHONE = "no_phone"
    NO_CHAT = "no_chat"
    NOT_EMPLOYEE = "not_employee"
    UNSUBSCRIBED = "unsubscribed"
    NO_HOLDER = "no_holder"
    TOO_MANY = "too_many"
    NO_RESPONSIBLE = "no_responsible"
    NO_AUTHOR = "no_author"
    NO_MOVER = "no_mover"
    NO_PREVIOUS = "no_previous"
    NO_CUSTOMER = "no_customer"
    SAME_ADDRESS = "same_address"
    OTHER_CUSTOMER = "other_customer"
    GONE = "gone"
    INACTIVE = "inactive"
    TOLD_ALREADY = "told_already"
    # what failed
    TEMPLATE_FAILED = "template_failed"
    ACTION_FAILED = "action_failed"
    NOT_STORED = "not_stored"
    UNREADABLE = "unreadable"
    RULE_FAILED = "rule_failed"
    NOT_PASSED_ON = "not_passed_on"
    CHANGE_REFUSED = "change_refused"
    CHANGE_FAILED = "change_failed"
    # what was stopped
    LOOP = "loop"
    TOO_DEEP = "too_deep"
    # what was, or would have been, done
    CHANGED = "changed"
    LATER = "later"
    LATER_DONE = "later_done"
    LATER_OFF = "later_off"
    LATER_LEFT = "later_left"
    LATER_NOT_ANY_MORE = "later_not_any_more"
    WOULD_SEND = "would_send"
    WOULD_CHANGE = "would_change"

    @property
    def is_stop(self) -> bool:
        return self in (Reason.LOOP, Reason.TOO_DEEP)

    @property
    def is_failure(self) -> bool:
        return self.is_stop or self in _FAILURES

    @property
    def names_action(self) -> bool:
        """A note with it names what an action does, by its code."""
        return self in _OF_ACTIONS

    @property
    def is_done(self) -> bool:
        return self in (Reason.CHANGED, Reason.LATER_DONE)


_FAILURES = (
    Reason.TEMPLATE_FAILED,
    Reason.ACTION_FAILED,
    Reason.NOT_STORED,
    Reason.UNREADABLE,
    Reason.RULE_FAILED,
    Reason.NOT_PASSED_ON,
    Reason.CHANGE_REFUSED,
    Reason.CHANGE_FAILED,
)
_OF_ACTIONS = (
    Reason.CHANGED,
    Reason.WOULD_CHANGE,
    Reason.LOOP,
    Reason.TOO_DEEP,
    Reason.LATER,
    Reason.LATER_DONE,
    Reason.LATER_OFF,
    Reason.LATER_LEFT,
    Reason.LATER_NOT_ANY_MORE,
)


@dataclass(frozen=True)
class Note:
    """name: a person, a role, what failed, the code of an action, or "". is_hidden: of a hidden copy, which only administrators see."""

    reason: Reason
    name: str = ""
    is_hidden: bool = False

    def to_json(self) -> JsonObject:
        made: JsonObject = {"why": self.reason.value}
        made |= {"name": self.name} if self.name else {}
        return made | ({"hidden": True} if self.is_hidden else {})


def read_notes(raw: object) -> list[Note]:
    """Of a run as it is stored. What another version of Potok wrote and nobody knows here is left out."""
    return [note for one in raw if (note := _read_note(one)) is not None] if isinstance(raw, list) else []


def _read_note(raw: object) -> Note | None:
    if not isinstance(raw, Mapping) or raw.get("why") not in tuple(Reason):
        return None
    return Note(Reason(raw["why"]), str(raw.get("name", "")), bool(raw.get("hidden")))


def outcome_of(notes: Iterable[Note], *, has_messages: bool, is_logged: bool = False) -> Outcome:
    """Once all is known: what stopped or failed counts most."""
    reasons = {note.reason for note in notes}
    if any(reason.is_stop for reason in reasons):
        return Outcome.STOPPED
    if any(reason.is_failure for reason in reasons):
        return Outcome.FAILED
    if is_logged:
        return Outcome.LOGGED
    return Outcome.DONE if has_messages or reasons & {Reason.CHANGED, Reason.LATER} else Outcome.NOBODY
