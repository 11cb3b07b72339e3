"""JSON read where it enters: a value with its place, which gives typed values, or raises Malformed with that place."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TypeVar

from kanban.translation import N_, _

JsonObject = dict[str, object]
T = TypeVar("T")
E = TypeVar("E", bound=Enum)

MOST_ID = 2**31 - 1
MOST_WHOLE = 10**16
_TIME_OF_DAY = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


class Malformed(ValueError):
    """place: such as «actions[1].status». wanted: what should stand there, in English, as the log has it. choices: of «one of»."""

    def __init__(self, place: str, wanted: str, choices: Sequence[str] = ()) -> None:
        self.place, self.wanted, self.choices = place, wanted, choices
        super().__init__(self._said(wanted))

    def _said(self, wanted: str) -> str:
        said = f"{wanted} {', '.join(self.choices)}" if self.choices else wanted
        return f"{self.place}: {said}" if self.place else said

    @property
    def words(self) -> str:
        """In the reader's language."""
        return self._said(_(self.wanted))


@dataclass(slots=True)  # not frozen: dozens are made for each rule that is read
class Value:
    raw: object
    place: str = ""

    def malformed(self, wanted: str, choices: Sequence[str] = ()) -> Malformed:
        return Malformed(self.place, wanted, choices)

    def __getitem__(self, name: str) -> "Value":
        """A member of an object; what is left out is None. Raises Malformed."""
        return Value(self.members().get(name), f"{self.place}.{name}" if self.place else name)

    def has(self, name: str) -> bool:
        return isinstance(self.raw, dict) and name in self.raw

    def members(self) -> JsonObject:
        if not isinstance(self.raw, dict):
            raise self.malformed(N_("an object"))
        return self.raw

    def listed(self) -> "list[Value]":
        if not isinstance(self.raw, list):
            raise self.malformed(N_("a list"))
        return [Value(one, f"{self.place}[{number}]") for number, one in enumerate(self.raw)]

    def several(self, read: "Callable[[Value], T]") -> tuple[T, ...]:
        """A list of values, each read so."""
        return tuple([read(one) for one in self.listed()])

    def optional(self, read: "Callable[[Value], T]") -> T | None:
        """None where it is null or left out."""
        return None if self.raw is None else read(self)

    def text(self) -> str:
        if not isinstance(self.raw, str):
            raise self.malformed(N_("a text"))
        return self.raw

    def whole(self) -> int:
        if not isinstance(self.raw, int) or isinstance(self.raw, bool) or abs(self.raw) > MOST_WHOLE:
            raise self.malformed(N_("a whole number"))
        return self.raw

    def id(self) -> int:
        number = self.whole()
        if not 0 < number <= MOST_ID:
            raise self.malformed(N_("an id"))
        return number

    def flag(self) -> bool:
        """False where it is left out."""
        if self.raw not in (None, True, False):
            raise self.malformed(N_("true or false"))
        return bool(self.raw)

    def member(self, kind: type[E]) -> E:
        """A member of an enum, by its value."""
        try:
            return kind(self.text())
        except ValueError:
            raise self.malformed(N_("one of"), [str(one.value) for one in kind]) from None

    def one_of(self, choices: Iterable[str]) -> str:
        text = self.text()
        if text not in choices:
            raise self.malformed(N_("one of"), tuple(choices))
        return text

    def day(self) -> str:
        """A date as its ISO text, 2026-11-30."""
        text = self.text()
        try:
            is_day = date.fromisoformat(text).isoformat() == text
        except ValueError:
            is_day = False
        if not is_day:
            raise self.malformed(N_("a day such as 2026-11-30"))
        return text

    def time_of_day(self) -> str:
        """HH:MM"""
        text = self.text()
        if _TIME_OF_DAY.fullmatch(text) is None:
            raise self.malformed(N_("a time such as 09:30"))
        return text
