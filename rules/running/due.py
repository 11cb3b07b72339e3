"""When a rule of time is due. Pure: dates and a calendar in, moments out.

Options of a rule: {"field": "ship_on", "offset": -3, "unit": "days", "at": "09:00", "late": "catch_up"} for the trigger date;
{"offset": 2, "unit": "days"} for stay and idle; {"late": "skip"} leaves out what is more than an hour late.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from kanban import clock
from kanban.calendar import Calendar

UNITS = ("days", "working_days", "hours")
LOOK_BACK = timedelta(days=7)  # what came due while nothing ran, or by a change of the date, is caught up with
LATE = timedelta(hours=1)
LATER_UNITS = ("minutes", "hours", "days", "working_days")  # of actions that wait
MOST_LATER = {"minutes": 10_000, "hours": 24 * 60, "days": 365, "working_days": 250}
MOST_OFFSET = {"days": 365, "working_days": 250, "hours": 24 * 60}


def moment_of(day: date, options: Mapping[str, Any], calendar: Calendar) -> datetime:
    """When a rule is due for a date of an order, in UTC."""
    offset, unit = int(options["offset"]), options["unit"]
    hour, minute = (int(part) for part in options["at"].split(":"))
    if unit == "working_days":
        day = calendar.shift(day, offset)
    elif unit == "days":
        day += timedelta(days=offset)
    moment = clock.at(day, time(hour, minute))
    return moment + timedelta(hours=offset) if unit == "hours" else moment


def dates_due(options: Mapping[str, Any], calendar: Calendar, now: datetime) -> dict[date, datetime]:
    """The dates of orders that are due now, each with its moment: at most a week ago."""
    reach = reach_days(options)
    middle = clock.day_of(now)
    found = {}
    for distance in range(-reach - LOOK_BACK.days - 2, reach + 3):
        day = middle + timedelta(days=distance)
        moment = moment_of(day, options, calendar)
        if earliest(options, now) < moment <= now:
            found[day] = moment
    return found


def lists_due(options: dict[str, Any], calendar: Calendar, now: datetime) -> dict[date, datetime]:
    """The days whose list is due by now, each with its moment. options: {"days": [1, 5], "at": "09:00"}: ISO weekdays;
    "working": not on days off."""
    found = dates_due(options | {"offset": 0, "unit": "days"}, calendar, now)
    days = [day for day in found if day.isoweekday() in options["days"] and (not options.get("working") or calendar.is_working(day))]
    return {day: found[day] for day in days}


def reach_days(options: Mapping[str, Any]) -> int:
    """How far from today a date can lie that is due today."""
    offset = abs(int(options["offset"]))
    return {"days": offset, "working_days": offset * 3 + 15, "hours": offset // 24 + 1}[options["unit"]]


def earliest(options: Mapping[str, Any], now: datetime) -> datetime:
    return now - (LATE if options.get("late") == "skip" else LOOK_BACK)


def since(options: Mapping[str, Any], calendar: Calendar, now: datetime) -> datetime:
    """For «longer than N»: what began before this moment has lasted that long."""
    offset, unit = int(options["offset"]), options["unit"]
    if unit == "working_days":
        return clock.at(calendar.shift(clock.day_of(now), -offset), clock.local(now).time())
    return now - timedelta(**{unit: offset})
