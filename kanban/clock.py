"""The one place that knows what time it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

_zone = [ZoneInfo("UTC")]
_fixed: ContextVar[datetime | None] = ContextVar("fixed", default=None)


def set_zone(name: str) -> None:
    """Makes `name` (an IANA zone) the zone of the firm's days and clock times."""
    _zone[0] = ZoneInfo(name)
    day_of.cache_clear()


def now() -> datetime:
    """The moment, in UTC."""
    return _fixed.get() or datetime.now(UTC)


@contextmanager
def fixed_at(moment: datetime) -> Iterator[None]:
    """Inside, and only in this thread, it is `moment`: the demo's past is made by the verbs at its own times."""
    before = _fixed.set(moment)
    try:
        yield
    finally:
        _fixed.reset(before)


def today() -> date:
    """The firm's calendar day."""
    return now().astimezone(_zone[0]).date()


@lru_cache(maxsize=20_000)
def day_of(moment: datetime) -> date:
    """The firm's calendar day of a moment."""
    return local(moment).date()


def read_day(text: str) -> date | None:
    """A day as it stands in an address («2026-11-30»), or None where it is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2200 else None


def days_since(moment: datetime, day: date) -> int:
    """How many calendar days `day` comes after it: what came yesterday evening is one day old this morning."""
    return max(0, (day - day_of(moment)).days)


def start_of(day: date) -> datetime:
    """When a calendar day of the firm begins, in UTC."""
    return datetime.combine(day, time(), _zone[0]).astimezone(UTC)


def at(day: date, moment: time) -> datetime:
    """A time of the firm's clock on a day, in UTC. Where the clock skips it, an hour later; where it comes twice, the first."""
    return datetime.combine(day, moment.replace(tzinfo=None), _zone[0]).astimezone(UTC)


def local(moment: datetime) -> datetime:
    """The same moment on the firm's clock."""
    return moment.astimezone(_zone[0])
