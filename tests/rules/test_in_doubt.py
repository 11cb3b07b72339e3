"""What goes wrong between a letter's beginning and what is known of it being kept: nothing known is forgotten, nothing is begun by two."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event, select

from kanban import clock
from kanban.config import Config
from kanban.db import db
from kanban.errors import Busy
from kanban.transactions import transaction
from rules.models import Delivery, Message
from rules.post import deliveries, held, outbox
from rules.worker import Worker
from tests.bareserver import BareServer, End
from tests.cast import PASSWORD, Cast, Signed
from tests.messages import put_messages
from tests.rules.test_worker import use

LONG_AGO = datetime.min.replace(tzinfo=UTC)


def worker_at(app: Flask, config: Config, server: BareServer, **changed: Any) -> Worker:
    account = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none", "smtp_from": "potok@melnikov.example"}
    return use(app, replace(config, retry_first_s=1, **(account | changed)))  # type: ignore[arg-type]


def states() -> dict[str, str]:
    found = {one.address: one.state for one in db.session.scalars(select(Message))}
    db.session.rollback()
    return found


def claim_and_begin(lease_s: int = 120) -> bool:
    with transaction() as session:
        [taken] = outbox.claim(session, "worker", lease_s, clock.now())
        return outbox.begin(session, taken, clock.now(), 60)


@contextlib.contextmanager
def read_only(url: sa.URL) -> Iterator[None]:
    """PostgreSQL as after a failover, or behind a provider's guard of the disk."""
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")

    def switch(on: str) -> None:
        with admin.connect() as connection:
            connection.exec_driver_sql("SET default_transaction_read_only = off")
            connection.exec_driver_sql(f"ALTER SYSTEM SET default_transaction_read_only = {on}")
            connection.exec_driver_sql("SELECT pg_reload_conf()")
        time.sleep(0.3)

    switch("on")
    try:
        yield
    finally:
        switch("off")
        admin.dispose()


def test_freed_and_held_at_once(app: Flask, config: Config, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two a lane could claim it, or a kill forget that it was in doubt."""
    put_messages(["a@melnikov.example"], "doubt")
    with BareServer() as server:
        worker = worker_at(app, config, server, worker_name="worker")
        for _ in range(2):
            assert claim_and_begin()
            worker._free("worker")
        assert claim_and_begin()
        with monkeypatch.context() as busy, pytest.raises(Busy):
            busy.setattr(held, "hold", lambda *_: (_ for _ in ()).throw(Busy("just now")))
            worker._free("worker")
        assert states()["a@melnikov.example"] == "sending", "all or nothing"
        worker._free("worker")
        worker.step()
        assert server.arrivals == [] and states()["a@melnikov.example"] == "failed"


def test_what_was_not_begun_alone_is_given_back(app: Flask, cast: Cast) -> None:
    """A copy of a letter that somebody of the same name took anew, and began."""
    put_messages(["a@melnikov.example"], "stale")
    now = clock.now()
    with transaction() as session:
        stale = outbox.claim(session, "worker", 1, now)
    db.session.expunge_all()
    with transaction() as session:
        assert outbox.has_run_out(session, now + timedelta(seconds=2))
        assert outbox.free_claims(session, now + timedelta(seconds=2)) == []
    assert claim_and_begin()
    with transaction() as session:
        outbox.give_back(session, stale)
    assert states() == {"a@melnikov.example": "sending"}


def test_none_begins_whose_lease_would_end_before_it(app: Flask, cast: Cast) -> None:
    put_messages(["a@melnikov.example"], "edge")
    assert not claim_and_begin(lease_s=30)


def test_one_that_cannot_be_kept_takes_no_other_with_it(app: Flask, config: Config, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    real = deliveries._end_of

    def end_of(session: Any, one: Any, config: Any) -> Any:
        if one.message.address.startswith("p1@"):
            raise ValueError("of this letter only")
        return real(session, one, config)

    monkeypatch.setattr(deliveries, "_end_of", end_of)
    with BareServer() as server:
        server.on_text = lambda *_: time.sleep(0.6) or End()  # type: ignore[func-returns-value]  # so that several are under way
        put_messages([f"p{number}@melnikov.example" for number in range(5)], "one")
        worker = worker_at(app, config, server, lease_s=4, letter_deadline_s=2)
        end = time.monotonic() + 30
        while Counter(states().values())["sent"] < 4 and time.monotonic() < end:
            worker._beat_at = LONG_AGO
            worker.step()
    counts = Counter(one.address for one in server.arrivals)
    print(f"5 letters, what became of one can't be kept: {dict(counts)}")
    assert {counts[f"p{number}@melnikov.example"] for number in (0, 2, 3, 4)} == {1}
    assert counts["p1@melnikov.example"] <= held.MOST_IN_DOUBT


@pytest.mark.postgresql
def test_a_database_that_turned_read_only(app: Flask, config: Config, cast: Cast) -> None:
    order, signed = cast.place(), Signed(app.test_client(), cast.email("owner"))
    began, url = list[Any](), db.engine.url

    def on_text(_message_id: str, _address: str) -> End:
        if len(server.arrivals) == 3 and not began:
            began.append(stack.enter_context(read_only(url)))
        return End()

    server = BareServer()
    server.on_text = on_text
    with server, contextlib.ExitStack() as stack:
        put_messages([f"p{number}@melnikov.example" for number in range(8)], "read-only")
        worker = worker_at(app, config, server, lease_s=4, letter_deadline_s=2)
        assert worker.look()
        end = time.monotonic() + 30
        while not began:
            assert time.monotonic() < end
            time.sleep(0.05)
        move = {"status": cast.statuses["ready"], "before": "", "version": 1}
        answer = signed.post(f"/orders/{order.id}/move", move, htmx=True)
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "5"
        assert signed.get(f"/orders/{order.id}").status_code == 200
        stack.close()
        while Counter(states().values())["sent"] < 8 and time.monotonic() < end:
            worker._beat_at = LONG_AGO
            worker.step()
        worker._wait()  # of the lane that was begun above
    counts = Counter(one.address for one in server.arrivals if one.address.startswith("p"))
    print(f"8 letters, read-only after the third: {sum(counts.values()) - len(counts)} second copies")
    assert set(counts.values()) == {1} and len(counts) == 8


@pytest.mark.postgresql
def test_whatever_publishes_takes_its_number_in_turn(app: Flask, config: Config, cast: Cast) -> None:
    """A reader of the feed that has passed a number never comes back to it."""
    locked, unnumbered, numbered = set[int](), list[str](), list[str]()

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        raw = id(connection.connection.dbapi_connection)
        if statement.startswith("SELECT pg_advisory_xact_lock(%(lock"):
            locked.add(raw)
        if statement.startswith("INSERT INTO change"):
            (numbered if raw in locked else unnumbered).append(statement)

    def over(connection: Any) -> None:
        locked.discard(id(connection.connection.dbapi_connection))

    listeners = [("before_cursor_execute", note), ("commit", over), ("rollback", over)]
    client = app.test_client()
    copied = Signed(client, cast.email("owner"))
    for name, listener in listeners:
        event.listen(db.engine, name, listener)
    try:
        client.post("/sign-in", data={"email": cast.email("manager"), "password": PASSWORD, "csrf_token": copied.token})
        with BareServer() as server:
            put_messages([f"p{number}@melnikov.example" for number in range(5)], "feed")
            worker_at(app, config, server).step()
    finally:
        for name, listener in listeners:
            event.remove(db.engine, name, listener)
    assert len(numbered) > 5 and unnumbered == []
    assert db.session.scalars(select(Delivery.outcome).distinct()).all() == ["sent"]
