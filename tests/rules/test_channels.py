"""SMS, messengers and notices from an event to what arrives, through the same outbox as letters."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from kanban import clock
from kanban.config import Config
from kanban.db import db
from kanban.errors import Invalid
from kanban.models import Event, LiveChange, Person
from kanban.people import choose_contacts
from kanban.transactions import transaction
from rules.definition.cells import are_cells
from rules.editing.verbs import add_rule
from rules.models import Delivery, Gateway, Message, Rule, Run, Template
from rules.post import outbox
from rules.transports.gateways import sealed
from rules.words.reasons import skipped_of
from rules.worker import Worker
from tests.cast import Cast
from tests.fakegateways import FakeHttp
from tests.rule_json import read_actions, recipient, rule_fields, send, send_email

RESPONSIBLE, CUSTOMER = recipient("responsible"), recipient("customer")


@pytest.fixture
def http() -> Iterator[FakeHttp]:
    with FakeHttp() as fake:
        yield fake


@pytest.fixture
def worker(app: Flask, config: Config) -> Worker:
    app.config["POTOK"] = replace(config, undo_window_s=0)
    return Worker(app)


def add(cast: Cast, channel: str, to: list[dict[str, Any]], template: str = "short") -> Rule:
    with transaction() as session:
        fields = rule_fields("Коротко", cast.boards["orders"], "placed", None, None, [send(channel, cast.templates[template], to)], True)
        return add_rule(session, cast.owner, fields)


def set_up(app: Flask, channel: str, http: FakeHttp, **limits: int) -> None:
    with transaction() as session:
        fields = sealed({"url": http.url + "/hook"}, app.config["POTOK"])
        session.merge(Gateway(channel=channel, service="webhook", sealed_fields=fields, **limits))


def reach(cast: Cast, who: str, phone: str = "", chat: str = "") -> None:
    with transaction() as session:
        choose_contacts(session, cast.people[who], phone, chat)


def drain(worker: Worker, rounds: int = 10) -> None:
    with transaction() as session:
        session.execute(update(Message).where(Message.state == "waiting").values(due_at=clock.now()))
    for _round in range(rounds):
        if not worker.step():
            return


def wake() -> None:
    with transaction() as session:
        session.execute(update(Gateway).values(paused_until=None))


def gateway(channel: str = "sms") -> Gateway:
    found = db.session.get_one(Gateway, channel, populate_existing=True)
    db.session.rollback()
    return found


def test_an_sms_goes_to_the_customer_by_the_same_outbox(app: Flask, cast: Cast, worker: Worker, http: FakeHttp) -> None:
    set_up(app, "sms", http)
    add(cast, "sms", [CUSTOMER])
    cast.place(customer_phone="8 (900) 123-45-67")
    drain(worker)
    assert [(one["to"], one["name"], one["message"]) for one in http.posted] == [
        ("+79001234567", "Хасанова Гузель", "Заказ К-0001: Разработка проекта.")
    ]
    message = cast.messages(channel="sms")[0]
    assert (message.state, message.address, message.subject) == ("sent", "+79001234567", "Заказ К-0001: Разработка проекта.")
    assert http.posted[0]["id"] == message.message_id
    delivery = db.session.scalars(select(Delivery).where(Delivery.message_id == message.id)).one()
    assert (delivery.outcome, delivery.sender, delivery.account_id) == ("sent", "Webhook", None)
    assert gateway().last_sent_at and not gateway().last_error


def test_a_number_in_a_rule_is_dialled_like_any_other(cast: Cast) -> None:
    add(cast, "sms", [recipient("address", address="8 (900) 765-43-21"), recipient("address", address="+7 900 765 43 21"), CUSTOMER])
    cast.place(customer_phone="89007654322")
    assert [message.address for message in cast.messages(channel="sms")] == ["+79007654321", "+79007654322"]


def test_a_message_to_the_messenger(app: Flask, cast: Cast, worker: Worker, http: FakeHttp) -> None:
    set_up(app, "chat", http)
    reach(cast, "manager", chat="-1001234")
    add(cast, "chat", [recipient("role", cast.roles["manager"]), recipient("address", address="77")])
    cast.place()
    drain(worker)
    assert sorted(one["to"] for one in http.posted) == ["-1001234", "77"]


def test_one_event_may_tell_the_same_person_by_every_channel(app: Flask, cast: Cast, worker: Worker, http: FakeHttp) -> None:
    set_up(app, "sms", http)
    set_up(app, "chat", http)
    reach(cast, "designer", "+7 900 111-22-33", "5")
    role = [recipient("role", cast.roles["designer"])]
    for channel in ("sms", "chat", "notice"):
        add(cast, channel, role)
    cast.place()
    drain(worker)
    told = {one.channel: one.state for one in cast.messages(person_id=cast.people["designer"])}
    assert told == {"email": "tray", "sms": "sent", "chat": "sent", "notice": "sent"}


def test_without_a_gateway_messages_lie_in_the_tray_and_notices_arrive(cast: Cast, worker: Worker) -> None:
    add(cast, "sms", [CUSTOMER])
    add(cast, "notice", [recipient("role", cast.roles["manager"])])
    cast.place()
    drain(worker)
    assert {one.channel: one.state for one in cast.messages()} == {"email": "tray", "sms": "tray", "notice": "sent"}


def test_a_notice_rings_the_persons_bell(cast: Cast, worker: Worker) -> None:
    add(cast, "notice", [recipient("role", cast.roles["manager"])])
    cast.place()
    drain(worker)
    topics = [topic for topics in db.session.scalars(select(LiveChange.topics)) for topic in topics]
    assert f"bell-{cast.people['manager']}" in topics


def test_who_has_no_phone_and_no_messenger_is_named(cast: Cast) -> None:
    reach(cast, "manager", "", "")
    add(cast, "sms", [recipient("role", cast.roles["manager"]), CUSTOMER])
    add(cast, "chat", [recipient("role", cast.roles["manager"])])
    order = cast.place(customer_phone="спросить у жены")
    event = db.session.scalar(select(Event.id).where(Event.order_id == order.id))
    notes = [note for run in db.session.scalars(select(Run).where(Run.event_id == event).order_by(Run.id)) for note in run.notes]
    manager, customer = "Ольга Белова", "Хасанова Гузель"
    for note in ({"why": "no_phone", "name": manager}, {"why": "no_phone", "name": customer}, {"why": "no_chat", "name": manager}):
        assert note in notes
    assert {skipped.name for skipped in skipped_of(db.session(), order.id, hidden=True) if skipped.rule == "Коротко"} == {
        manager,
        customer,
    }
    assert not cast.messages(channel="sms") and not cast.messages(channel="chat")


@pytest.mark.parametrize(
    ("channel", "to"), [("chat", CUSTOMER), ("notice", CUSTOMER), ("notice", recipient("address", address="a@b.example"))]
)
def test_who_has_no_bell_and_no_messenger_is_refused_at_save(cast: Cast, channel: str, to: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        add(cast, channel, [to])


@pytest.mark.parametrize(("channel", "template"), [("sms", "manager"), ("notice", "designer"), ("email", "short")])
def test_a_template_of_the_other_kind_is_refused(cast: Cast, channel: str, template: str) -> None:
    with pytest.raises(Invalid):
        add(cast, channel, [RESPONSIBLE], template)


def test_a_rule_with_an_sms_is_no_row_of_the_matrix(cast: Cast) -> None:
    assert are_cells(read_actions(send_email(1, [CUSTOMER]))) and not are_cells(read_actions(send("sms", 1, [CUSTOMER])))


def test_a_refusal_pauses_the_gateway_and_loses_nothing(app: Flask, cast: Cast, worker: Worker, http: FakeHttp) -> None:
    set_up(app, "sms", http)
    add(cast, "sms", [CUSTOMER])
    http.answers = [(503, "busy")]
    cast.place()
    cast.place(customer_phone="+7 900 000-00-02")
    drain(worker)
    assert len(http.requests) == 1, "the second waits: the gateway is at fault"
    assert {one.state for one in cast.messages(channel="sms")} == {"waiting"}
    bad = gateway()
    assert bad.failures == 1 and bad.last_error.endswith("busy") and bad.paused_until and bad.paused_until > clock.now()
    assert worker.step() is False, "nothing is tried while it is paused"
    wake()
    drain(worker)
    assert {one.state for one in cast.messages(channel="sms")} == {"sent"} and gateway().failures == 0
    assert [one["to"] for one in http.posted] == ["+79001234567", "+79001234567", "+79000000002"], "in order"


def test_a_bad_number_fails_alone(app: Flask, cast: Cast, worker: Worker, http: FakeHttp) -> None:
    set_up(app, "sms", http)
    add(cast, "sms", [CUSTOMER])
    http.answers = [(422, "no such number")]
    cast.place()
    cast.place(customer_phone="+7 900 000-00-02")
    drain(worker)
    assert [(one.state, one.attempts) for one in cast.messages(channel="sms")] == [("failed", 1), ("sent", 1)]
    assert gateway().failures == 0 and gateway().paused_until is None


def test_what_may_have_arrived_is_repeated_once_with_the_same_id(app: Flask, cast: Cast, worker: Worker, http: FakeHttp) -> None:
    set_up(app, "sms", http)
    add(cast, "sms", [CUSTOMER])
    http.drops = True
    cast.place()
    for _time in range(3):
        drain(worker)
        wake()
    assert [one.state for one in cast.messages(channel="sms")] == ["failed"]
    assert len(http.requests) == 2 and len({one["id"] for one in http.posted}) == 1


def test_limits_of_a_gateway_hold(app: Flask, cast: Cast, worker: Worker, http: FakeHttp) -> None:
    set_up(app, "sms", http, per_hour=2, per_day=3)
    set_up(app, "chat", http)
    reach(cast, "manager", chat="5")
    add(cast, "sms", [CUSTOMER])
    add(cast, "chat", [recipient("role", cast.roles["manager"])])
    for number in range(5):
        cast.place(customer_phone=f"+7 900 000-00-0{number}")
    drain(worker)
    assert db.session.scalar(select(func.count()).where(Message.channel == "chat", Message.state == "sent")) == 5
    assert [one.state for one in cast.messages(channel="sms")] == ["sent"] * 2 + ["waiting"] * 3
    age(timedelta(hours=2))
    drain(worker)
    assert [one.state for one in cast.messages(channel="sms")] == ["sent"] * 3 + ["waiting"] * 2, "the limit of the day"
    age(timedelta(days=1))
    drain(worker)
    assert [one.state for one in cast.messages(channel="sms")] == ["sent"] * 5


def age(by: timedelta) -> None:
    """Deliveries happened that much earlier."""
    with transaction() as session:
        for delivery in session.scalars(select(Delivery)):
            delivery.started_at -= by
            delivery.ended_at = delivery.ended_at - by if delivery.ended_at else None


def test_an_undo_takes_an_sms_back(app: Flask, cast: Cast, worker: Worker, http: FakeHttp) -> None:
    set_up(app, "sms", http)
    with transaction() as session:
        add_rule(
            session,
            cast.owner,
            rule_fields(
                "SMS", cast.boards["orders"], "entered", cast.statuses["prepaid"], None, [send("sms", cast.templates["short"], [CUSTOMER])]
            ),
        )
    order = cast.place()
    moved = cast.move(order, "prepaid")
    assert moved.event
    cast.undo(order, moved.event.id)
    drain(worker)
    assert [one.state for one in cast.messages(channel="sms")] == ["cancelled"] and not http.requests


def test_an_sms_is_sent_again_by_its_own_channel(app: Flask, cast: Cast, worker: Worker, http: FakeHttp) -> None:
    set_up(app, "sms", http)
    add(cast, "sms", [CUSTOMER])
    cast.place()
    drain(worker)
    with transaction() as session:
        outbox.send_again(session, cast.messages(channel="sms")[0].id, "host")
    drain(worker)
    assert [one["to"] for one in http.posted] == ["+79001234567"] * 2 and len({one["id"] for one in http.posted}) == 2


@pytest.mark.parametrize("text", ["{{ order.description }}", "{% if order.total == 'x' %}a{% endif %}"])
def test_an_empty_text_is_not_sent_and_said(cast: Cast, text: str) -> None:
    with transaction() as session:
        session.get_one(Template, cast.templates["short"]).text = text
    rule = add(cast, "sms", [CUSTOMER])
    cast.place(description="")
    run = db.session.scalars(select(Run).where(Run.rule_id == rule.id)).one()
    assert run.outcome == "failed" and run.notes == [{"why": "template_failed", "name": "the text is empty for this order"}]
    assert not cast.messages(channel="sms")


def test_a_long_text_is_cut(cast: Cast) -> None:
    with transaction() as session:
        session.get_one(Template, cast.templates["short"]).text = "{{ order.number }}\n{{ order.description }}"
    add(cast, "sms", [CUSTOMER])
    cast.place(description="длинно " * 600)
    message = cast.messages(channel="sms")[0]
    assert len(message.text) == 1000 and message.text.endswith("…") and message.subject == "К-0001"


def test_hostile_fields_stay_text(app: Flask, cast: Cast, worker: Worker, http: FakeHttp) -> None:
    set_up(app, "sms", http)
    with transaction() as session:
        session.get_one(Template, cast.templates["short"]).text = "{{ order.customer }}"
    add(cast, "sms", [CUSTOMER])
    name = '{{ 7*7 }} </script> ","to":"+7666" %0d%0a'
    cast.place(customer_name=name)
    drain(worker)
    assert http.posted[0]["message"] == name and http.posted[0]["to"] == "+79001234567"


@pytest.mark.parametrize(
    ("phone", "chat", "field"), [("позвонить", "", "phone"), ("12", "", "phone"), ("", "a b", "chat"), ("", "x" * 81, "chat")]
)
def test_bad_contacts_are_refused(cast: Cast, phone: str, chat: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        reach(cast, "viewer", phone, chat)
    assert refused.value.field == field


def test_a_phone_that_stood_there_before_may_stay(cast: Cast) -> None:
    with transaction() as session:
        session.get_one(Person, cast.people["viewer"]).phone = "200-10-20 доб. 5"
    reach(cast, "viewer", "200-10-20 доб. 5", "7")
    assert db.session.get_one(Person, cast.people["viewer"]).chat == "7"
