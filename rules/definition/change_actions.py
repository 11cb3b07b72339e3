"""Actions that change orders: they use the same verbs as people do, in the rule's name. Each class says what it is; rules.running.changes
does it, rules.words.actions says it in words, rules.forms.change and templates/rules/_change.html are its form.

Adding one: its class, its kind, and what mypy names then.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar, Self, assert_never

from kanban.errors import Invalid
from kanban.fields import MOST_MONEY, Catalogue, Field, FieldType
from kanban.json_reader import JsonObject, Value
from kanban.references import STORED, Keys, Reference, ReferenceKind
from kanban.translation import N_, _
from rules.definition.checks import MOST_DAYS, require_template
from rules.definition.delay import Delay
from rules.definition.known import Known
from rules.definition.todo_action import AddTodo

MOST_VALUE, MOST_TAG = 200, 40  # characters
NOT_CHOSEN = 0  # in the place of an id, while a form is filled in


@dataclass(frozen=True)
class SetStatus:
    """Of this order, or of the linked ones where the status is one of their board."""

    status_id: int
    delay: Delay | None = None
    code: ClassVar[str] = "set_status"
    fields: ClassVar[tuple[str, ...]] = ()  # of the order that it changes, beside its status

    @classmethod
    def read(cls, value: Value, keys: Keys = STORED) -> "SetStatus":
        return cls(keys.read(ReferenceKind.STATUS, value["status"]))

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        return {"do": self.code, "status": keys.write(ReferenceKind.STATUS, self.status_id)}

    def validate(self, known: Known) -> None:
        if not known.has(Reference(ReferenceKind.STATUS, self.status_id)):
            raise Invalid(_("Choose the status."), "actions")


@dataclass(frozen=True)
class InDays:
    """A date so many days from the day the rule acts."""

    days: int


SetValue = str | int | date | InDays | None


@dataclass(frozen=True)
class SetField:
    """field: None while none is chosen. value: money in kopecks (or cents), an organisation by its id; None clears the field."""

    field: Field | None
    value: SetValue
    delay: Delay | None = None
    code: ClassVar[str] = "set_field"

    @property
    def fields(self) -> tuple[str, ...]:
        name = self.field.name if self.field else ""
        return (name, "paid_percent") if name in ("paid", "total") else (name,)

    @classmethod
    def read(cls, value: Value, catalogue: Catalogue, keys: Keys = STORED) -> "SetField":
        field = catalogue.find(value["field"].text())
        if field is None or not field.rules_set:
            raise value["field"].malformed(N_("a field that rules may set"))
        return cls(field, _read_value(field, value["value"], keys))

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        return {"do": self.code, "field": self.field.name if self.field else "", "value": _write_value(self.field, self.value, keys)}

    def validate(self, known: Known) -> None:
        if self.field is None:
            raise Invalid(_("Choose the field."), "actions")
        if isinstance(self.value, InDays) and abs(self.value.days) > MOST_DAYS:
            raise Invalid(_("Enter a number of days up to %(most)s.", most=MOST_DAYS), "actions")
        _require_value(self.field, self.value, known)


def _read_value(field: Field, value: Value, keys: Keys) -> SetValue:
    match field.type:
        case FieldType.DATE:
            return InDays(value["days"].whole()) if value.has("days") else value.optional(lambda day: date.fromisoformat(day.day()))
        case FieldType.MONEY:
            return keys.read_money(value)
        case FieldType.NUMBER:
            return value.optional(Value.whole)
        case FieldType.TEXT:
            return value.text()
        case FieldType.REFERENCE | FieldType.REFERENCES | FieldType.TAGS:
            kind = field.reference
            return value.optional(lambda one: keys.read(kind, one) if kind else one.whole())
        case _:
            assert_never(field.type)


def _write_value(field: Field | None, value: SetValue, keys: Keys) -> object:
    if isinstance(value, InDays):
        return {"days": value.days}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and field is not None and field.reference is not None:
        return keys.write(field.reference, value)
    if isinstance(value, int) and field is not None and field.type is FieldType.MONEY:
        return keys.write_money(value)
    return value


def _require_value(field: Field, value: SetValue, known: Known) -> None:
    match field.type:
        case FieldType.REFERENCE | FieldType.REFERENCES | FieldType.TAGS:
            if value is not None and not (isinstance(value, int) and field.reference and known.has(Reference(field.reference, value))):
                raise Invalid(_("This choice no longer exists."), "actions")
        case FieldType.MONEY:
            if not (isinstance(value, int) and 0 <= value <= MOST_MONEY):
                raise Invalid(_("Enter an amount between 0 and 10 trillion."), "actions")
        case FieldType.NUMBER:
            if value is not None and not (isinstance(value, int) and 0 <= value <= field.most):
                raise Invalid(_("Enter a whole number between 0 and %(most)s.", most=field.most), "actions")
        case FieldType.TEXT:
            most = min(field.most or MOST_VALUE, MOST_VALUE)
            if not (isinstance(value, str) and len(value) <= most):
                raise Invalid(_("This is too long: at most %(most)s characters.", most=most), "actions")
        case FieldType.DATE:
            if not isinstance(value, date | InDays | None):
                raise Invalid(_("Choose a day."), "actions")
        case _:
            assert_never(field.type)


@dataclass(frozen=True)
class _OfTag:
    tag: str
    delay: Delay | None = None
    code: ClassVar[str]
    fields: ClassVar[tuple[str, ...]] = ("tags",)

    @classmethod
    def read(cls, value: Value) -> Self:
        return cls(value["tag"].text())

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        return {"do": self.code, "tag": self.tag}

    def validate(self, known: Known) -> None:
        if not self.tag:
            raise Invalid(_("Enter the tag."), "actions")
        if "," in self.tag:
            raise Invalid(_("This value can't be used here."), "actions")
        if len(self.tag) > MOST_TAG:
            raise Invalid(_("This is too long: at most %(most)s characters.", most=MOST_TAG), "actions")


@dataclass(frozen=True)
class AddTag(_OfTag):
    code: ClassVar[str] = "tag"


@dataclass(frozen=True)
class RemoveTag(_OfTag):
    code: ClassVar[str] = "untag"


@dataclass(frozen=True)
class Assign:
    """To a role on the order, or as its responsible: a person, or the least busy of those who hold a role. One of the two is set."""

    role_id: int | None
    person_id: int | None = None
    least_busy_of: int | None = None
    delay: Delay | None = None
    code: ClassVar[str] = "assign"

    @property
    def fields(self) -> tuple[str, ...]:
        return (f"role:{self.role_id}" if self.role_id else "responsible",)

    @classmethod
    def read(cls, value: Value, keys: Keys = STORED) -> "Assign":
        made = cls(
            value["role"].optional(lambda one: keys.read(ReferenceKind.ROLE, one)),
            value["person"].optional(lambda one: keys.read(ReferenceKind.PERSON, one)),
            value["least"].optional(lambda one: keys.read(ReferenceKind.ROLE, one)),
        )
        if not (made.person_id or made.least_busy_of):
            raise value.malformed(N_("a person, or least and a role"))
        return made

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        made: JsonObject = {"do": self.code, "role": keys.write(ReferenceKind.ROLE, self.role_id) if self.role_id else None}
        made |= {"person": keys.write(ReferenceKind.PERSON, self.person_id)} if self.person_id else {}
        return made | ({"least": keys.write(ReferenceKind.ROLE, self.least_busy_of)} if self.least_busy_of else {})

    def validate(self, known: Known) -> None:
        wanted = ((ReferenceKind.PERSON, self.person_id), (ReferenceKind.ROLE, self.least_busy_of), (ReferenceKind.ROLE, self.role_id))
        if not all(known.has(Reference(kind, id_)) for kind, id_ in wanted if id_ is not None):
            raise Invalid(_("This choice no longer exists."), "actions")
        if (self.person_id is None) == (self.least_busy_of is None):
            raise Invalid(_("Choose who to assign."), "actions")


@dataclass(frozen=True)
class MakeProduction:
    """Makes the production order of this one."""

    delay: Delay | None = None
    code: ClassVar[str] = "make_production"
    fields: ClassVar[tuple[str, ...]] = ()

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        return {"do": self.code}

    def validate(self, known: Known) -> None:
        """There is nothing to it."""


@dataclass(frozen=True)
class AddComment:
    """text: a Liquid template."""

    text: str
    delay: Delay | None = None
    code: ClassVar[str] = "comment"
    fields: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def read(cls, value: Value) -> "AddComment":
        return cls(value["text"].text())

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        return {"do": self.code, "text": self.text}

    def validate(self, known: Known) -> None:
        if not self.text:
            raise Invalid(_("Enter the comment text."), "actions")
        require_template(self.text)


Change = SetStatus | SetField | AddTag | RemoveTag | Assign | MakeProduction | AddComment | AddTodo


class ChangeKind(StrEnum):
    """In the order the editor offers them."""

    SET_STATUS = "set_status"
    SET_FIELD = "set_field"
    ADD_TAG = "tag"
    REMOVE_TAG = "untag"
    ASSIGN = "assign"
    MAKE_PRODUCTION = "make_production"
    ADD_COMMENT = "comment"
    ADD_TODO = "todo"


def read_change(kind: ChangeKind, value: Value, catalogue: Catalogue, keys: Keys) -> Change:
    """Raises Malformed."""
    read: Change
    match kind:
        case ChangeKind.SET_STATUS:
            read = SetStatus.read(value, keys)
        case ChangeKind.SET_FIELD:
            read = SetField.read(value, catalogue, keys)
        case ChangeKind.ADD_TAG:
            read = AddTag.read(value)
        case ChangeKind.REMOVE_TAG:
            read = RemoveTag.read(value)
        case ChangeKind.ASSIGN:
            read = Assign.read(value, keys)
        case ChangeKind.MAKE_PRODUCTION:
            read = MakeProduction()
        case ChangeKind.ADD_COMMENT:
            read = AddComment.read(value)
        case ChangeKind.ADD_TODO:
            read = AddTodo.read(value, catalogue, keys)
        case _:
            assert_never(kind)
    return read
