"""What a board's page, or a part of it, says in its attributes: the cards shown, the statuses, where the feed stands."""

import re
from dataclasses import dataclass, field

TAG = re.compile(r'<[^<>]* (?:data-order="|id="(?:column|head)-\d|data-since=")[^<>]*>')
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


@dataclass
class Card:
    order: int
    status: int
    version: int


@dataclass
class Board:
    """statuses: the columns from left to right. heads: the statuses whose heads are shown. since: of the live feed, or ""."""

    cards: list[Card] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    heads: set[int] = field(default_factory=set)
    since: str = ""

    @property
    def tells_one(self) -> tuple[int, int]:
        """Two statuses each of which has one rule, which sends one e-mail to the manager; as in bench/moves.py."""
        return self.statuses[1], self.statuses[5]

    def open_cards(self, count: int) -> list[Card]:
        """Those of the columns but the last, the newest first."""
        found = sorted((card for card in self.cards if card.status in self.statuses[:-1]), key=lambda card: -card.order)
        if len(found) < count:
            raise RuntimeError(f"the page shows {len(found)} cards, {count} are needed")
        return found[:count]


def read_board(html: str) -> Board:
    """By its tags alone: hundreds of viewers read many pages."""
    board = Board()
    for tag in TAG.findall(html):
        found = dict(ATTRIBUTE.findall(tag))
        if {"data-order", "data-status", "data-version"} <= found.keys():
            board.cards.append(Card(int(found["data-order"]), int(found["data-status"]), int(found["data-version"])))
        if column := re.fullmatch(r"column-(\d+)", found.get("id", "")):
            board.statuses.append(int(column[1]))
        if head := re.fullmatch(r"head-(\d+)", found.get("id", "")):
            board.heads.add(int(head[1]))
        board.since = found.get("data-since", board.since)
    return board
