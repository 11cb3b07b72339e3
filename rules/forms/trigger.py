"""A trigger as it stands in the editor, and typed as far as can be: its class says what makes no sense."""

import re
from collections.abc import Mapping
from typing import assert_never

from werkzeug.datastructures import MultiDict

from kanban import i18n
from kanban.errors import Invalid
from kanban.fields import Catalogue
from kanban.forms.fields import one_line, parse_money
from kanban.i18n import _
from kanban.ids import read_id
from rules.definition.triggers import (
    AllLinked,
    ByHand,
    Commented,
    DateNears,
    Entered,
    FieldChanged,
    Idle,
    Left,
    LinkedEntered,
    Paid,
    Placed,
    StatusChanged,
    Stays,
    TimeUnit,
    Trigger,
    TriggerKind,
    Weekly,
)

# Names of the fields: «option-field»… paid: a number, of: percent or sum; when: before or after; number of units.
OPTIONS = ("field", "paid", "of", "phase", "when", "number", "unit", "at", "late", "status", "button", "roles", "days", "working")


def read_options(form: MultiDict[str, str]) -> dict[str, str]:
    """roles, days: between commas."""
    several = {name: ",".join(form.getlist(f"option-{name}")) for name in ("roles", "days")}
    return {name: form.get(f"option-{name}", "") for name in OPTIONS} | several


def typed_trigger(kind: TriggerKind, status_id: int | None, shown: Mapping[str, str], catalogue: Catalogue) -> Trigger:
    """status_id: of the triggers that name a status. Raises Invalid for what can't be read."""
    status, typed = status_id or 0, _Typed(shown, catalogue)
    trigger: Trigger
    match kind:
        case TriggerKind.PLACED:
            trigger = Placed()
        case TriggerKind.ENTERED:
            trigger = Entered(status)
        case TriggerKind.LEFT:
            trigger = Left(status)
        case TriggerKind.STATUS_CHANGED:
            trigger = StatusChanged()
        case TriggerKind.FIELD_CHANGED:
            name = shown.get("field", "")
            trigger = FieldChanged(name, catalogue.find(name))
        case TriggerKind.PAID:
            trigger = typed.paid()
        case TriggerKind.COMMENTED:
            trigger = Commented()
        case TriggerKind.LINKED_ENTERED:
            trigger = LinkedEntered(status)
        case TriggerKind.ALL_LINKED:
            trigger = AllLinked(shown.get("phase", ""))
        case TriggerKind.DATE_NEARS:
            trigger = typed.date()
        case TriggerKind.STAYS:
            trigger = Stays(typed.number, typed.unit(), read_id(shown.get("status")))
        case TriggerKind.IDLE:
            trigger = Idle(typed.number, typed.unit())
        case TriggerKind.WEEKLY:
            days = sorted({int(part) for part in shown.get("days", "").split(",") if re.fullmatch("[1-7]", part)})
            trigger = Weekly(tuple(days), shown.get("at", ""), shown.get("working") == "1", shown.get("late") == "skip")
        case TriggerKind.BY_HAND:
            roles = [id_ for part in shown.get("roles", "").split(",") if (id_ := read_id(part)) is not None]
            trigger = ByHand(one_line(shown.get("button", "")) or "", tuple(roles))
        case _:
            assert_never(kind)
    return trigger


class _Typed:
    """What stands in the options, typed."""

    def __init__(self, shown: Mapping[str, str], catalogue: Catalogue) -> None:
        self.shown, self.catalogue = shown, catalogue
        self.number = _number(shown.get("number", ""))

    def unit(self) -> TimeUnit:
        unit = self.shown.get("unit", "")
        if unit not in tuple(TimeUnit):
            raise Invalid(_("Enter a number of hours or days."), "options")
        return TimeUnit(unit)

    def paid(self) -> Paid:
        if self.shown.get("of") != "sum":
            return Paid(percent=_number(self.shown.get("paid", "")))
        try:
            return Paid(sum=parse_money(self.shown.get("paid", "")))
        except ValueError as error:
            raise Invalid(str(error), "options") from error

    def date(self) -> DateNears:
        offset = self.number * (-1 if self.shown.get("when", "before") == "before" else 1)
        field = next((one for one in self.catalogue.dates if one.name == self.shown.get("field")), None)
        return DateNears(field, offset, self.unit(), self.shown.get("at", ""), self.shown.get("late") == "skip")


def _number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,5}", text) else 0


def shown_options(trigger: Trigger) -> dict[str, str]:
    """As they stand in the editor."""
    match trigger:
        case FieldChanged():
            return {"field": trigger.name}
        case Paid():
            if trigger.sum is not None:
                return {"of": "sum", "paid": i18n.money(trigger.sum)}
            return {"of": "percent", "paid": str(trigger.percent)}
        case AllLinked():
            return {"phase": trigger.phase}
        case DateNears():
            return {
                "field": trigger.field.name if trigger.field else "",
                "number": str(abs(trigger.offset)),
                "when": "before" if trigger.offset < 0 else "after",
                "unit": trigger.unit.value,
                "at": trigger.at,
                "late": "skip" if trigger.skips_late else "catch_up",
            }
        case Stays() | Idle():
            status = {"status": str(trigger.status_id)} if isinstance(trigger, Stays) and trigger.status_id else {}
            return {"number": str(trigger.length), "unit": trigger.unit.value} | status
        case Weekly():
            return {
                "days": ",".join(map(str, trigger.days)),
                "at": trigger.at,
                "working": "1" if trigger.working_only else "",
                "late": "skip" if trigger.skips_late else "catch_up",
            }
        case ByHand():
            return {"button": trigger.button, "roles": ",".join(map(str, trigger.role_ids))}
        case Placed() | Entered() | Left() | StatusChanged() | Commented() | LinkedEntered():
            return {}
        case _:
            assert_never(trigger)
