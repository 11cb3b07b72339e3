"""The one place that knows what time it is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_zone = [ZoneInfo("UTC")]


def set_zone(name: str) -> None:
    """Makes `name` (an IANA zone) the zone of the firm's days and clock times."""
    _zone[0] = ZoneInfo(name)


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The firm's calendar day."""
    return now().astimezone(_zone[0]).date()


def local(moment: datetime) -> datetime:
    """The same moment on the firm's clock."""
    return moment.astimezone(_zone[0])
