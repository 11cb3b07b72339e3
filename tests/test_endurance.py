"""A long day: moves and pages by several people, with boards open beside them. Memory, open files and speed stay as they were."""

import http.client
import random
import statistics
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from bench.crowd import Visitor, server
from bench.served.processes import pss_mb, tree_of
from tests.soak import size

MOVES, PEOPLE, VIEWERS, BATCH = size(800, 4_000, 200_000), 4, size(5, 20, 40), 20
GROWTH = 1.10
pytestmark = pytest.mark.soak


def files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


class Person:
    """Moves an order of its own to and fro, and looks at a page now and then; after BATCH moves, so many orders at once."""

    def __init__(self, visitor: Visitor, seed: int) -> None:
        self._visitor, self._draw = visitor, random.Random(seed)
        self._order, self._version = visitor.place("Иванова")
        self._batch = [visitor.place(f"Клиент {n}") for n in range(BATCH)]
        self._to = self._batch_to = 2
        self.took: list[float] = []
        self.codes = Counter[int]()

    def work(self, moves: int) -> None:
        """Half of them by themselves, half of them together."""
        for number in range(moves // 2):
            if number % BATCH == 0:
                self._move_batch()
            begun = time.monotonic()
            code = self._visitor.move(self._order, self._to, self._version)
            self._to = 3 - self._to
            self.took.append(time.monotonic() - begun)
            self.codes[code] += 1
            self._version += code == 200
            if self._draw.random() < 0.2:
                page = self._draw.choice(("/boards/1", "/boards/2", "/way", "/work", f"/orders/{self._order}"))
                self.codes[self._visitor.send("GET", page)[0]] += 1

    def _move_batch(self) -> None:
        code = self._visitor.move_many(self._batch, self._batch_to)
        self._batch_to = 3 - self._batch_to
        self.codes[code] += 1
        self._batch = [(order, version + (code == 200)) for order, version in self._batch]


def watch(visitor: Visitor, is_over: threading.Event) -> None:
    """An open board: its stream, again where it ends."""
    while not is_over.is_set():
        with suppress(OSError, http.client.HTTPException):
            for _ in visitor.stream("/live?page=/boards/1"):
                if is_over.is_set():
                    return


def test_a_long_day() -> None:
    with server(UNDO_WINDOW_S="0", LOG_LEVEL="warning") as (port, folder, process):
        accounts = [(line.split()[0], line.split()[1]) for line in (folder / "demo.txt").read_text().splitlines() if "@" in line]
        visitors = [Visitor(port, *accounts[0]) for _ in range(PEOPLE)]
        people = [Person(visitor, seed) for seed, visitor in enumerate(visitors)]
        is_over = threading.Event()
        viewers = [Visitor(port, *accounts[n % len(accounts)]) for n in range(VIEWERS)]
        watching = [threading.Thread(target=watch, args=(viewer, is_over), daemon=True) for viewer in viewers]
        for thread in watching:
            thread.start()
        measured: list[tuple[int, int, float]] = []
        for _tenth in range(10):
            threads = [threading.Thread(target=one.work, args=(MOVES // 10 // len(people),)) for one in people]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            took = [second for one in people for second in one.took]
            open_files = sum(map(files, tree_of(process.pid)))
            measured.append((round(pss_mb(process.pid)), open_files, round(statistics.median(took), 4)))
            for one in people:
                one.took.clear()
        is_over.set()
    for thread in watching:
        thread.join(20)
    for one in (*visitors, *viewers):
        one.close()
    codes = sum((one.codes for one in people), Counter[int]())
    print(f"{MOVES} moves, {VIEWERS} boards open, {dict(codes)}; MB, open files and median s of a move by tenths: {measured}")
    assert set(codes) == {200}
    memory = [one[0] for one in measured]
    assert memory[-1] <= memory[3] * GROWTH, memory  # caches are full by then
    assert measured[-1][1] <= measured[3][1] + PEOPLE + VIEWERS
