"""The outbox drained into a local SMTP server, beside smtplib sending messages built the same way over one connection."""

import smtplib
import time
from dataclasses import replace
from typing import Any

from bench.workshop import workshop
from kanban.db import db
from rules.models import Message
from rules.post.rendering import render_message
from rules.transports.account import Account
from rules.transports.compose import compose
from rules.worker import Worker
from tests.bareserver import ServerProcess
from tests.mailserver import LOOPBACK
from tests.messages import put_messages

MESSAGES, FLOOR_MESSAGES = 10_000, 1_000
ADDRESS = "potok@melnikov.example"


def measure_drain() -> list[Any]:
    """[messages, messages a second, floor, share]. The server is a process of its own; the floor is taken before and after."""
    with ServerProcess() as server, workshop() as app:
        app.config["POTOK"] = replace(
            app.config["POTOK"], smtp_host="127.0.0.1", smtp_port=server.port, smtp_security="none", smtp_from=ADDRESS
        )
        put_messages([f"p{n}@melnikov.example" for n in range(MESSAGES)])
        messages = list(db.session.query(Message).limit(FLOOR_MESSAGES))
        db.session.rollback()
        before = _floor(messages, server.port)
        worker = Worker(app)
        start = time.perf_counter()
        while worker.step():
            pass
        took = time.perf_counter() - start
        floor = (before + _floor(messages, server.port)) / 2
        assert len(server.arrivals()) == MESSAGES + 2 * FLOOR_MESSAGES
    return [MESSAGES, MESSAGES / took, floor, MESSAGES / took / floor]


def _floor(messages: list[Message], port: int) -> float:
    """Messages a second: composed from the same rows in the same way, handed over one after another."""
    account = Account(ADDRESS, "", "127.0.0.1", port, "none", "", "", reach=LOOPBACK)
    start = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as connection:
        for message in messages:
            rendered = render_message(message, "http://127.0.0.1:8000")
            connection.sendmail(account.address, [rendered.address], compose(rendered, account).content)
    return len(messages) / (time.perf_counter() - start)
