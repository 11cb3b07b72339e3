"""Many people who move at once, each an order of their own to and fro, over a connection of their own."""

import http.client
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.served.board import Card
from bench.served.figures import Figures
from bench.served.person import Person

EIGHT, EIGHT_S = 8, 8.0
FIFTY, FIFTY_S, FIFTY_EVERY_S = 50, 12.0, 1.0


@dataclass
class Crowd:
    """What became of it. times: ms of moves that were made."""

    seconds: float
    times: list[float] = field(default_factory=list)
    errors: int = 0

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.times, n=20)[-1] if len(self.times) > 1 else 0.0


def measure_eight(people: Sequence[Person]) -> Figures:
    """8 people, each the next move as soon as the last is answered."""
    found = move_together(people[:EIGHT], EIGHT_S)
    return {"eight_rate": found.rate, "eight_errors": found.errors}


def measure_fifty(people: Sequence[Person]) -> Figures:
    """50 people, each a move every second, or at once where the last took longer. Their first moves are spread over a second."""
    found = move_together(people[:FIFTY], FIFTY_S, FIFTY_EVERY_S)
    return {"fifty_p95": found.p95, "fifty_rate": found.rate, "fifty_errors": found.errors}


def move_together(people: Sequence[Person], seconds: float, every_s: float = 0.0) -> Crowd:
    board = people[0].board()
    cards, statuses = board.open_cards(len(people)), board.tells_one
    crowd, start = Crowd(seconds), time.monotonic()
    threads = []
    for number, (person, card) in enumerate(zip(people, cards, strict=True)):
        first = start + every_s * number / len(people)
        threads.append(threading.Thread(target=_work, args=(crowd, person, card, statuses, first, every_s, start + seconds)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return crowd


def _work(crowd: Crowd, person: Person, card: Card, statuses: tuple[int, int], due: float, every_s: float, end: float) -> None:
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due + every_s, time.monotonic())
        if time.monotonic() >= end:
            return
        try:
            answer = person.move(card, statuses[1] if card.status == statuses[0] else statuses[0])
        except (OSError, http.client.HTTPException):
            person.close()
            crowd.errors += 1
            continue
        if answer.code == 200:
            crowd.times.append(answer.ms)
        else:
            crowd.errors += 1
