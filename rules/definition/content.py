"""What a rule says: when it starts, if, and what it does then. Read once from what is stored; the same for what a file says."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from kanban.criteria import NO_CRITERIA, Group, read_criteria
from kanban.fields import Catalogue
from kanban.json_reader import Malformed, Value
from kanban.references import STORED, Keys, Noting, Reference, ReferenceKind, Replacing
from rules.definition.actions import Action, Change, action_json, changes_in, messages_in, read_action
from rules.definition.message_action import SendMessage
from rules.definition.triggers import StatusChanged, Trigger, read_trigger, status_of


@dataclass(frozen=True)
class RuleContent:
    """What a version of a rule says. tell_actor: also whoever did it gets its messages."""

    board_id: int
    trigger: Trigger
    criteria: Group = NO_CRITERIA
    actions: tuple[Action, ...] = ()
    tell_actor: bool = False

    @property
    def messages(self) -> list[SendMessage]:
        return messages_in(self.actions)

    @property
    def changes(self) -> list[Change]:
        return changes_in(self.actions)

    @property
    def status_id(self) -> int | None:
        """The status it starts at."""
        return status_of(self.trigger)

    def to_json(self, keys: Keys = STORED) -> "StoredContent":
        status_id = self.status_id
        return StoredContent(
            keys.write(ReferenceKind.BOARD, self.board_id),
            self.trigger.kind.value,
            None if status_id is None else keys.write(ReferenceKind.STATUS, status_id),
            self.trigger.options(keys),
            self.criteria.to_json(keys),
            [action_json(action, keys) for action in self.actions],
            self.tell_actor,
        )

    @property
    def references(self) -> set[Reference]:
        """Everything it points at."""
        noting = Noting()
        self.to_json(noting)
        return noting.found

    def replaced(self, old: Reference, new_id: int, catalogue: Catalogue) -> "RuleContent":
        """The same with one thing in the place of another."""
        return read_content(self.to_json(Replacing(old, new_id)), catalogue)


@dataclass(frozen=True)
class StoredContent:
    """The same as JSON: the columns of a version, or a file's with names in the place of ids."""

    board: object
    trigger: object
    status: object
    options: object
    criteria: object
    actions: object
    tell_actor: bool = False


def read_content(stored: StoredContent, catalogue: Catalogue, keys: Keys = STORED) -> RuleContent:
    """Raises Malformed."""
    return RuleContent(
        keys.read(ReferenceKind.BOARD, Value(stored.board, "board")),
        read_trigger(Value(stored.trigger, "trigger"), Value(stored.options, "options"), Value(stored.status, "status"), catalogue, keys),
        read_criteria(Value(stored.criteria, "criteria"), catalogue, keys),
        Value(stored.actions, "actions").several(lambda action: read_action(action, catalogue, keys)),
        stored.tell_actor,
    )


@dataclass(frozen=True)
class RuleFields:
    """A rule as its verbs take it: what it says, its name and its mode (see Rule).

    broken: why what is stored can't be read; then `content` is one that does nothing.
    """

    name: str
    content: RuleContent
    active: bool = True
    log_only: bool = False
    paused_until: datetime | None = None
    broken: str = ""

    def with_actions(self, actions: Iterable[Action]) -> "RuleFields":
        return replace(self, content=replace(self.content, actions=tuple(actions)))


def read_or_broken(stored: StoredContent, board_id: int, catalogue: Catalogue) -> tuple[RuleContent, str]:
    """What is stored and "", or a rule of that board that does nothing and why it can't be read: an older Potok, or a hand in the
    database, may have left what nobody reads any more."""
    try:
        return read_content(stored, catalogue), ""
    except Malformed as malformed:
        return RuleContent(board_id, StatusChanged()), str(malformed)
