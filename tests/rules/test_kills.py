"""kill -9 of the worker at random moments while the mail server misbehaves: no letter is lost, and second copies have a reason."""

import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from kanban.db import db
from rules.models import Delivery, Message
from tests.bareserver import Arrival, BareServer, End
from tests.letters import put_letters
from tests.soak import size
from tests.workers import start_worker

SEED = 20_261_124
KILLS = {"sqlite": size(4, 25, 500), "postgresql": size(3, 8, 100)}
LETTERS_EACH = 12  # written before each kill
SETTINGS = {"letter_deadline_s": 5, "lease_s": 8, "smtp_timeout_s": 5, "retry_first_s": 1, "retry_cap_s": 1, "retry_for_s": 3600}


class Faults:
    """What the server does wrong, by chance. A letter's end is left open once at most: after a second one a person has to look."""

    def __init__(self, server: BareServer, draw: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self.left_open: set[str] = set()
        self._draw = draw
        self._is_faulty = True
        self._lock = threading.Lock()
        server.on_greeting, server.on_mail, server.on_rcpt, server.on_text = self._greeting, self._mail, self._rcpt, self._text

    def heal(self) -> None:
        self._is_faulty = False

    def _happens(self, what: str, share: float) -> bool:
        with self._lock:
            if not self._is_faulty or self._draw.random() >= share:
                return False
            self.counts[what] += 1
            return True

    def _greeting(self) -> str:
        return "" if self._happens("hung up at the greeting", 0.03) else "220 faulty"

    def _mail(self) -> str:
        if self._happens("hung up at MAIL", 0.02):
            return ""
        return "421 4.3.2 Too busy, try again in 1 s" if self._happens("421 at MAIL", 0.01) else "250 OK"

    def _rcpt(self, _address: str) -> str:
        return "451 4.7.1 Greylisted" if self._happens("451 at RCPT", 0.04) else "250 OK"

    def _text(self, message_id: str, _address: str) -> End:
        time.sleep(0.3 if self._happens("slow", 0.03) else 0.01)
        if self._happens("451 after the text", 0.03):
            return End(False, "451 4.3.0 Local error")
        if message_id not in self.left_open:
            for what, is_taken in (("taken, then hung up", True), ("not taken, then hung up", False)):
                if self._happens(what, 0.04):
                    self.left_open.add(message_id)
                    return End(is_taken, "")
        return End()


@pytest.mark.soak
def test_kills_at_random_moments_under_a_faulty_server_lose_no_letter(app: Flask, database_url: str) -> None:
    """Run with -s to see the counts."""
    draw = random.Random(SEED)
    kills = KILLS[database_url.split(":", maxsplit=1)[0]]
    expected: list[str] = []
    with BareServer() as server:
        faults = Faults(server, random.Random(SEED + 1))
        for n in range(kills):
            expected += put_letters([f"p{draw.randrange(40)}@melnikov.example" for _ in range(LETTERS_EACH)], f"kill-{n}")
            _live_and_die(database_url, server, draw, n)
        faults.heal()
        last = start_worker(database_url, server.port, **SETTINGS)
        _wait_until(lambda: not _unfinished(), size(60, 120, 900))
        last.terminate()
        last.join(20)
    by_letter: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in server.arrivals:
        by_letter[arrival.message_id].append(arrival)
    open_ends = {id_: sum(not one.is_answered for one in arrived[:-1]) for id_, arrived in by_letter.items()}
    others = {id_: len(arrived) - 1 - open_ends[id_] for id_, arrived in by_letter.items()}
    unknown = _unknown_ends()
    print(
        f"\nseed {SEED}: {len(expected)} letters, {kills} kills with {sum(unknown.values())} letters in hand, "
        f"{len(faults.left_open)} ends left open, {len(server.arrivals)} arrivals: "
        f"{sum(open_ends.values())} second copies after an open end, {sum(others.values())} after a kill; {dict(faults.counts)}"
    )
    assert last.exitcode == 0 and not _unfinished()
    assert by_letter.keys() == set(expected), "no letter is lost, and none has another Message-ID than its own"
    assert {id_: count for id_, count in others.items() if count > unknown[id_]} == {}, "every second copy has a reason"
    assert _states() == {"sent": len(expected)}
    assert kills < 10 or (sum(unknown.values()) > 0 and faults.left_open), "the kills and the faults were real"


def _live_and_die(database_url: str, server: BareServer, draw: random.Random, n: int) -> None:
    """A worker from its start to kill -9: mostly some time after it first spoke to the server, each fifth while it starts. Each
    tenth has another name, so that only its lease frees what it had in hand."""
    before = server.connections
    worker = start_worker(database_url, server.port, "other" if n % 10 == 4 else "worker", **SETTINGS)
    if n % 5:
        _wait_until(lambda: server.connections > before, 3)
    time.sleep(draw.uniform(0, 0.5))
    worker.kill()
    worker.join(20)
    assert worker.exitcode == -signal.SIGKILL


def _wait_until(holds: Callable[[], bool], most_s: float) -> None:
    end = time.monotonic() + most_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)


def _states() -> Counter[str]:
    found = Counter(db.session.scalars(select(Message.state)))
    db.session.rollback()
    return found


def _unfinished() -> int:
    states = _states()
    return states["waiting"] + states["sending"]


def _unknown_ends() -> Counter[str]:
    """How often a worker died with each letter in its hands, by Message-ID."""
    query = select(Message.message_id).join(Delivery, Delivery.message_id == Message.id).where(Delivery.outcome == "unknown")
    return Counter(db.session.scalars(query))
