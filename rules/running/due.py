"""When a rule of time is due. Pure: dates and a calendar in, moments out."""

from datetime import date, datetime, time, timedelta
from typing import assert_never

from kanban import clock
from kanban.calendar import Calendar
from rules.definition.triggers import DateNears, TimeUnit, Weekly

LOOK_BACK = timedelta(days=7)  # what came due while nothing ran, or by a change of the date, is caught up with
LATE = timedelta(hours=1)


def moment_of(day: date, trigger: DateNears, calendar: Calendar) -> datetime:
    """When a rule is due for a date of an order, in UTC."""
    match trigger.unit:
        case TimeUnit.WORKING_DAYS:
            return clock.at(calendar.shift(day, trigger.offset), time.fromisoformat(trigger.at))
        case TimeUnit.DAYS:
            return clock.at(day + timedelta(days=trigger.offset), time.fromisoformat(trigger.at))
        case TimeUnit.HOURS:
            return clock.at(day, time.fromisoformat(trigger.at)) + timedelta(hours=trigger.offset)
        case _:
            assert_never(trigger.unit)


def dates_due(trigger: DateNears, calendar: Calendar, now: datetime) -> dict[date, datetime]:
    """The dates of orders that are due now, each with its moment: at most a week ago."""
    reach = _reach_days(trigger)
    middle, since = clock.day_of(now), earliest(now, skips_late=trigger.skips_late)
    found = {}
    for distance in range(-reach - LOOK_BACK.days - 2, reach + 3):
        day = middle + timedelta(days=distance)
        moment = moment_of(day, trigger, calendar)
        if since < moment <= now:
            found[day] = moment
    return found


def lists_due(trigger: Weekly, calendar: Calendar, now: datetime) -> dict[date, datetime]:
    """The days whose list is due by now, each with its moment."""
    found = dates_due(DateNears(None, 0, TimeUnit.DAYS, trigger.at, trigger.skips_late), calendar, now)
    days = [day for day in found if day.isoweekday() in trigger.days and (not trigger.working_only or calendar.is_working(day))]
    return {day: found[day] for day in days}


def _reach_days(trigger: DateNears) -> int:
    """How far from today a date can lie that is due today."""
    offset = abs(trigger.offset)
    return {TimeUnit.DAYS: offset, TimeUnit.WORKING_DAYS: offset * 3 + 15, TimeUnit.HOURS: offset // 24 + 1}[trigger.unit]


def earliest(now: datetime, *, skips_late: bool = False) -> datetime:
    return now - (LATE if skips_late else LOOK_BACK)


def since(length: int, unit: TimeUnit, calendar: Calendar, now: datetime) -> datetime:
    """For «longer than N»: what began before this moment has lasted that long."""
    if unit is TimeUnit.WORKING_DAYS:
        return clock.at(calendar.shift(clock.day_of(now), -length), clock.local(now).time())
    return now - timedelta(**{unit.value: length})
