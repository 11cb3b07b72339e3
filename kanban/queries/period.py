"""The part of a log's filter that says from when to when: as it stands in an address, and as conditions."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from kanban import clock
from kanban.ids import read_id


class Period(NamedTuple):
    """days: the last so many; else since and until, days of the company, both included."""

    days: int | None = None
    since: date | None = None
    until: date | None = None

    def conditions(self, column: InstrumentedAttribute[datetime]) -> list[ColumnElement[bool]]:
        since = clock.today() - timedelta(days=self.days - 1) if self.days else self.since
        found: list[ColumnElement[bool]] = [column >= clock.start_of(since)] if since else []
        return found + ([column < clock.start_of(self.until + timedelta(days=1))] if self.until else [])


def read_period(arguments: Mapping[str, str], offered: Collection[int] = ()) -> Period:
    """offered: numbers of days that may be asked for. What can't be understood is left out."""
    days = read_id(arguments.get("days"))
    if days in offered:
        return Period(days)
    return Period(None, clock.read_day(arguments.get("from", "")), clock.read_day(arguments.get("to", "")))
