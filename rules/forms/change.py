"""A change that a rule makes, as it stands in the editor, and typed."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import assert_never

from kanban import i18n
from kanban.errors import Invalid
from kanban.field_words import read_whole
from kanban.fields import Catalogue, Field, FieldType
from kanban.forms.fields import many_lines, one_line, parse_money
from kanban.i18n import _
from kanban.ids import read_id
from kanban.todos.forms import read_time
from rules.definition.actions import (
    AddComment,
    AddTag,
    AddTodo,
    Assign,
    Change,
    ChangeKind,
    MakeProduction,
    RemoveTag,
    SetField,
    SetStatus,
)
from rules.definition.change_actions import MOST_TAG, MOST_VALUE, NOT_CHOSEN, InDays, SetValue
from rules.definition.recipients import PersonRecipient, RelatedRecipient, RoleRecipient
from rules.definition.todo_action import RESPONSIBLE, Due, Owner

# Names of the fields: «status-0»…; role: whose place, "" for the responsible; who: «person:5» or «least:3». Of a to-do, whose:
# «person:5», «role:3» or «responsible»; from: "", «today» or a date of the order.
CHANGE_VALUES = ("status", "setfield", "setvalue", "tag", "role", "who", "text", "kind", "whose", "duefrom", "duedays", "duetime")
MOST_COMMENT, MOST_TODO = 5000, 1000


def typed_change(kind: ChangeKind, values: Mapping[str, str], catalogue: Catalogue) -> Change:
    """Raises Invalid for what can't be read; its class says what makes no sense."""
    change: Change
    match kind:
        case ChangeKind.SET_STATUS:
            change = SetStatus(read_id(values.get("status")) or NOT_CHOSEN)
        case ChangeKind.SET_FIELD:
            change = _set_field(values, catalogue)
        case ChangeKind.ADD_TAG:
            change = AddTag(_tag(values))
        case ChangeKind.REMOVE_TAG:
            change = RemoveTag(_tag(values))
        case ChangeKind.ASSIGN:
            who, _colon, number = values.get("who", "").partition(":")
            id_ = read_id(number)
            change = Assign(read_id(values.get("role")), id_ if who == "person" else None, id_ if who == "least" else None)
        case ChangeKind.MAKE_PRODUCTION:
            change = MakeProduction()
        case ChangeKind.ADD_COMMENT:
            change = AddComment((many_lines(values.get("text", "")) or "")[:MOST_COMMENT])
        case ChangeKind.ADD_TODO:
            text = (one_line(values.get("text", "")) or "")[:MOST_TODO]
            change = AddTodo(values.get("kind") or "task", text, _owner(values.get("whose", "")), _due(values, catalogue))
        case _:
            assert_never(kind)
    return change


def _tag(values: Mapping[str, str]) -> str:
    return (one_line(values.get("tag", "")) or "")[:MOST_TAG]


def _owner(whose: str) -> Owner | None:
    kind, _colon, number = whose.partition(":")
    id_ = read_id(number)
    if kind == "responsible":
        return RESPONSIBLE
    if id_ is None:
        return None
    return PersonRecipient(id_) if kind == "person" else RoleRecipient(id_) if kind == "role" else None


def _due(values: Mapping[str, str], catalogue: Catalogue) -> Due | None:
    start = values.get("duefrom", "")
    if not start:
        return None
    days = re.fullmatch(r"([-+−]?)([0-9]{1,4})", (values.get("duedays") or "0").strip())
    if days is None:
        raise Invalid(_("Enter a number of days, such as 3 or -2."), "actions")
    field = next((one for one in catalogue.dates if one.name == start), None)
    if field is None and start != "today":
        raise Invalid(_("Choose the field."), "actions")
    at = read_time((values.get("duetime") or "").strip())
    return Due(int(days[2]) * (-1 if days[1] in ("-", "−") else 1), field, at)


def _set_field(values: Mapping[str, str], catalogue: Catalogue) -> SetField:
    field = next((one for one in catalogue.settable if one.name == values.get("setfield")), None)
    return SetField(field, _value(field, (values.get("setvalue") or "").strip()) if field else None)


def _value(field: Field, text: str) -> SetValue:
    match field.type:
        case FieldType.DATE:
            return _day(text)
        case FieldType.MONEY:
            return _read(parse_money, text)
        case FieldType.NUMBER:
            return _read(read_whole, text) if text else None
        case FieldType.TEXT:
            return text[:MOST_VALUE]
        case FieldType.REFERENCE | FieldType.REFERENCES | FieldType.TAGS:
            return read_id(text)
        case _:
            assert_never(field.type)


def _read(read: Callable[[str], int], text: str) -> int:
    try:
        return read(text)
    except ValueError as error:
        raise Invalid(str(error), "actions") from error


def _day(text: str) -> date | InDays | None:
    days = re.fullmatch(r"([+-])([0-9]{1,4})", text)
    if days:
        return InDays(int(days[2]) * (-1 if days[1] == "-" else 1))
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(_("Enter a date such as 2026-12-31, or +7 for a week after the run."), "actions") from None


def values_of(change: Change) -> dict[str, str]:
    """As it stands in the editor."""
    match change:
        case SetStatus():
            return {"status": str(change.status_id)}
        case SetField():
            return {"setfield": change.field.name if change.field else "", "setvalue": shown_value(change)}
        case AddTag() | RemoveTag():
            return {"tag": change.tag}
        case Assign():
            who = f"person:{change.person_id}" if change.person_id else f"least:{change.least_busy_of}"
            return {"role": str(change.role_id or ""), "who": who}
        case MakeProduction():
            return {}
        case AddComment():
            return {"text": change.text}
        case AddTodo():
            return _todo_values(change)
        case _:
            assert_never(change)


def _todo_values(change: AddTodo) -> dict[str, str]:
    due = change.due
    return {
        "kind": change.kind,
        "text": change.text,
        "whose": _shown_owner(change.owner),
        "duefrom": (due.field.name if due.field else "today") if due else "",
        "duedays": str(due.days) if due else "",
        "duetime": f"{due.at:%H:%M}" if due and due.at else "",
    }


def _shown_owner(owner: Owner | None) -> str:
    match owner:
        case PersonRecipient():
            return f"person:{owner.person_id}"
        case RoleRecipient():
            return f"role:{owner.role_id}"
        case RelatedRecipient():
            return "responsible"
        case None:
            return ""
        case _:
            assert_never(owner)


def shown_value(change: SetField) -> str:
    value = change.value
    if isinstance(value, InDays):
        return f"{value.days:+d}"
    if isinstance(value, int) and change.field is not None and change.field.type is FieldType.MONEY:
        return i18n.money(value)
    return value.isoformat() if isinstance(value, date) else "" if value is None else str(value)
