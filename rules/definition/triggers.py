"""When a rule starts. Each trigger is stored as its kind, the options that go with it, and a status where it names one.

Adding a trigger: its kind and its class, then what mypy names: when an event starts it (evaluator), words, form.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, assert_never

from kanban.errors import Invalid
from kanban.fields import Catalogue, Field, FieldGroup
from kanban.json_reader import JsonObject, Value
from kanban.references import STORED, Keys, ReferenceKind
from kanban.translation import _
from rules.definition.known import Known
from rules.definition.todo_action import read_date

PHASES = ("new", "active", "waiting", "done", "cancelled")
MOST_BUTTON = 60


class TriggerKind(StrEnum):
    """In the order the editor offers them."""

    PLACED = "placed"
    ENTERED = "entered"
    LEFT = "left"
    STATUS_CHANGED = "changed"
    FIELD_CHANGED = "field"
    PAID = "paid"
    COMMENTED = "commented"
    LINKED_ENTERED = "linked"
    ALL_LINKED = "all_linked"
    DATE_NEARS = "date"
    STAYS = "stay"
    IDLE = "idle"
    WEEKLY = "weekdays"
    BY_HAND = "hand"


OF_STATUS = (TriggerKind.ENTERED, TriggerKind.LEFT, TriggerKind.LINKED_ENTERED)  # these name a status


class TimeUnit(StrEnum):
    DAYS = "days"
    WORKING_DAYS = "working_days"
    HOURS = "hours"


MOST_TIME = {TimeUnit.DAYS: 365, TimeUnit.WORKING_DAYS: 250, TimeUnit.HOURS: 24 * 60}


class _Plain:
    """A trigger that names nothing. events: the kinds of events that can start it, the usual one last."""

    kind: ClassVar[TriggerKind]
    events: ClassVar[tuple[str, ...]]

    def options(self, keys: Keys = STORED) -> JsonObject:
        return {}

    def validate(self, known: Known, board_id: int) -> None:
        """There is nothing to it."""


@dataclass(frozen=True)
class Placed(_Plain):
    kind: ClassVar[TriggerKind] = TriggerKind.PLACED
    events: ClassVar[tuple[str, ...]] = ("order.placed",)


@dataclass(frozen=True)
class StatusChanged(_Plain):
    kind: ClassVar[TriggerKind] = TriggerKind.STATUS_CHANGED
    events: ClassVar[tuple[str, ...]] = ("order.moved",)


@dataclass(frozen=True)
class Commented(_Plain):
    kind: ClassVar[TriggerKind] = TriggerKind.COMMENTED
    events: ClassVar[tuple[str, ...]] = ("order.commented",)


@dataclass(frozen=True)
class _OfStatus(_Plain):
    """status_id: NOT_CHOSEN, or of a status that is gone, in what is being edited."""

    status_id: int

    def validate(self, known: Known, board_id: int) -> None:
        if known.board_of(self.status_id) != board_id:
            raise Invalid(_("Choose a status of this board."), "status_id")


@dataclass(frozen=True)
class Entered(_OfStatus):
    """Being placed in the status counts too."""

    kind: ClassVar[TriggerKind] = TriggerKind.ENTERED
    events: ClassVar[tuple[str, ...]] = ("order.placed", "order.moved")


@dataclass(frozen=True)
class Left(_OfStatus):
    kind: ClassVar[TriggerKind] = TriggerKind.LEFT
    events: ClassVar[tuple[str, ...]] = ("order.moved",)


@dataclass(frozen=True)
class LinkedEntered(_OfStatus):
    """An order that is linked with this one enters a status of its board."""

    kind: ClassVar[TriggerKind] = TriggerKind.LINKED_ENTERED
    events: ClassVar[tuple[str, ...]] = ("order.linked",)

    def validate(self, known: Known, board_id: int) -> None:
        board = known.board_of(self.status_id)
        if board is None or board == board_id:
            raise Invalid(_("Choose a status of another board."), "status_id")


@dataclass(frozen=True)
class FieldChanged(_Plain):
    """name: of a field of the order, or «role:3». field: None where there is none (any more), or while none is chosen."""

    name: str
    field: Field | None
    kind: ClassVar[TriggerKind] = TriggerKind.FIELD_CHANGED
    events: ClassVar[tuple[str, ...]] = ("order.changed", "order.blocked", "order.unblocked")

    def options(self, keys: Keys = STORED) -> JsonObject:
        role = self.field.role_id if self.field else None
        return {"field": self.name if role is None else f"role:{keys.write(ReferenceKind.ROLE, role)}"}

    def validate(self, known: Known, board_id: int) -> None:
        if self.field is None or self.field.group not in (FieldGroup.ORDER, FieldGroup.ROLE) or not self.field.is_criterion:
            raise Invalid(_("Choose the field."), "options")


@dataclass(frozen=True)
class Paid(_Plain):
    """The payment comes over a share, in per cent, or over a sum, in kopecks (or cents). One of the two is set."""

    percent: int | None = None
    sum: int | None = None
    kind: ClassVar[TriggerKind] = TriggerKind.PAID
    events: ClassVar[tuple[str, ...]] = ("order.placed", "order.changed")

    def options(self, keys: Keys = STORED) -> JsonObject:
        return {"percent": self.percent} if self.sum is None else {"sum": keys.write_money(self.sum)}

    def validate(self, known: Known, board_id: int) -> None:
        if not (1 <= (self.percent or 0) <= 100 or (self.sum or 0) > 0):
            raise Invalid(_("Enter a percentage from 1 to 100, or an amount."), "options")


@dataclass(frozen=True)
class AllLinked(_Plain):
    """All orders made from this one have come into a phase."""

    phase: str
    kind: ClassVar[TriggerKind] = TriggerKind.ALL_LINKED
    events: ClassVar[tuple[str, ...]] = ("order.linked",)

    def options(self, keys: Keys = STORED) -> JsonObject:
        return {"phase": self.phase}

    def validate(self, known: Known, board_id: int) -> None:
        if self.phase not in PHASES:
            raise Invalid(_("Choose the phase."), "options")


@dataclass(frozen=True)
class DateNears(_Plain):
    """offset: in units from the date, negative for before it. at: HH:MM. skips_late: what was missed by more than an hour is left out."""

    field: Field | None
    offset: int
    unit: TimeUnit
    at: str
    skips_late: bool = False
    kind: ClassVar[TriggerKind] = TriggerKind.DATE_NEARS
    events: ClassVar[tuple[str, ...]] = ("order.due",)

    def options(self, keys: Keys = STORED) -> JsonObject:
        late = "skip" if self.skips_late else "catch_up"
        return {"field": self.field.name if self.field else "", "offset": self.offset, "unit": self.unit.value, "at": self.at, "late": late}

    def validate(self, known: Known, board_id: int) -> None:
        if abs(self.offset) > MOST_TIME[self.unit]:
            raise Invalid(_("Enter a number of hours or days."), "options")
        if self.field is None:
            raise Invalid(_("Choose the date."), "options")
        _require_time_of_day(self.at)


@dataclass(frozen=True)
class Stays(_Plain):
    """For longer than that in one status; status_id: in this one."""

    length: int
    unit: TimeUnit
    status_id: int | None = None
    kind: ClassVar[TriggerKind] = TriggerKind.STAYS
    events: ClassVar[tuple[str, ...]] = ("order.due",)

    def options(self, keys: Keys = STORED) -> JsonObject:
        status = {"status": keys.write(ReferenceKind.STATUS, self.status_id)} if self.status_id else {}
        return {"offset": self.length, "unit": self.unit.value} | status

    def validate(self, known: Known, board_id: int) -> None:
        _require_length(self.length, self.unit)


@dataclass(frozen=True)
class Idle(_Plain):
    """Nothing happens to the order for so long."""

    length: int
    unit: TimeUnit
    kind: ClassVar[TriggerKind] = TriggerKind.IDLE
    events: ClassVar[tuple[str, ...]] = ("order.due",)

    def options(self, keys: Keys = STORED) -> JsonObject:
        return {"offset": self.length, "unit": self.unit.value}

    def validate(self, known: Known, board_id: int) -> None:
        _require_length(self.length, self.unit)


@dataclass(frozen=True)
class Weekly(_Plain):
    """One list of orders on these days of the week (ISO: Monday is 1), without an event. at: HH:MM."""

    days: tuple[int, ...]
    at: str
    working_only: bool = False
    skips_late: bool = False
    kind: ClassVar[TriggerKind] = TriggerKind.WEEKLY
    events: ClassVar[tuple[str, ...]] = ("order.due",)

    def options(self, keys: Keys = STORED) -> JsonObject:
        late = "skip" if self.skips_late else "catch_up"
        return {"days": list(self.days), "at": self.at, "working": self.working_only, "late": late}

    def validate(self, known: Known, board_id: int) -> None:
        if not self.days or not set(self.days) <= set(range(1, 8)):
            raise Invalid(_("Choose at least one day of the week."), "options")
        _require_time_of_day(self.at)


@dataclass(frozen=True)
class ByHand(_Plain):
    """A button on an order. role_ids: who may press it; none: whoever may change orders."""

    button: str
    role_ids: tuple[int, ...] = ()
    kind: ClassVar[TriggerKind] = TriggerKind.BY_HAND
    events: ClassVar[tuple[str, ...]] = ("order.asked",)

    def options(self, keys: Keys = STORED) -> JsonObject:
        return {"button": self.button, "roles": [keys.write(ReferenceKind.ROLE, id_) for id_ in self.role_ids]}

    def validate(self, known: Known, board_id: int) -> None:
        if not 0 < len(self.button) <= MOST_BUTTON:
            raise Invalid(_("Enter the button text."), "options")


OfStatus = Entered | Left | LinkedEntered
OfTime = DateNears | Stays | Idle
Trigger = Placed | OfStatus | StatusChanged | FieldChanged | Paid | Commented | AllLinked | OfTime | Weekly | ByHand


def _require_length(length: int, unit: TimeUnit) -> None:
    if not 1 <= length <= MOST_TIME[unit]:
        raise Invalid(_("Enter a number of hours or days."), "options")


def _require_time_of_day(text: str) -> None:
    try:
        Value(text).time_of_day()
    except ValueError:
        raise Invalid(_("Enter a time of day such as 09:00."), "options") from None


@dataclass(frozen=True)
class _Stored:
    """A trigger as it is stored."""

    options: Value
    status: Value
    catalogue: Catalogue
    keys: Keys

    def status_id(self) -> int:
        """NOT_CHOSEN where the status is gone."""
        return self.status.optional(lambda status: self.keys.read(ReferenceKind.STATUS, status)) or 0

    def field_changed(self) -> FieldChanged:
        start, colon, which = self.options["field"].text().partition(":")
        name = self.options["field"].text()
        if start == "role" and colon:
            key = int(which) if which.isascii() and which.isdecimal() and len(which) <= 10 else which
            name = f"role:{self.keys.read(ReferenceKind.ROLE, Value(key, self.options['field'].place))}"
        return FieldChanged(name, self.catalogue.find(name))

    def paid(self) -> Paid:
        if self.options.has("sum"):
            return Paid(sum=self.keys.read_money(self.options["sum"]))
        return Paid(percent=self.options["percent"].whole())

    def date(self) -> DateNears:
        options = self.options
        return DateNears(
            read_date(options["field"], self.catalogue),
            options["offset"].whole(),
            options["unit"].member(TimeUnit),
            options["at"].time_of_day(),
            options["late"].raw == "skip",
        )

    def stays(self) -> Stays:
        status = self.options["status"].optional(lambda one: self.keys.read(ReferenceKind.STATUS, one))
        return Stays(self.options["offset"].whole(), self.options["unit"].member(TimeUnit), status)

    def weekly(self) -> Weekly:
        options = self.options
        days = options["days"].several(Value.whole)
        return Weekly(days, options["at"].time_of_day(), options["working"].flag(), options["late"].raw == "skip")

    def by_hand(self) -> ByHand:
        def roles(value: Value) -> tuple[int, ...]:
            return value.several(lambda role: self.keys.read(ReferenceKind.ROLE, role))

        return ByHand(self.options["button"].text(), self.options["roles"].optional(roles) or ())


def read_trigger(kind: Value, options: Value, status: Value, catalogue: Catalogue, keys: Keys = STORED) -> Trigger:
    """Raises Malformed."""
    options.members()
    stored, trigger = _Stored(options, status, catalogue, keys), kind.member(TriggerKind)
    read: Trigger
    match trigger:
        case TriggerKind.PLACED:
            read = Placed()
        case TriggerKind.ENTERED:
            read = Entered(stored.status_id())
        case TriggerKind.LEFT:
            read = Left(stored.status_id())
        case TriggerKind.STATUS_CHANGED:
            read = StatusChanged()
        case TriggerKind.FIELD_CHANGED:
            read = stored.field_changed()
        case TriggerKind.PAID:
            read = stored.paid()
        case TriggerKind.COMMENTED:
            read = Commented()
        case TriggerKind.LINKED_ENTERED:
            read = LinkedEntered(stored.status_id())
        case TriggerKind.ALL_LINKED:
            read = AllLinked(options["phase"].one_of(PHASES))
        case TriggerKind.DATE_NEARS:
            read = stored.date()
        case TriggerKind.STAYS:
            read = stored.stays()
        case TriggerKind.IDLE:
            read = Idle(options["offset"].whole(), options["unit"].member(TimeUnit))
        case TriggerKind.WEEKLY:
            read = stored.weekly()
        case TriggerKind.BY_HAND:
            read = stored.by_hand()
        case _:
            assert_never(trigger)
    return read


def status_of(trigger: Trigger) -> int | None:
    """The status that a trigger starts at."""
    return trigger.status_id or None if isinstance(trigger, Entered | Left | LinkedEntered) else None
