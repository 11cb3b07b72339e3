"""The firm's working days: weekends, public holidays by the `holidays` library, and days off of its own."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
from sqlalchemy.orm import Session

from kanban.settings import settings

COUNTRIES = ("", "RU", "BY", "KZ", "AM", "DE", "GB", "US")  # "": weekends only
MOST_DAYS_OFF = 366


@dataclass(frozen=True)
class Calendar:
    """country: of the public holidays, "" for none."""

    country: str = ""
    days_off: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        return day.weekday() < 5 and day not in self.days_off and day not in _holidays(self.country, day.year)

    def shift(self, day: date, working_days: int) -> date:
        """The day that many working days later, or earlier where negative; 0: the day itself."""
        step = timedelta(days=1 if working_days > 0 else -1)
        for _ in range(abs(working_days)):
            day += step
            while not self.is_working(day):
                day += step
        return day


@lru_cache(maxsize=100)
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year)) if country else frozenset()


def load_calendar(session: Session) -> Calendar:
    found = settings(session)
    return Calendar(found["holidays"], frozenset(date.fromisoformat(day) for day in found["days_off"].split()))
