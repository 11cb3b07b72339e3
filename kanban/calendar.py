"""The firm's working days: weekends, public holidays and worked Saturdays by the `holidays` library, and days of its own."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy.orm import Session

from kanban.settings import settings

MOST_DAYS = 366  # of its own, off or worked


@dataclass(frozen=True)
class Calendar:
    """country: of the public holidays, "" for none. days_off, worked: the firm's own, which go before those."""

    country: str = ""
    days_off: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        if day in self.days_off or day in self.worked:
            return day in self.worked
        public = _public_days(self.country, day.year)
        return day in public.worked or (day.weekday() < 5 and day not in public.off)

    def shift(self, day: date, working_days: int) -> date:
        """The day that many working days later, or earlier where negative; 0: the day itself."""
        step = timedelta(days=1 if working_days > 0 else -1)
        for _ in range(abs(working_days)):
            day += step
            while not self.is_working(day):
                day += step
        return day


class _PublicDays(NamedTuple):
    """worked: days of weekends that a country works, in return for another day."""

    off: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()


@lru_cache(maxsize=100)
def _public_days(country: str, year: int) -> _PublicDays:
    try:
        import holidays  # noqa: PLC0415, 4 MB that a firm without public holidays does not need

        found = holidays.country_holidays(country, years=year) if country else None
    except NotImplementedError:  # a country that the library does not know
        found = None
    return _PublicDays() if found is None else _PublicDays(frozenset(found), frozenset(found.weekend_workdays))


def load_calendar(session: Session) -> Calendar:
    found = settings(session)
    country = found["country"] if found["public_holidays"] else ""
    return Calendar(country, *(frozenset(map(date.fromisoformat, found[name].split())) for name in ("days_off", "worked_days")))
