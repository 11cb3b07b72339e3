"""The bell over HTTP: what one has not read, the list, a notice opened, all of them read; nobody sees another's."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, update

from kanban import clock
from kanban.db import db, table
from kanban.transactions import transaction
from rules.editing.verbs import add_rule
from rules.models import Message, Template
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.rule_json import recipient, rule_fields, send


@pytest.fixture
def manager(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("manager"))


@pytest.fixture
def designer(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("designer"))


def add_bell(cast: Cast) -> None:
    """A rule that tells the manager of each new order."""
    manager = [recipient("person", cast.people["manager"])]
    fields = rule_fields("Звонок", cast.boards["orders"], "placed", actions=[send("notice", cast.templates["short"], manager)])
    with transaction() as session:
        add_rule(session, cast.owner, fields)


def ring(app: Flask, cast: Cast, times: int = 1, **fields: str) -> None:
    """That many notices for the manager."""
    add_bell(cast)
    for _time in range(times):
        cast.place(**fields)
    with transaction() as session:
        session.execute(update(Message).values(due_at=clock.now()))
    worker = Worker(app)
    while worker.step():
        pass


def notices() -> list[Message]:
    found = db.session.scalars(
        select(Message).where(Message.channel == "notice").order_by(Message.id).execution_options(populate_existing=True)
    )
    rows = list(found)
    db.session.rollback()
    return rows


def test_the_bell_counts_and_lists(app: Flask, cast: Cast, manager: Signed) -> None:
    assert "data-dot" not in manager.get("/bell", htmx=True).text
    ring(app, cast, 2)
    bell = manager.get("/bell", htmx=True).text
    assert "data-dot" in bell and ">2<" in bell and f'data-live="bell-{cast.people["manager"]} ' in bell
    for url in ("/bell/list", "/bell/all"):
        page = manager.get(url).text
        assert page.index("К-0002") < page.index("К-0001") and page.count("data-unread") == 2


def test_opening_a_notice_marks_it_read_and_leads_to_its_order(app: Flask, cast: Cast, manager: Signed) -> None:
    ring(app, cast)
    notice = notices()[0]
    answer = manager.post(f"/bell/{notice.id}/open")
    assert answer.status_code == 303 and answer.headers["Location"] == f"/orders/{notice.order_id}"
    read_at = notices()[0].read_at
    assert read_at and "data-dot" not in manager.get("/bell").text
    manager.post(f"/bell/{notice.id}/open")
    assert notices()[0].read_at == read_at


def test_all_are_marked_read(app: Flask, cast: Cast, manager: Signed) -> None:
    ring(app, cast, 3)
    answer = manager.post("/bell/read", htmx=True)
    assert answer.status_code == 200 and 'id="bell"' in answer.text and "hx-swap-oob" in answer.text and "data-dot" not in answer.text
    assert all(one.read_at for one in notices())
    assert manager.post("/bell/read").status_code == 303, "and without JavaScript"


def test_another_persons_notices_are_not_there(app: Flask, cast: Cast, manager: Signed, designer: Signed) -> None:
    ring(app, cast)
    notice = notices()[0]
    assert "data-dot" not in designer.get("/bell").text
    assert "К-0001" not in designer.get("/bell/list").text and "К-0001" not in designer.get("/bell/all").text
    assert designer.post(f"/bell/{notice.id}/open").status_code == 404
    designer.post("/bell/read")
    assert notices()[0].read_at is None


def test_messages_and_what_still_waits_are_no_notices(cast: Cast, manager: Signed) -> None:
    add_bell(cast)
    cast.place()
    assert "data-dot" not in manager.get("/bell").text, "the undo window has not ended"
    for message in cast.messages():
        assert manager.post(f"/bell/{message.id}/open").status_code == 404


@pytest.mark.parametrize("url", ["/bell/0/open", "/bell/99999/open", "/bell/99999999999999/open", "/bell/x/open"])
def test_notices_there_are_not(manager: Signed, url: str) -> None:
    assert manager.post(url).status_code == 404


def test_a_text_is_shown_as_it_is(app: Flask, cast: Cast, manager: Signed) -> None:
    with transaction() as session:
        session.get_one(Template, cast.templates["short"]).text = "{{ order.customer }}"
    ring(app, cast, customer_name='<img src=x onerror=alert(1)> "&')
    for url in ("/bell/list", "/bell/all"):
        assert "&lt;img src=x" in manager.get(url).text and "<img" not in manager.get(url).text


def test_strangers_have_no_bell(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    assert client.get("/bell", headers={"HX-Request": "true"}).status_code == 401
    assert client.get("/bell/all").status_code == 302 and client.post("/bell/read").status_code in (400, 401)


def test_the_bell_costs_the_same_however_many_there_are(app: Flask, cast: Cast, manager: Signed) -> None:
    ring(app, cast)
    before, _text = cost(manager)
    with transaction() as session:
        first = session.get_one(Message, notices()[0].id)
        kept = {column.key: getattr(first, column.key) for column in table(Message).columns if column.key != "id"}
        session.add_all(Message(**kept | {"key": f"copy:{number}"}) for number in range(150))
    after, text = cost(manager)
    assert before == after and "99+" in text


def cost(manager: Signed) -> tuple[int, str]:
    """Statements of the bell, and its page."""
    statements: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", listen)
    text = manager.get("/bell").text
    event.remove(db.engine, "before_cursor_execute", listen)
    return len(statements), text
