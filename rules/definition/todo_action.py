"""The action that gives somebody a to-do."""

from dataclasses import dataclass
from datetime import time
from typing import ClassVar

from kanban.errors import Invalid
from kanban.fields import Catalogue, Field
from kanban.json_reader import JsonObject, Value
from kanban.references import STORED, Keys, Noting, ReferenceKind
from kanban.translation import N_, _
from rules.definition.checks import MOST_DAYS, require_template
from rules.definition.delay import Delay
from rules.definition.known import Known
from rules.definition.recipients import PersonRecipient, RelatedRecipient, Relation, RoleRecipient

TODO_KINDS = ("task", "reminder", "calendar", "contact")
Owner = PersonRecipient | RoleRecipient | RelatedRecipient
RESPONSIBLE = RelatedRecipient(Relation.RESPONSIBLE)


@dataclass(frozen=True)
class Due:
    """So many days from the day the rule acts, or from a date of the order; where that is empty, there is no date."""

    days: int
    field: Field | None = None
    at: time | None = None

    def to_json(self) -> JsonObject:
        made: JsonObject = {"days": self.days}
        made |= {"field": self.field.name} if self.field else {}
        return made | ({"time": f"{self.at:%H:%M}"} if self.at else {})


@dataclass(frozen=True)
class AddTodo:
    """text: a Liquid template. owner: whose it is; None while nobody is chosen; of a role who stands for it on the order, else all who
    hold it."""

    kind: str
    text: str
    owner: Owner | None
    due: Due | None = None
    delay: Delay | None = None
    code: ClassVar[str] = "todo"
    fields: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def read(cls, value: Value, catalogue: Catalogue, keys: Keys = STORED) -> "AddTodo":
        return cls(
            value["kind"].one_of(TODO_KINDS),
            value["text"].text(),
            _read_owner(value, keys),
            value["due"].optional(lambda due: _read_due(due, catalogue)),
        )

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        due = self.due.to_json() if self.due else None
        return {"do": self.code, "kind": self.kind, "text": self.text, "due": due} | self._owner_json(keys)

    def _owner_json(self, keys: Keys) -> JsonObject:
        match self.owner:
            case PersonRecipient():
                return {"person": keys.write(ReferenceKind.PERSON, self.owner.person_id)}
            case RoleRecipient():
                return {"role": keys.write(ReferenceKind.ROLE, self.owner.role_id)}
            case RelatedRecipient():
                return {"responsible": True}
        return {}

    def validate(self, known: Known) -> None:
        if self.kind not in TODO_KINDS:
            raise Invalid(_("This type of to-do does not exist."), "actions")
        if not self.text:
            raise Invalid(_("Enter what to do."), "actions")
        require_template(self.text)
        if self.owner is None:
            raise Invalid(_("Choose who the to-do is for."), "actions")
        named = Noting()
        self._owner_json(named)
        if not all(map(known.has, named.found)):
            raise Invalid(_("This choice no longer exists."), "actions")
        if self.due is not None and abs(self.due.days) > MOST_DAYS:
            raise Invalid(_("Enter a number of days up to %(most)s.", most=MOST_DAYS), "actions")


def _read_owner(value: Value, keys: Keys) -> Owner | None:
    person = value["person"].optional(lambda one: PersonRecipient(keys.read(ReferenceKind.PERSON, one)))
    role = value["role"].optional(lambda one: RoleRecipient(keys.read(ReferenceKind.ROLE, one)))
    named = [owner for owner in (person, role, RESPONSIBLE if value["responsible"].flag() else None) if owner is not None]
    if len(named) > 1:
        raise value.malformed(N_("one of person, role and responsible"))
    return named[0] if named else None


def _read_due(value: Value, catalogue: Catalogue) -> Due | None:
    if not value.members():
        return None
    at = value["time"].optional(lambda one: time.fromisoformat(one.time_of_day()))
    return Due(value["days"].whole(), value["field"].optional(lambda name: read_date(name, catalogue)), at)


def read_date(value: Value, catalogue: Catalogue) -> Field:
    """A date of the order, by its name. Raises Malformed."""
    found = next((field for field in catalogue.dates if field.name == value.text()), None)
    if found is None:
        raise value.malformed(N_("a date of the order"))
    return found
