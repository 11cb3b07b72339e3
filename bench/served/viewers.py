"""Hundreds of open boards: what one move costs with all that their viewers fetch, and when the last of them has it."""

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.served.checkout import email_of
from bench.served.figures import Figures
from bench.served.person import Person
from bench.served.server import Server

ROOT = Path(__file__).parent.parent.parent
MOVES, WITHIN_S, PAUSE_S = 5, 30.0, 1.0
Answers = dict[str, float]


class ViewerProcess:
    """See viewer_process.py."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, password: str, count: int) -> None:
        self._process = process
        people = [[email_of(n), password, f"127.0.{1 + n // 200}.{1 + n % 200}"] for n in range(count)]
        self.streams = int(self.ask(port=port, people=people)["streams"])

    def ask(self, **values: Any) -> Answers:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(values) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the viewers have ended, see above")
        found: Answers = json.loads(line)
        return found


@contextmanager
def viewing(port: int, password: str, count: int) -> Iterator[ViewerProcess]:
    """count: of the people that were added, each with the board open."""
    command = [sys.executable, "-m", "bench.served.viewer_process"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield ViewerProcess(process, port, password, count)
    finally:
        process.kill()
        process.communicate()


def measure_viewers(server: Server, mover: Person, password: str, count: int, name: str) -> Figures:
    """Medians of some moves, each begun when all had the one before and it was quiet for a moment."""
    with viewing(server.port, password, count) as viewers:
        _measure_move(server, mover, viewers, count)  # to warm up
        found = [_measure_move(server, mover, viewers, count) for _ in range(MOVES)]
        return {
            f"{name}_streams": viewers.streams,
            f"{name}_cpu": statistics.median(move.cpu_ms for move in found),
            f"{name}_last": statistics.median(move.last_ms for move in found),
            f"{name}_missed": max(move.missed for move in found),
        }


@dataclass(frozen=True)
class SeenMove:
    """last_ms: until the last viewer had it. missed: how many did not within WITHIN_S."""

    cpu_ms: float
    last_ms: float
    missed: float


def _measure_move(server: Server, mover: Person, viewers: ViewerProcess, count: int) -> SeenMove:
    time.sleep(PAUSE_S)
    board = mover.board()
    card, (one, other) = board.open_cards(1)[0], board.tells_one
    viewers.ask(order=card.order, version=card.version + 1)
    before, start = server.cpu_ms, time.monotonic()
    try:
        code = mover.move(card, other if card.status == one else one).code
    except (OSError, http.client.HTTPException):  # a server that is beyond its limits answers nothing
        mover.close()
        code = 0
    if code != 200:
        return SeenMove(server.cpu_ms - before, (time.monotonic() - start) * 1000, count)
    seen = viewers.ask(within_s=WITHIN_S)
    return SeenMove(server.cpu_ms - before, (seen["last"] - start) * 1000, seen["missed"])
