"""What a log's filter holds, as chips: each leads to the same page without it."""

from typing import NamedTuple

from kanban.i18n import _, day_short
from kanban.ids import Arguments
from rules.logs.message_log import LogFilter
from rules.logs.run_log import RunFilter


class Chip(NamedTuple):
    """without: the filter's arguments but for this one."""

    name: str
    value: str
    without: Arguments


def period_chips(chosen: LogFilter | RunFilter) -> list[Chip]:
    chips = [Chip(_("Period"), _("last %(days)s days", days=chosen.days), chosen.query(days=None))] if chosen.days else []
    chips += [Chip(_("Since"), day_short(chosen.since), chosen.query(**{"from": None}))] if chosen.since else []
    return chips + ([Chip(_("Until"), day_short(chosen.until), chosen.query(to=None))] if chosen.until else [])
