"""One slow address and one dead account hold up nobody else: by real time, with a worker process as it is run."""

import threading
import time
from datetime import timedelta

import pytest
from flask import Flask

from kanban import clock
from kanban.transactions import transaction
from rules.models import MailAccount
from tests.bareserver import BareServer
from tests.mailserver import DrippingServer
from tests.messages import put_messages
from tests.soak import size
from tests.workers import start_worker

SLOW, SLOW_S = "slow@melnikov.example", 8
OTHERS, APART_S = size(60, 240, 2_400), 0.02
MOST_S = 10


@pytest.mark.soak
def test_a_slow_address_and_a_dead_account_never_delay_the_others(app: Flask, database_url: str) -> None:
    slow_ones = threading.Semaphore(0)
    with BareServer() as server, DrippingServer() as dead:

        def on_rcpt(address: str) -> str:
            if address == SLOW:
                slow_ones.release()
                time.sleep(SLOW_S)
            return "250 OK"

        server.on_rcpt = on_rcpt
        dead_id, second_id = _account("dead@melnikov.example", dead.port), _account("second@melnikov.example", server.port)
        worker = start_worker(database_url, server.port)
        put_messages([SLOW] * 4, "slow")
        put_messages([f"d{n}@melnikov.example" for n in range(20)], "dead", account_id=dead_id)
        assert slow_ones.acquire(timeout=30)
        due_at = clock.now()
        addresses = [f"p{n % 40}@melnikov.example" for n in range(OTHERS)]
        ids = put_messages(addresses, "other", due_at=due_at, apart_s=APART_S)
        second_ids = put_messages(addresses, "second", due_at=due_at, apart_s=APART_S, account_id=second_id)
        due = {id_: due_at + timedelta(seconds=n * APART_S) for some in (ids, second_ids) for n, id_ in enumerate(some)}
        end = time.monotonic() + size(60, 60, 240)
        while len(others := [one for one in server.arrivals if one.message_id in due]) < len(due) and time.monotonic() < end:
            time.sleep(0.05)
        worker.kill()
        worker.join(20)
    waits = sorted((one.at - due[one.message_id]).total_seconds() for one in others)
    p95 = waits[int(len(waits) * 0.95)]
    print(f"\n{len(waits)} of {len(due)} others, half within {waits[len(waits) // 2]:.2f} s, 95 % in {p95:.2f} s, all {waits[-1]:.2f} s")
    assert sorted(one.message_id for one in others) == sorted(due)
    assert p95 < MOST_S
    assert server.connections >= 3, "the slow address's lane has a second sender"


def _account(address: str, port: int) -> int:
    with transaction() as session:
        stored = MailAccount(kind="named", address=address, host="127.0.0.1", port=port, security="none", fall_back=False)
        session.add(stored)
    return stored.id
