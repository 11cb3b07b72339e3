"""The log of a process: what is in a line, whose it is, and what never is."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from kanban import logs
from kanban.config import Config, LogFormat
from kanban.db import db
from kanban.models import Event
from kanban.transactions import after_commit, transaction
from rules.running.savepoint import savepoint
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.messages import put_messages

Written = Callable[[], list[str]]


@pytest.fixture
def log_format() -> LogFormat:
    return "text"


@pytest.fixture
def written(config: Config, log_format: LogFormat, monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    """The lines that were written since it was asked last, as a process of Potok sets its log up."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", stream)
    root.handlers = []
    logs.set_up(replace(config, log_format=log_format))

    def lines() -> list[str]:
        found = stream.getvalue().splitlines()
        stream.seek(0)
        stream.truncate()
        return found

    yield lines
    root.handlers, root.level = handlers, level


@pytest.mark.one_database
def test_a_move_is_a_line_of_its_request_and_one_of_each_event(app: Flask, cast: Cast, written: Written) -> None:
    order, signed = cast.place(), Signed(app.test_client(), cast.email("owner"))
    written()
    move = {"status": cast.statuses["ready"], "before": "", "version": 1}
    answer = signed.post(f"/orders/{order.id}/move", move, htmx=True)
    request_id, event_id = answer.headers["X-Request-ID"], db.session.scalars(select(Event.id).where(Event.kind == "order.moved")).one()
    event, request = [line for line in written() if "/move" in line or "order.moved" in line]
    owner = cast.people["owner"]
    assert event.endswith(
        f"potok.events INFO order.moved event={event_id} board={order.board_id} order={order.id} person={owner} request={request_id}"
    )
    assert f"potok.web INFO POST /orders/{order.id}/move 200 " in request
    assert request.endswith(f" ms order={order.id} person={owner} address=127.0.0.1 request={request_id}")
    assert signed.post(f"/orders/{order.id}/move", move, htmx=True).status_code == 409
    assert [line for line in written() if "potok.events" in line] == [], "what was refused is no event"
    put_messages(["p@melnikov.example"], "log")
    Worker(app).step()
    assert any("rules.post.lane INFO email tray message_id=" in line and "p@melnikov" not in line for line in written())


@pytest.mark.one_database
def test_what_was_taken_back_is_not_told(app: Flask, cast: Cast) -> None:
    told: list[str] = []
    with transaction() as session:
        after_commit(session, lambda: told.append("kept"))
        with pytest.raises(ZeroDivisionError), savepoint(session):
            after_commit(session, lambda: told.append("failed within"))
            raise ZeroDivisionError
        assert told == []
    with pytest.raises(ZeroDivisionError), transaction() as session:
        after_commit(session, lambda: told.append("failed"))
        raise ZeroDivisionError
    with transaction():
        pass
    assert told == ["kept"]


@pytest.mark.one_database
def test_no_token_and_nothing_that_was_typed_is_in_it(app: Flask, cast: Cast, written: Written) -> None:
    signed = Signed(app.test_client(), cast.email("owner"))
    for path in ("/reset/sesame-token", "/invitation/sesame-token", "/nothing/sesame-token", "/reset/sesame-token/"):
        app.test_client().get(path)
    signed.get("/search?q=sesame-token")
    app.test_client().post("/sign-in", data={"email": "x@y.example", "password": "sesame-token"})
    lines = written()
    assert len([line for line in lines if "potok.web" in line]) >= 6
    assert [line for line in lines if "sesame-token" in line] == []
    assert any("GET /reset/<token> 404" in line for line in lines) and any("GET /search 200" in line for line in lines)


@pytest.mark.one_database
def test_nobody_writes_lines_of_their_own(app: Flask, cast: Cast, written: Written) -> None:
    client = app.test_client()
    answer = client.get("/sign-in%0aINFO forged", headers={"X-Request-ID": "short"})
    assert answer.headers["X-Request-ID"] != "short"
    assert client.get("/sign-in", headers={"X-Request-ID": "from-the-proxy-17"}).headers["X-Request-ID"] == "from-the-proxy-17"
    logging.getLogger("potok.web").warning("typed: %s", "a\nb\u2028c\x1b[31m")
    lines = written()
    assert not any(line.startswith("INFO forged") for line in lines) and lines[-1].endswith("typed: a b c [31m")
    client.get("/healthz")
    client.get("/readyz")
    assert written() == [], "what is asked for every few seconds is not in it"


@pytest.mark.one_database
@pytest.mark.parametrize("log_format", ["json"])
def test_each_line_is_json_where_that_is_wanted(app: Flask, cast: Cast, written: Written) -> None:
    order, signed = cast.place(), Signed(app.test_client(), cast.email("owner"))
    signed.get(f"/orders/{order.id}")
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        logging.getLogger("potok").exception("сломалось")
    rows: list[dict[str, Any]] = [json.loads(line) for line in written()]
    page = next(row for row in rows if row.get("path") == f"/orders/{order.id}")
    assert {name: page[name] for name in ("level", "logger", "method", "status", "order", "person")} == {
        "level": "INFO",
        "logger": "potok.web",
        "method": "GET",
        "status": 200,
        "order": order.id,
        "person": cast.people["owner"],
    }
    assert page["time"].endswith("Z") and page["took_ms"] > 0 and page["request"] and "taskName" not in page
    assert rows[-1]["message"] == "сломалось" and "ZeroDivisionError" in rows[-1]["exc_info"]
