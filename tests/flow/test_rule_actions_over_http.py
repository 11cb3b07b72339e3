"""Moves, quick adds and undos over HTTP while a rule of each action is on: answered by what came of them, whatever ran inside."""

import contextlib
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as sa_event
from sqlalchemy import select

from kanban.db import db
from kanban.http import errors
from kanban.models import Event, Order
from kanban.transactions import Saved, transaction, what_was_saved
from rules.editing.verbs import add_rule
from rules.models import Message
from tests.cast import Cast, Signed
from tests.rule_json import recipient, rule_fields, send, send_email

SOON = {"unit": "minutes", "number": 5}


def _actions(cast: Cast) -> list[dict[str, Any]]:
    """One of each kind."""
    everyone = [recipient("role", cast.roles["accountant"]), recipient("responsible"), recipient("customer"), recipient("mover")]
    return [
        send_email(cast.templates["author"], everyone),
        send("notice", cast.templates["short"] if "short" in cast.templates else cast.templates["author"], everyone[:2]),
        {"do": "todo", "kind": "task", "text": "Позвонить {{ order.customer }}", "role": cast.roles["manager"]},
        {"do": "todo", "kind": "reminder", "text": "Замер", "person": cast.people["designer"], "due": {"days": 2}},
        {"do": "tag", "tag": "новый"},
        {"do": "untag", "tag": "старый"},
        {"do": "set_field", "field": "ship_on", "value": {"days": 30}},
        {"do": "assign", "role": None, "person": cast.people["manager"]},
        {"do": "assign", "role": cast.roles["designer"], "least": cast.roles["designer"]},
        {"do": "make_production"},
        {"do": "comment", "text": "Принято, @Ольга Белова"},
        {"do": "tag", "tag": "позже", "after": SOON},
    ]


def _rule(cast: Cast, trigger: str, status: str | None, actions: list[dict[str, Any]]) -> int:
    with transaction() as session:
        fields = rule_fields(
            "Всё", cast.boards["orders"], trigger, cast.statuses[status] if status else None, actions=actions, tell_actor=True
        )
        return add_rule(session, cast.owner, fields).id


@pytest.fixture
def staff(cast: Cast, client: FlaskClient) -> Signed:
    return Signed(client, cast.email("manager"))


def _move(staff: Signed, cast: Cast, order: Order, status: str) -> Any:
    id_ = order.id
    version = db.session.scalar(select(Order.version).where(Order.id == id_))
    db.session.rollback()
    data = {"status": cast.statuses[status], "before": "", "version": version, "key": f"move-{id_}-{status}"}
    return staff.post(f"/orders/{id_}/move", data, htmx=True, page=f"/boards/{cast.boards['orders']}")


def _kinds() -> list[str]:
    kinds = list(db.session.scalars(select(Event.kind).order_by(Event.id)))
    db.session.rollback()
    return kinds


@pytest.mark.parametrize("number", range(12))
def test_a_move_that_starts_one_action_is_answered_with_the_card(cast: Cast, staff: Signed, number: int) -> None:
    order = cast.place()
    _rule(cast, "entered", "ready", [_actions(cast)[number]])
    answer = _move(staff, cast, order, "ready")
    assert answer.status_code == 200, answer.text
    assert f'id="card-order-{order.id}"' in answer.text and "К-0001 → «Проект готов»" in answer.text
    assert _move(staff, cast, order, "ready").status_code == 200  # the same request again
    assert cast.column("ready") == ["К-0001"]


def test_all_actions_together_and_their_undo(cast: Cast, staff: Signed) -> None:
    order = cast.place()
    _rule(cast, "entered", "ready", _actions(cast))
    _rule(cast, "entered", "ready", [{"do": "set_status", "status": cast.statuses["prepaid"]}])
    answer = _move(staff, cast, order, "ready")
    assert answer.status_code == 200 and f'data-status="{cast.statuses["prepaid"]}"' in answer.text
    assert cast.column("prepaid") == ["К-0001"]
    moved = db.session.scalar(select(Event.id).where(Event.order_id == order.id, Event.kind == "order.moved").order_by(Event.id).limit(1))
    db.session.rollback()
    undone = staff.post(f"/orders/{order.id}/undo", {"event": moved}, htmx=True, page=f"/boards/{cast.boards['orders']}")
    assert undone.status_code in (200, 409), undone.text
    assert staff.get(f"/orders/{order.id}").status_code == 200


def test_a_quick_add_that_starts_every_action_is_answered_with_the_card(cast: Cast, staff: Signed) -> None:
    _rule(cast, "placed", None, _actions(cast))
    data = {"customer_name": "Иванова", "title": "Угловая", "total": "320 000", "key": "quick"}
    answer = staff.post(f"/boards/{cast.boards['orders']}/place", data, htmx=True, page=f"/boards/{cast.boards['orders']}")
    assert answer.status_code == 200 and "Иванова" in answer.text and "potok:placed" in answer.headers["HX-Trigger"]
    assert _kinds().count("order.placed") == 2  # and its production order
    plain = staff.post(f"/boards/{cast.boards['orders']}/place", data | {"key": "plain"})
    assert plain.status_code == 303


def test_what_fails_after_the_commit_does_not_say_that_nothing_was_changed(app: Flask, cast: Cast, staff: Signed) -> None:
    order = cast.place()
    committed: list[bool] = []

    def fail(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if committed and "JOIN status" in statement:
            raise RuntimeError("the disk is gone")

    def note(_connection: Any) -> None:
        committed.append(True)

    app.config["PROPAGATE_EXCEPTIONS"] = False
    sa_event.listen(db.engine, "commit", note)
    sa_event.listen(db.engine, "before_cursor_execute", fail)
    try:
        answer = _move(staff, cast, order, "ready")
    finally:
        sa_event.remove(db.engine, "commit", note)
        sa_event.remove(db.engine, "before_cursor_execute", fail)
    assert answer.status_code == 500 and "Изменение сохранено" in answer.text
    assert cast.column("ready") == ["К-0001"]
    assert db.session.scalar(select(Message.id).where(Message.state == "waiting").limit(1)) is not None


def _commit(fails: bool) -> None:
    with contextlib.suppress(RuntimeError), transaction():
        if fails:
            raise RuntimeError("the disk is gone")


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("failures", "saved", "words"),
    [
        ([], Saved.NOTHING, "Nothing was changed"),
        ([True], Saved.NOTHING, "Nothing was changed"),
        ([False], Saved.ALL, "Your change was saved"),
        ([True, False], Saved.ALL, "Your change was saved"),
        ([False, True], Saved.PART, "Only part of your change"),
        ([False, True, False], Saved.PART, "Only part of your change"),
    ],
)
def test_what_fails_says_how_much_was_saved_before(app: Flask, cast: Cast, failures: list[bool], saved: Saved, words: str) -> None:
    db.session.remove()
    with app.test_request_context("/"):
        for fails in failures:
            _commit(fails)
        assert what_was_saved() is saved
        answer = errors.unexpected(RuntimeError("the page"))
    assert answer[1] == 500 and words in answer[0]
