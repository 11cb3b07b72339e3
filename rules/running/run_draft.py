"""What comes of a rule that matched, while it is made: its messages and its notes. The outcome follows from them, once all is known."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from rules.definition.outcomes import Note, Outcome, Reason, outcome_of
from rules.post.entry import OutboxEntry
from rules.post.outbox import RunRow


@dataclass
class RunDraft:
    """is_logged: nothing is sent or changed, and the notes say what would have been."""

    event_id: int | None
    rule_id: int
    version_id: int
    at: datetime
    messages: list[OutboxEntry] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    is_logged: bool = False

    def note(self, reason: Reason, name: str = "", *, is_hidden: bool = False) -> None:
        self.notes.append(Note(reason, name, is_hidden))

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.notes, has_messages=bool(self.messages), is_logged=self.is_logged)

    def as_logged(self, would_change: list[Note]) -> "RunDraft":
        """The messages become notes."""
        would_send = [Note(Reason.WOULD_SEND, entry.addressee, entry.layout.is_hidden) for entry in self.messages]
        return replace(self, messages=[], notes=[*self.notes, *would_send, *would_change], is_logged=True)

    def to_row(self) -> RunRow:
        return RunRow(self.event_id, self.rule_id, self.version_id, self.outcome, self.notes, self.at)
