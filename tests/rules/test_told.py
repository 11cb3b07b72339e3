"""What the answer to a change says of the messages it caused: how many by which channel, and to whom."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from kanban.db import db
from kanban.events import Outcome, Told
from kanban.http.filters import counted
from kanban.models import Order, Person
from kanban.transactions import transaction
from rules.definition.channels import Channel
from rules.editing.verbs import add_rule
from rules.models import Message
from tests.cast import Cast, Signed
from tests.rule_json import recipient, rule_fields, send

COUNTS = ((Channel.EMAIL, 2), (Channel.SMS, 1), (Channel.CHAT, 1), (Channel.NOTICE, 2))


def rule(cast: Cast, *actions: dict[str, Any], status: str = "install") -> int:
    with transaction() as session:
        fields = rule_fields("Проба", cast.boards["orders"], "entered", cast.statuses[status], None, list(actions))
        return add_rule(session, cast.owner, fields).id


def by_every_channel(cast: Cast) -> None:
    """An e-mail with a hidden copy, an SMS, a messenger message and a notice, and a comment that mentions somebody."""
    with transaction() as session:
        session.execute(update(Person).values(phone="+79000000001", chat="100"))
    accountant, designer = (recipient("person", cast.people[who]) for who in ("accountant", "designer"))
    hidden = [recipient("person", cast.people["technologist"])]
    rule(
        cast,
        send("email", cast.templates["author"], [accountant], bcc=hidden),
        *(send(channel, cast.templates["short"], [designer]) for channel in ("sms", "chat", "notice")),
        {"do": "comment", "text": "@Павел Лебедев, посмотрите"},
    )


def test_each_channel_is_counted_and_hidden_copies_are_never_named(cast: Cast) -> None:
    by_every_channel(cast)
    moved = cast.move(cast.place(), "install", cast.manager)
    assert moved.outcome == Outcome(
        Told(
            COUNTS,
            ("Павел Лебедев", "Тамара Гусева", "Марина Лисицына"),
        ),
        15,
    )


def test_sums_keep_the_order_of_the_channels(app: Flask) -> None:
    told = Told(((Channel.SMS, 1), (Channel.NOTICE, 2)), ("Б", "А")) + Told(((Channel.EMAIL, 2), (Channel.SMS, 1)), ("А",))
    assert told == Told(((Channel.EMAIL, 2), (Channel.SMS, 2), (Channel.NOTICE, 2)), ("Б", "А")) and told.count == 6
    with app.test_request_context():
        assert counted(told) == "2 e-mails, 2 SMS, 2 notices"


def test_a_repeated_request_gets_the_same_answer_with_what_rules_caused(cast: Cast) -> None:
    by_every_channel(cast)
    rule(cast, {"do": "set_status", "status": cast.statuses["install"]}, status="ready")
    order = cast.place()
    version = db.session.get_one(Order, order.id).version
    first = cast.move(order, "ready", cast.designer, version=version, key="once")
    again = cast.move(order, "ready", cast.designer, version=version, key="once")
    assert first.outcome.told == again.outcome.told and "Павел Лебедев" in first.outcome.told.names
    with transaction() as session:
        session.execute(update(Message).where(Message.state == "waiting").values(state="sent"))
    gone = cast.move(order, "ready", cast.designer, version=version, key="once")
    assert gone.outcome == Outcome(first.outcome.told, 0), "what has left is still said, as gone"


def test_the_toast_names_three_and_counts_the_rest(cast: Cast, client: FlaskClient) -> None:
    to = [recipient("person", cast.people[who]) for who in ("owner", "designer", "accountant", "technologist", "viewer")]
    rule(cast, send("email", cast.templates["author"], to), send("notice", cast.templates["short"], to[:1]))
    order = cast.place()
    manager = Signed(client, cast.email("manager"))
    values = {"status": cast.statuses["install"], "before": "", "version": order.version, "key": "k"}
    toast = manager.post(f"/orders/{order.id}/move", values, htmx=True).text
    assert "5 писем, 1 уведомление через 15 с · кому: Сергей Мельников, Марина Лисицына, Тамара Гусева + 2" in toast
    with transaction() as session:
        session.execute(update(Message).where(Message.channel == "notice").values(state="sent"))
    event_id = cast.messages(channel="notice")[0].event_id
    undone = manager.post(f"/orders/{order.id}/undo", {"event": event_id}, htmx=True).text
    assert "уже ушло: 1 уведомление · кому: Сергей Мельников; о возврате: 1 письмо" in undone
