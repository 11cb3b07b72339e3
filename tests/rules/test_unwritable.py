"""A database that can't be written for a while: a writer that holds it, a full disk, a folder that is read-only."""

import logging
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from kanban import faults
from kanban.config import Config
from kanban.db import db
from kanban.errors import Busy
from kanban.transactions import WRITE_LOCK, transaction
from tests.bareserver import BareServer, End
from tests.cast import Cast, Signed
from tests.databases import held, path_of
from tests.messages import put_messages
from tests.rules.test_worker import use

MESSAGES = 60


@pytest.mark.one_database
def test_what_was_sent_while_nothing_could_be_written_is_sent_once(app_of_a_file: Flask, config: Config, cast: Cast) -> None:
    """49 of 60 went out a second time: the lane blocked in settling while its sender went on, then forgot what it knew."""
    app, path, holding = app_of_a_file, path_of(app_of_a_file), threading.Event()
    released: list[float] = []

    def hold() -> None:
        with held(path):
            holding.set()
            time.sleep(3)
        released.append(time.monotonic())

    def on_text(_message_id: str, _address: str) -> End:
        if len(server.arrivals) == 4 and not holding.is_set():
            threading.Thread(target=hold).start()
            holding.wait()
        return End()

    server = BareServer()
    server.on_text = on_text
    with server:
        put_messages([f"p{number}@melnikov.example" for number in range(MESSAGES)], "held")
        account = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none", "smtp_from": "potok@melnikov.example"}
        worker = use(app, replace(config, **account))  # type: ignore[arg-type]
        end = time.monotonic() + 60
        while len(server.arrivals) < MESSAGES or not released:
            assert time.monotonic() < end
            worker.step()
            before_release = len(server.arrivals) if not released else 0
            assert before_release <= 4, "none begins that nobody could say has begun"
        worker.step()
    counts = Counter(one.message_id for one in server.arrivals)
    print(f"{MESSAGES} letters, the database held for 3 s after the fourth: {sum(counts.values()) - len(counts)} second copies")
    assert set(counts.values()) == {1} and len(counts) == MESSAGES
    assert {message.state for message in cast.messages() if message.address.startswith("p")} == {"sent"}


@pytest.mark.one_database
def test_writers_wait_for_a_while_and_are_told(app_of_a_file: Flask, cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """Ten writers behind one that goes on and on took 20 s each, one after the other."""
    order, signed = cast.place(), Signed(app_of_a_file.test_client(), cast.email("owner"))
    to_ready = {"status": cast.statuses["ready"], "before": "", "version": 1}
    with caplog.at_level(logging.ERROR), held(path_of(app_of_a_file)):
        began, answers = time.monotonic(), []

        def move() -> None:
            answers.append(signed.post(f"/orders/{order.id}/move", to_ready, htmx=True))

        threads = [threading.Thread(target=move) for _ in range(10)]
        for thread in threads:
            thread.start()
        assert signed.get("/boards/1").status_code == 200, "reading goes on"
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 10
    print(f"10 writers behind one that goes on: {Counter(one.status_code for one in answers)}")
    assert {one.status_code for one in answers} == {503} and {one.headers["Retry-After"] for one in answers} == {"5"}
    assert "Сейчас пишут другие" in answers[0].text
    assert len([one for one in caplog.records if one.levelno >= logging.ERROR]) <= 1, "one line, not one each"
    assert signed.post(f"/orders/{order.id}/move", to_ready, htmx=True).status_code == 200


@pytest.mark.one_database
def test_a_full_disk_is_told_once_and_reading_goes_on(
    app: Flask, cast: Cast, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own limit to its pages stands for the disk's end: it answers the same."""
    order, signed = cast.place(), Signed(app.test_client(), cast.email("owner"))
    db.session.remove()
    monkeypatch.setattr(faults, "_reported", faults._Reported())
    with caplog.at_level(logging.ERROR):
        codes = []
        for _ in range(5):
            with app.app_context():
                pages = db.session.execute(text("PRAGMA page_count")).scalar_one()
                db.session.execute(text(f"PRAGMA max_page_count={pages}"))
                with pytest.raises(Exception, match=r"disk|диск"), transaction() as session:
                    session.execute(text("CREATE TABLE filler AS SELECT randomblob(5000000) AS x"))
                codes.append(1)
                db.session.execute(text("PRAGMA max_page_count=1073741823"))
                db.session.rollback()
    lines = [one for one in caplog.records if one.levelno >= logging.ERROR]
    print(f"a full disk: {len(codes)} writes refused, {len(lines)} lines in the log")
    assert len(codes) == 5 and len(lines) == 1 and "full" in lines[0].getMessage()
    assert signed.get(f"/orders/{order.id}").status_code == 200


def test_another_writer_is_waited_for_a_while_and_no_longer(impatient: None, app: Flask, cast: Cast) -> None:
    with db.engine.connect() as other:
        if db.engine.dialect.name == "postgresql":
            assert db.session.execute(text("SHOW lock_timeout")).scalar_one() == "10s"
            db.session.rollback()
            other.execute(text(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})"))
            refused = text(f"SET LOCAL lock_timeout = 200; SELECT pg_advisory_xact_lock({WRITE_LOCK})")
        else:
            other.connection.driver_connection.execute("BEGIN IMMEDIATE")  # type: ignore[union-attr]
            refused = text("CREATE TABLE never (x INTEGER)")
        with db.engine.connect() as mine, pytest.raises(OperationalError) as told:
            if db.engine.dialect.name == "sqlite":
                mine.connection.driver_connection.execute("PRAGMA busy_timeout=200")  # type: ignore[union-attr]
            mine.execute(refused)
        assert isinstance(faults.as_refusal(told.value), Busy)
        other.rollback()
