"""Whom messages tell, as the answer to a change counts and names them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kanban.events import Told
from rules.actions import is_hidden


class Line(NamedTuple):
    """One message. name: of whom it goes to, or the address; "" of a hidden copy, which is counted and never named."""

    channel: str
    name: str


def line_of(row: Mapping[str, Any]) -> Line:
    """row: of the outbox, or of its columns channel, name, address and layout."""
    return Line(row["channel"], "" if is_hidden(row["layout"]) else row["name"] or row["address"])


def told_of(lines: Iterable[Line]) -> Told:
    found = list(lines)
    counts = Counter(line.channel for line in found)
    names = tuple(dict.fromkeys(line.name for line in found if line.name))
    return Told(counts["email"], counts["sms"], counts["chat"], counts["notice"], names)
