"""What a rule does: it sends messages (message_action), or changes something (change_actions)."""

from collections.abc import Iterable
from dataclasses import replace

from kanban.fields import Catalogue
from kanban.json_reader import JsonObject, Value
from kanban.references import STORED, Keys
from rules.definition.change_actions import (
    AddComment,
    AddTag,
    Assign,
    Change,
    ChangeKind,
    MakeProduction,
    RemoveTag,
    SetField,
    SetStatus,
    read_change,
)
from rules.definition.delay import read_delay
from rules.definition.message_action import CHANNEL_OF, SendMessage
from rules.definition.recipients import Recipient
from rules.definition.todo_action import AddTodo

__all__ = [
    "Action",
    "AddComment",
    "AddTag",
    "AddTodo",
    "Assign",
    "Change",
    "ChangeKind",
    "MakeProduction",
    "RemoveTag",
    "SendMessage",
    "SetField",
    "SetStatus",
    "action_json",
    "changes_in",
    "messages_in",
    "read_action",
    "recipients_in",
    "without_hidden",
]

Action = SendMessage | Change

CODES = (*CHANNEL_OF, *(kind.value for kind in ChangeKind))


def read_action(value: Value, catalogue: Catalogue, keys: Keys = STORED) -> Action:
    """Raises Malformed."""
    code = value["do"].one_of(CODES)
    action: Action = SendMessage.read(value, keys) if code in CHANNEL_OF else read_change(ChangeKind(code), value, catalogue, keys)
    return replace(action, delay=read_delay(value["after"])) if value.has("after") else action


def action_json(action: Action, keys: Keys = STORED) -> JsonObject:
    return action.to_json(keys) | ({"after": action.delay.to_json()} if action.delay else {})


def messages_in(actions: Iterable[Action]) -> list[SendMessage]:
    return [action for action in actions if isinstance(action, SendMessage)]


def changes_in(actions: Iterable[Action]) -> list[Change]:
    return [action for action in actions if not isinstance(action, SendMessage)]


def recipients_in(actions: Iterable[Action]) -> list[Recipient]:
    return [recipient for action in messages_in(actions) for recipient, _copy in action.recipients]


def without_hidden(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Actions as those may see them who are not to know of hidden copies."""
    return tuple([replace(action, bcc=()) if isinstance(action, SendMessage) else action for action in actions])
