"""An action that waits."""

from dataclasses import dataclass
from enum import StrEnum

from kanban.errors import Invalid
from kanban.json_reader import JsonObject, Value
from kanban.translation import N_, _


class DelayUnit(StrEnum):
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working_days"


MOST = {DelayUnit.MINUTES: 10_000, DelayUnit.HOURS: 24 * 60, DelayUnit.DAYS: 365, DelayUnit.WORKING_DAYS: 250}


@dataclass(frozen=True)
class Delay:
    """ask_again: the criteria have to hold when its time comes. while_there: dropped once the order has left the status it stood in."""

    number: int
    unit: DelayUnit
    ask_again: bool = False
    while_there: bool = False

    def to_json(self) -> JsonObject:
        made: JsonObject = {"number": self.number, "unit": self.unit.value}
        made |= {"ask_again": True} if self.ask_again else {}
        return made | ({"while_there": True} if self.while_there else {})

    def validate(self) -> None:
        """Raises Invalid."""
        if not 1 <= self.number <= MOST[self.unit]:
            raise Invalid(_("Enter how long the action waits: a number of minutes, hours or days."), "actions")


def read_delay(value: Value) -> Delay:
    """Raises Malformed."""
    number = value["number"]
    if not 0 < number.whole() <= max(MOST.values()):
        raise number.malformed(N_("a number of units"))
    return Delay(number.whole(), value["unit"].member(DelayUnit), value["ask_again"].flag(), value["while_there"].flag())
