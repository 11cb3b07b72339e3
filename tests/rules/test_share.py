"""Two workers at one queue: each letter arrives once, and a limit of their common account holds for both together."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from kanban.config import Config
from kanban.db import db
from kanban.transactions import Turn, transaction
from rules.models import Delivery, MailAccount, Message
from rules.post import outbox
from rules.worker import Worker
from tests.bareserver import BareServer
from tests.messages import put_messages
from tests.soak import size
from tests.workers import start_worker

MESSAGES = size(300, 2_500, 50_000)
LIMIT = outbox.BATCH + 10


def two_workers_until(holds: Callable[[], bool], database_url: str, port: int, most_s: float) -> None:
    """Runs them until this holds, at most so long, and asks them to end; they must end well."""
    workers = [start_worker(database_url, port, name) for name in ("one", "two")]
    end = time.monotonic() + most_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.1)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0]


def counted(query: Any) -> int:
    found: int = db.session.scalar(query)
    db.session.rollback()
    return found


@pytest.mark.soak
def test_two_workers_share_messages_and_each_is_sent_once(app: Flask, database_url: str) -> None:
    expected = put_messages([f"p{n % 1000}@melnikov.example" for n in range(MESSAGES)])
    with BareServer() as server:
        two_workers_until(lambda: len(server.arrivals) >= MESSAGES, database_url, server.port, size(120, 120, 900))
    arrived = Counter(one.message_id for one in server.arrivals)
    assert arrived.keys() == set(expected) and set(arrived.values()) == {1}
    assert counted(select(func.count()).where(Message.state == "sent", Message.attempts == 1)) == MESSAGES
    assert counted(select(func.count()).where(Delivery.outcome == "sent")) == MESSAGES
    assert server.connections >= 2, "both had work"


def test_workers_that_claim_at_the_same_moment_keep_to_their_accounts_limit(app: Flask, config: Config, database_url: str) -> None:
    put_messages([f"p{n}@melnikov.example" for n in range(4 * outbox.BATCH)])
    with BareServer() as server:
        common = replace(
            config,
            smtp_host="127.0.0.1",
            smtp_port=server.port,
            smtp_security="none",
            smtp_from="potok@melnikov.example",
            smtp_per_hour=LIMIT,
        )

        def step(name: str) -> None:
            with app.app_context():
                worker_of(app, replace(common, worker_name=name)).step()

        threads = [threading.Thread(target=step, args=(name,)) for name in ("one", "two")]
        with transaction(Turn.NONE) as session:
            outbox.take_turn(session, outbox.SYSTEM)
            for thread in threads:
                thread.start()
            time.sleep(0.5)  # both have come to the gate by now
        for thread in threads:
            thread.join()
    assert len(server.arrivals) == LIMIT
    assert counted(select(func.count()).select_from(MailAccount)) == 1, "the environment's, made by the first"


def worker_of(app: Flask, config: Config) -> Worker:
    app.config["POTOK"] = config
    return Worker(app)
