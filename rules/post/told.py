"""Whom messages go to, as the answer to a change counts and names them."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from kanban.events import Told
from rules.definition.channels import Channel
from rules.post.entry import OutboxEntry
from rules.post.layout import Layout


class ToldLine(NamedTuple):
    """One message. name: of whom it goes to, or the address; "" of a hidden copy, which is counted and never named."""

    channel: Channel
    name: str


def line_of(entry: OutboxEntry) -> ToldLine:
    return line(entry.channel, entry.name, entry.address, entry.layout)


def line(channel: Channel, name: str, address: str, layout: Layout) -> ToldLine:
    return ToldLine(channel, "" if layout.is_hidden else name or address)


def told_of(lines: Iterable[ToldLine]) -> Told:
    found = list(lines)
    counts = Counter(one.channel for one in found)
    names = tuple(dict.fromkeys(one.name for one in found if one.name))
    return Told(tuple((channel, counts[channel]) for channel in Channel if counts[channel]), names)
