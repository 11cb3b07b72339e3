"""Texts of messages are kept for a while; then only who, when and by which rule."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from kanban.clock import now
from kanban.config import Config
from kanban.db import db
from kanban.transactions import Turn, transaction
from rules.editing.verbs import add_rule
from rules.models import Message
from rules.post import outbox, retention
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.rule_json import recipient, rule_fields, send


def aged(cast: Cast, days: int, state: str = "sent", **by: Any) -> None:
    with transaction() as session:
        old = {"created_at": now() - timedelta(days=days), "state": state, "due_at": now() + timedelta(days=1)}
        session.execute(update(Message).filter_by(**by).values(old))


def forget(days: int) -> bool:
    with transaction(Turn.NONE) as session:
        return retention.forget_texts(session, now() - timedelta(days=days))


def test_old_texts_go_and_who_when_and_the_rule_stay(cast: Cast) -> None:
    cast.place()
    aged(cast, 31)
    before = {one.id: one for one in cast.messages()}
    cast.place()
    assert not forget(30)
    for one in cast.messages():
        was = before.get(one.id)
        assert one.text_kept is (was is None)
        if was is not None:
            assert (one.subject, one.text, one.layout) == ("", "", {"why": was.layout["why"]})
            assert (one.address, one.name, one.rule_id, one.created_at, one.message_id) == (
                was.address,
                was.name,
                was.rule_id,
                was.created_at,
                was.message_id,
            )


def test_what_still_waits_keeps_its_text(cast: Cast) -> None:
    cast.place()
    aged(cast, 31, "waiting")
    assert not forget(30) and all(one.text for one in cast.messages())


def test_a_few_at_a_time_and_the_worker_goes_on(cast: Cast, app: Flask, config: Config, monkeypatch: Any) -> None:
    for _ in range(3):
        cast.place()
    aged(cast, 31)
    assert len(cast.messages()) == 6
    monkeypatch.setattr(retention, "_OLDEST", retention._OLDEST.limit(4))
    monkeypatch.setattr(retention, "AT_ONCE", 4)
    app.config["POTOK"] = replace(config, messages_kept_days=30)
    worker = Worker(app)
    worker.step()
    assert sum(one.text_kept for one in cast.messages()) == 2
    worker.step()
    assert not any(one.text_kept for one in cast.messages())


def test_the_log_says_so_and_hidden_copies_stay_hidden(cast: Cast, client: FlaskClient) -> None:
    hidden = send(
        "email",
        cast.templates["author"],
        [recipient("person", cast.people["accountant"])],
        bcc=[recipient("person", cast.people["technologist"])],
    )
    with transaction() as session:
        fields = rule_fields("Проба", cast.boards["orders"], "entered", cast.statuses["ready"], None, [hidden])
        rule_id = add_rule(session, cast.owner, fields).id
    order = cast.place()
    cast.move(order, "ready", cast.manager)
    aged(cast, 31)
    forget(30)
    open_, _secret = cast.messages(rule_id=rule_id)
    owner = Signed(client, cast.email("owner"))
    page = owner.get(f"/settings/messages/{open_.id}").text
    assert "Текст этого сообщения больше не хранится." in page and "Отправить ещё раз" not in page
    assert owner.get(f"/settings/messages/{open_.id}/html").status_code == 404
    assert owner.post(f"/settings/messages/{open_.id}/send-again").status_code == 404
    with transaction() as session:
        assert outbox.send_again(session, open_.id, "potok") is None
    owner.post("/sign-out")
    viewer = Signed(client, cast.email("viewer"))
    part = viewer.get(f"/orders/{order.id}/messages", htmx=True).text
    assert "Тамара Гусева" in part and "текст больше не хранится" in part and "Виктор Новосельцев" not in part
    db.session.rollback()
