"""kill -9 of web and workers at random moments while people move orders and the mail server misbehaves: nothing that was said to be
done is lost, and second copies have a reason."""

import http.client
import os
import random
import re
import signal
import threading
import time
import urllib.parse
from collections import Counter, defaultdict
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from kanban.db import db
from kanban.models import Event, Order
from rules.models import Delivery, Message
from tests.bareserver import Arrival, BareServer, End
from tests.cast import PASSWORD, Cast
from tests.mailserver import free_port
from tests.messages import put_messages
from tests.rules.test_worker import hurry
from tests.soak import size
from tests.workers import start, start_worker

SEED = 20_261_124
KILLS = {"sqlite": size(6, 25, 200), "postgresql": size(5, 12, 200)}
WORKERS = {"sqlite": ["worker"], "postgresql": ["one", "two"]}
MESSAGES_EACH = 12  # written before each kill
MOVERS, APART_S = 3, 0.4
START_S = 120  # at most, until the web has answered a first move of each
MOST_COPIES = 3
SETTINGS: dict[str, object] = {
    "letter_deadline_s": 5,
    "lease_s": 8,
    "smtp_timeout_s": 5,
    "retry_first_s": 1,
    "retry_cap_s": 1,
    "retry_for_s": 3600,
    "log_level": "error",
}
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Faults:
    """What the server does wrong, by chance. A letter's end is left open once at most: after a second one a person has to look."""

    def __init__(self, server: BareServer, draw: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self.left_open: set[str] = set()
        self._draw = draw
        self._is_faulty = True
        self._under_way = 0
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
        with self._lock:
            self._under_way += 1
            self.counts["two at once"] += self._under_way > 1
        time.sleep(0.3 if self._happens("slow", 0.03) else 0.01)
        end = self._end_of(message_id)
        with self._lock:
            self._under_way -= 1
        return end

    def _end_of(self, message_id: str) -> End:
        if self._happens("451 after the text", 0.03):
            return End(False, "451 4.3.0 Local error")
        if message_id not in self.left_open:
            for what, is_taken in (("taken, then hung up", True), ("not taken, then hung up", False)):
                if self._happens(what, 0.04):
                    self.left_open.add(message_id)
                    return End(is_taken, "")
        return End()


class Site:
    """A web and its workers, each killed and started again. The web stands on another port each time: who was killed leaves its own
    in use for a while."""

    def __init__(self, database_url: str, mail: BareServer, folder: Path) -> None:
        self.workers = list(WORKERS[database_url.split(":", maxsplit=1)[0]])
        self.port = 0
        self.killed: Counter[str] = Counter()
        self._url, self._mail, self._folder = database_url, mail, folder
        self._processes: dict[str, ForkServerProcess] = {}
        for name in ("web", *self.workers):
            self._start(name)

    def kill(self, name: str) -> None:
        """With -9, the processes that it forked too; another one stands in its place at once."""
        process = self._processes[name]
        for pid in _children(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.join(20)
        assert process.exitcode == -signal.SIGKILL
        self.killed["web" if name == "web" else "worker"] += 1
        self._start(name)

    def _start(self, name: str) -> None:
        if name != "web":
            self._processes[name] = start_worker(self._url, self._mail.port, name, **SETTINGS)
            return
        self.port = free_port()
        self._processes[name] = start(
            "web",
            {
                "DATABASE_URL": self._url,
                "SECRET_KEY": "test",
                "SEAL_KEY": "seal",
                "INSTANCE": str(self._folder),
                "PORT": str(self.port),
                "PASSWORD_HASH_COST": "cheap",
                "UNDO_WINDOW_S": "1",
                "LOG_LEVEL": "error",
            },
        )

    def __enter__(self) -> "Site":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> list[int | None]:
        """Returns their exit codes."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.join(30)
        return [process.exitcode for process in self._processes.values()]


class Mover:
    """Somebody who moves an order to and fro, whatever happens to the web; said: versions of which it was told that they are there."""

    def __init__(self, app: Flask, site: Site, cast: Cast) -> None:
        self.order_id = cast.place().id
        hurry()
        self.said: list[int] = []
        self.failures = 0
        self._app, self._site, self._email = app, site, cast.email("owner")
        self._statuses = [cast.statuses["ready"], cast.statuses["prepaid"]]
        self._headers: dict[str, str] = {}
        self._token = ""
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(APART_S):
            try:
                self._move()
            except (OSError, http.client.HTTPException):
                self.failures += 1

    def _move(self) -> None:
        if not self._token:
            self._sign_in()
        with self._app.app_context():
            version = db.session.scalars(select(Order.version).where(Order.id == self.order_id)).one()
            db.session.remove()
        move = {"status": str(self._statuses[version % 2]), "before": "", "version": str(version), "csrf_token": self._token}
        code, _text = self._ask("POST", f"/orders/{self.order_id}/move", move, **{"HX-Request": "true"})
        assert code in (200, 503), code
        if code == 200:
            self.said.append(version + 1)

    def _sign_in(self) -> None:
        self._headers.clear()
        token = TOKEN.search(self._ask("GET", "/sign-in")[1])
        assert token
        code, _text = self._ask("POST", "/sign-in", {"email": self._email, "password": PASSWORD, "csrf_token": token[1]})
        assert code in (302, 503), code
        found = TOKEN.search(self._ask("GET", "/boards/1")[1]) if code == 302 else None
        self._token = found[1] if found else ""

    def _ask(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._site.port, timeout=20)
        try:
            typed = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
            connection.request(method, path, urllib.parse.urlencode(form) if form else None, self._headers | typed | headers)
            answer = connection.getresponse()
            for field in answer.headers.get_all("Set-Cookie") or []:
                if field.startswith("potok="):
                    self._headers["Cookie"] = field.split(";")[0]
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def _children(pid: int | None) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.soak
def test_kills_at_random_moments_under_a_faulty_server_lose_nothing(app: Flask, cast: Cast, database_url: str, tmp_path: Path) -> None:
    """Run with -s to see the counts."""
    draw = random.Random(SEED)
    kills = KILLS[database_url.split(":", maxsplit=1)[0]]
    put: list[str] = []
    with BareServer() as server, Site(database_url, server, tmp_path) as site:
        faults = Faults(server, random.Random(SEED + 1))
        movers = [Mover(app, site, cast) for _ in range(MOVERS)]
        try:
            _wait_until(lambda: all(mover.said for mover in movers), START_S)
            for n in range(kills):
                put += put_messages([f"p{draw.randrange(40)}@melnikov.example" for _ in range(MESSAGES_EACH)], f"kill-{n}")
                _live_and_die(site, server, draw)
        finally:
            for mover in movers:
                mover.end()
        faults.heal()
        _wait_until(lambda: not _unfinished(), size(60, 120, 900))
        ends = site.end()
    by_message: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in server.arrivals:
        by_message[arrival.message_id].append(arrival)
    open_ends = {id_: sum(not one.is_answered for one in arrived[:-1]) for id_, arrived in by_message.items()}
    others = {id_: len(arrived) - 1 - open_ends[id_] for id_, arrived in by_message.items()}
    unknown, held = _unknown_ends(), _held()
    moves = sum(len(mover.said) for mover in movers)
    print(
        f"\nseed {SEED}: {dict(site.killed)} killed; {moves} moves said to be done, {sum(mover.failures for mover in movers)} cut off; "
        f"{len(by_message)} messages, {sum(unknown.values())} sending now at a kill, {len(held)} held, "
        f"{len(faults.left_open)} ends left open, "
        f"{len(server.arrivals)} arrivals: {sum(open_ends.values())} second copies after an open end, {sum(others.values())} after a kill, "
        f"at most {max(map(len, by_message.values()))} of one; {dict(faults.counts)}"
    )
    assert ends == [0] * len(ends) and not _unfinished()
    assert all(_is_kept(mover) for mover in movers), "what was said to be done is done"
    expected = set(put) | set(_message_ids())
    assert expected - held <= by_message.keys() <= expected, "no letter is lost, and none has another Message-ID than its own"
    assert _are_complete(), "each move made the letters that its kind makes"
    assert {id_: count for id_, count in others.items() if count > unknown[id_]} == {}, "every second copy has a reason"
    beside = faults.counts["two at once" if len(site.workers) == 1 else "slow"]  # of one worker; a loaded machine is slow too
    assert sum(others.values()) <= site.killed["worker"] + beside, "one a kill, and those beside it"
    assert max(map(len, by_message.values())) <= MOST_COPIES
    assert _states() == Counter(sent=len(expected) - len(held), failed=len(held)) - Counter(failed=0)
    assert moves, "there was something to lose"
    assert kills < 20 or (sum(unknown.values()) and faults.left_open and len(site.killed) == 2), "the kills and faults were real"


def _live_and_die(site: Site, server: BareServer, draw: random.Random) -> None:
    """kill -9 of the web or of a worker: mostly some time after a letter was under way, each fifth while it starts."""
    before = server.connections
    if draw.randrange(5):
        _wait_until(lambda: server.connections > before, 3)
    time.sleep(draw.uniform(0, 0.5))
    site.kill(draw.choice(["web", *site.workers * 2]))


def _is_kept(mover: Mover) -> bool:
    """Every version it was told of is there, and each made by one move."""
    moved = select(func.count()).select_from(Event).where(Event.order_id == mover.order_id, Event.kind == "order.moved")
    version, count = db.session.execute(select(Order.version, moved.scalar_subquery()).where(Order.id == mover.order_id)).one()
    return version >= max(mover.said, default=0) and len(set(mover.said)) == len(mover.said) and count == version - 1


def _are_complete() -> bool:
    messages = select(Event.id, func.count(Message.id).label("messages")).outerjoin(Message, Message.event_id == Event.id)
    by_event = messages.where(Event.kind == "order.moved").group_by(Event.id).subquery()
    to = select(Event.after["status"]["id"].as_integer(), by_event.c.messages).join(by_event, by_event.c.id == Event.id).distinct()
    found = db.session.execute(to).all()
    return len(found) == len({status for status, _count in found}) and any(count for _status, count in found)


def _message_ids() -> list[str]:
    return list(db.session.scalars(select(Message.message_id).where(Message.channel == "email")))


def _held() -> set[str]:
    return set(db.session.scalars(select(Message.message_id).where(Message.state == "failed", Message.error.startswith("held: "))))


def _wait_until(holds: Callable[[], bool], most_s: float) -> None:
    end = time.monotonic() + most_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)


def _states() -> Counter[str]:
    found = Counter(db.session.scalars(select(Message.state).where(Message.channel == "email")))
    db.session.rollback()
    return found


def _unfinished() -> int:
    states = _states()
    return states["waiting"] + states["sending"]


def _unknown_ends() -> Counter[str]:
    """How often a worker died with each letter in its hands, by Message-ID."""
    query = select(Message.message_id).join(Delivery, Delivery.message_id == Message.id).where(Delivery.outcome == "unknown")
    return Counter(db.session.scalars(query))
