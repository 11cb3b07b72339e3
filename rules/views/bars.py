"""A bar for each day of the log, as rectangles of an SVG picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from rules.logs.message_figures import PARTS, Day

STEP, WIDE, TALL = 20, 16, 46  # of the picture: a day's place, its bar, the highest bar
GAP = 1.0
LEAST = 2.0  # a single message among thousands is seen too


@dataclass(frozen=True)
class Piece:
    part: str
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    """A day's bar: where it stands, and its pieces from the bottom."""

    day: Day
    x: int
    pieces: list[Piece]


def bars(days: Sequence[Day]) -> list[Bar]:
    """The highest day fills the picture."""
    most = max((day.all for day in days), default=0) or 1
    return [Bar(day, place * STEP + (STEP - WIDE) // 2, _pieces(day, most)) for place, day in enumerate(days)]


def _pieces(day: Day, most: int) -> list[Piece]:
    counts = [(part, getattr(day, part)) for part in PARTS if getattr(day, part)]
    room = TALL - GAP * max(0, len(counts) - 1) - LEAST * len(counts)
    pieces: list[Piece] = []
    bottom = float(TALL)
    for part, count in counts:
        height = LEAST + room * count / most
        pieces.append(Piece(part, round(bottom - height, 2), round(height, 2)))
        bottom -= height + GAP
    return pieces
