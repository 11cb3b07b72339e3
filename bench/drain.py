"""The outbox drained into a local SMTP server, beside smtplib sending letters built the same way over one connection."""

import smtplib
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert

from bench.workshop import workshop
from kanban import clock
from kanban.db import db, transaction
from rules.accounts import Account
from rules.frame import letter_of
from rules.models import Message
from rules.transports.compose import compose
from rules.worker import Worker
from tests.mailserver import MailServer, make_certificates

LETTERS = 1000


def measure_drain() -> list[Any]:
    """[letters, letters a second, floor, share]"""
    with TemporaryDirectory() as folder, workshop() as app, MailServer(make_certificates(Path(folder)), security="none") as server:
        app.config["POTOK"] = replace(
            app.config["POTOK"], smtp_host="127.0.0.1", smtp_port=server.port, smtp_security="none", smtp_from="potok@melnikov.example",
            smtp_user="potok@melnikov.example", smtp_password="app-password",
        )  # fmt: skip
        _queue(LETTERS)
        floor = _floor(server.port)
        before = len(server.mail)
        worker = Worker(app)
        start = time.perf_counter()
        while worker.step():
            pass
        took = time.perf_counter() - start
        assert len(server.mail) - before == LETTERS
    return [LETTERS, LETTERS / took, floor, LETTERS / took / floor]


def _queue(count: int) -> None:
    now = clock.now()
    text = "Заказ К-0038 теперь в статусе «Предоплата».\n\n" + "\n".join(
        f"{name}: значение поля" for name in ("Изделие", "Заказчик", "Сумма", "Оплачено")
    )
    layout = {"firm": "ООО «Мельников»", "order_id": 1, "before": {"name": "Проект готов", "tone": "blue"},
              "after": {"name": "Предоплата", "tone": "amber"}, "why": {"kind": "role", "role": "Менеджер", "filled": False}}  # fmt: skip
    rows = [
        {"key": f"bench:{n}", "kind": "rule", "channel": "email", "name": "Ольга Белова", "address": f"p{n}@melnikov.example",
         "subject": "К-0038: Предоплата", "text": text, "layout": layout, "language": "ru", "message_id": f"<bench.{n}@potok>",
         "state": "waiting", "due_at": now, "attempts": 0, "error": "", "created_at": now}
        for n in range(count)
    ]  # fmt: skip
    with transaction() as session:
        session.execute(insert(Message), rows)


def _floor(port: int) -> float:
    """Letters a second: composed from the same rows in the same way, handed over one after another."""
    messages = list(db.session.query(Message).limit(300))
    account = Account("potok@melnikov.example", "", "127.0.0.1", port, "none", "", "")
    start = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as connection:
        connection.login("potok@melnikov.example", "app-password")
        for message in messages:
            letter = letter_of(message, "http://127.0.0.1:8000")
            connection.sendmail(account.address, [letter.address], compose(letter, account).as_bytes())
    took = time.perf_counter() - start
    db.session.rollback()
    return len(messages) / took
