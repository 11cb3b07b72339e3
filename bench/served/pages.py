"""The board's page over one connection: undisturbed, right after a move, and with a move every fifth page."""

import statistics

from bench.served.figures import Figures
from bench.served.person import Person
from bench.served.server import Server

WARM, PAGES, AFTER_MOVES, FIVES = 20, 200, 60, 40
QUICK = 1.5  # times the median of an undisturbed page


def measure_pages(server: Server, person: Person, name: str) -> Figures:
    """Undisturbed: ms p50 and CPU ms of a page."""
    for _ in range(WARM):
        person.page()
    before = server.cpu_ms
    times = [person.page().ms for _ in range(PAGES)]
    return {name: statistics.median(times), f"{name}_cpu": (server.cpu_ms - before) / PAGES}


def measure_pages_after_moves(reader: Person, mover: Person, undisturbed_ms: float) -> Figures:
    """The mover moves one card to and fro, the reader looks at the board. Each over a connection of their own."""
    board = mover.board()
    card, (one, other) = board.open_cards(1)[0], board.tells_one
    first = []
    for _ in range(AFTER_MOVES):
        mover.move(card, other if card.status == one else one)
        first.append(reader.page().ms)
    mixed = []
    for _ in range(FIVES):
        mover.move(card, other if card.status == one else one)
        mixed += [reader.page().ms for _ in range(5)]
    quick = sum(ms <= QUICK * undisturbed_ms for ms in mixed)
    return {
        "page_after_move": statistics.median(first),
        "page_in_five": statistics.median(mixed),
        "page_in_five_quick": 100 * quick / len(mixed),
    }
