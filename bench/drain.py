"""The outbox drained into a local SMTP server, beside smtplib sending letters built the same way over one connection."""

import smtplib
import time
from dataclasses import replace
from typing import Any

from bench.workshop import workshop
from kanban.db import db
from rules.mail.accounts import Account
from rules.models import Message
from rules.post.frame import letter_of
from rules.post.transports.compose import compose
from rules.post.worker import Worker
from tests.bareserver import ServerProcess
from tests.letters import put_letters
from tests.mailserver import LOOPBACK

LETTERS, FLOOR_LETTERS = 10_000, 1_000
ADDRESS = "potok@melnikov.example"


def measure_drain() -> list[Any]:
    """[letters, letters a second, floor, share]. The server is a process of its own; the floor is taken before and after."""
    with ServerProcess() as server, workshop() as app:
        app.config["POTOK"] = replace(
            app.config["POTOK"], smtp_host="127.0.0.1", smtp_port=server.port, smtp_security="none", smtp_from=ADDRESS
        )
        put_letters([f"p{n}@melnikov.example" for n in range(LETTERS)])
        messages = list(db.session.query(Message).limit(FLOOR_LETTERS))
        db.session.rollback()
        before = _floor(messages, server.port)
        worker = Worker(app)
        start = time.perf_counter()
        while worker.step():
            pass
        took = time.perf_counter() - start
        floor = (before + _floor(messages, server.port)) / 2
        assert len(server.arrivals()) == LETTERS + 2 * FLOOR_LETTERS
    return [LETTERS, LETTERS / took, floor, LETTERS / took / floor]


def _floor(messages: list[Message], port: int) -> float:
    """Letters a second: composed from the same rows in the same way, handed over one after another."""
    account = Account(ADDRESS, "", "127.0.0.1", port, "none", "", "", reach=LOOPBACK)
    start = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as connection:
        for message in messages:
            letter = letter_of(message, "http://127.0.0.1:8000")
            connection.sendmail(account.address, [letter.address], compose(letter, account).content)
    return len(messages) / (time.perf_counter() - start)
