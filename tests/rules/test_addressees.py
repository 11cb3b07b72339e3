"""Whom a message goes to is looked at again when its turn comes: who left, who has a new address, who wants none any more."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as sa_event
from sqlalchemy import func, insert, select, update

from kanban import orders
from kanban.clock import now
from kanban.db import db
from kanban.models import LiveChange, Person, person_role
from kanban.transactions import Turn, transaction
from rules.definition.channels import Channel
from rules.editing.verbs import add_rule
from rules.models import Delivery, Message
from rules.post import outbox
from rules.post.outbox import Lane
from rules.post.rendering import render_message
from rules.post.unsubscribe import switch_messages
from rules.worker import Worker
from tests.cast import Cast, Signed, order_fields
from tests.rule_json import recipient, rule_fields, send


def rule(cast: Cast, *actions: dict[str, Any]) -> int:
    with transaction() as session:
        fields = rule_fields("Проба", cast.boards["orders"], "entered", cast.statuses["ready"], None, list(actions))
        return add_rule(session, cast.owner, fields).id


def message(cast: Cast, *to: dict[str, Any], **more: Any) -> dict[str, Any]:
    return send("email", cast.templates["author"], list(to), **more)


def person(cast: Cast, who: str) -> dict[str, Any]:
    return recipient("person", cast.people[who])


def change(cast: Cast, who: str, **values: Any) -> None:
    with transaction() as session:
        session.execute(update(Person).where(Person.id == cast.people[who]).values(**values))


def due() -> None:
    with transaction() as session:
        session.execute(update(Message).where(Message.state == "waiting").values(due_at=now()))


def claim(channel: Channel = Channel.EMAIL, most: int = outbox.BATCH) -> list[Message]:
    due()
    with transaction(Turn.NONE) as session:
        taken = outbox.claim(session, "w", 120, now(), most, Lane(channel))
    db.session.expunge_all()
    return taken


def waiting(cast: Cast, rule_id: int) -> dict[str, Any]:
    return {one.name: (one.state, one.dropped, one.address, one.queued_for) for one in cast.messages(rule_id=rule_id)}


def test_who_left_gets_nothing_that_waits(cast: Cast) -> None:
    rule_id = rule(cast, message(cast, person(cast, "accountant"), person(cast, "technologist")))
    cast.move(cast.place(), "ready", cast.manager)
    change(cast, "accountant", active=False)
    assert {one.address for one in claim() if one.rule_id == rule_id} == {cast.email("technologist")}
    assert waiting(cast, rule_id)["Тамара Гусева"] == ("cancelled", "inactive", cast.email("accountant"), "")
    assert db.session.scalar(select(Delivery.id).join(Message).where(Message.name == "Тамара Гусева")) is None


def test_a_new_address_gets_it_and_both_are_recorded_under_the_same_key(cast: Cast) -> None:
    rule_id = rule(cast, message(cast, person(cast, "accountant")))
    cast.move(cast.place(), "ready", cast.manager)
    (before,) = cast.messages(rule_id=rule_id)
    change(cast, "accountant", email="guseva@melnikov.example")
    (taken,) = [one for one in claim() if one.rule_id == rule_id]
    assert (taken.address, taken.queued_for) == ("guseva@melnikov.example", cast.email("accountant"))
    assert (taken.key, taken.message_id) == (before.key, before.message_id)
    assert render_message(taken, "http://potok").address == "guseva@melnikov.example"
    assert db.session.scalar(select(Delivery.address).where(Delivery.message_id == taken.id)) == "guseva@melnikov.example"


def test_every_channel_looks_again(cast: Cast) -> None:
    change(cast, "accountant", phone="+79000000001", chat="100")
    change(cast, "technologist", phone="+79000000002", chat="200")
    change(cast, "designer", phone="+79000000003", chat="300")
    to = [person(cast, who) for who in ("accountant", "technologist", "designer")]
    rule(cast, *(send(channel, cast.templates["short"], to) for channel in ("sms", "chat", "notice")))
    cast.move(cast.place(), "ready", cast.manager)
    change(cast, "accountant", active=False)
    change(cast, "technologist", phone="+7 900 000-00-99", chat="999", email="new@melnikov.example")
    change(cast, "designer", phone="", chat="")
    assert {one.address for one in claim(Channel.SMS)} == {"+79000000099"}
    assert {one.address for one in claim(Channel.CHAT)} == {"999"}
    assert {one.address for one in claim(Channel.NOTICE)} == {"new@melnikov.example", cast.email("designer")}
    dropped = {(one.channel, one.name, one.dropped) for one in cast.messages(state="cancelled")}
    assert dropped == {
        ("sms", "Тамара Гусева", "inactive"),
        ("chat", "Тамара Гусева", "inactive"),
        ("notice", "Тамара Гусева", "inactive"),
        ("sms", "Марина Лисицына", "no_phone"),
        ("chat", "Марина Лисицына", "no_chat"),
    }


CORRECTED = {
    "address": ({"customer_email": "hasanova@mail.example"}, ("sending", "", "hasanova@mail.example")),
    "name": ({"customer_name": "Хасанова Г. Р."}, ("sending", "", "guzel@mail.example")),
    "spelling and address": (
        {"customer_name": "ХАСАНОВА ГУЗЕЛЬ", "customer_email": "hasanova@mail.example"},
        ("sending", "", "hasanova@mail.example"),
    ),
    "another customer": (
        {"customer_name": "Белов Олег", "customer_email": "belov@mail.example"},
        ("cancelled", "other_customer", "guzel@mail.example"),
    ),
}


@pytest.mark.parametrize(("values", "left"), CORRECTED.values(), ids=CORRECTED.keys())
def test_a_customers_message_follows_corrections_but_goes_to_no_other_customer(
    cast: Cast, values: dict[str, str], left: tuple[str, str, str]
) -> None:
    rule_id = rule(cast, message(cast, recipient("customer")))
    order = cast.place()
    cast.move(order, "ready", cast.manager)
    with transaction() as session:
        found = orders.find_order(session, order.id)
        orders.change(session, cast.owner, order.id, order_fields(orders.fields_of(found), **values), version=found.version)
    claimed = [one.address for one in claim() if one.rule_id == rule_id]
    (one,) = cast.messages(rule_id=rule_id)
    assert (one.state, one.dropped, one.address) == left
    assert claimed == ([] if one.dropped else [one.address])
    assert one.queued_for == ("" if one.address == "guzel@mail.example" else "guzel@mail.example")


def test_another_customer_step_by_step_gets_no_message_of_the_former(cast: Cast) -> None:
    rule_id = rule(cast, message(cast, recipient("customer")))
    order = cast.place()
    cast.move(order, "ready", cast.manager)
    for values in ({"customer_email": "belov@mail.example"}, {"customer_name": "Белов Олег"}):
        with transaction() as session:
            found = orders.find_order(session, order.id)
            orders.change(session, cast.owner, order.id, order_fields(orders.fields_of(found), **values), version=found.version)
        claim()
        with transaction() as session:  # that attempt failed
            session.execute(update(Message).where(Message.state == "sending").values(state="waiting", claimed_by=None))
    (one,) = cast.messages(rule_id=rule_id)
    assert (one.state, one.dropped) == ("cancelled", "other_customer")


def test_a_second_message_to_the_same_address_is_cancelled(cast: Cast) -> None:
    """The accountant's address becomes that of the workshop, which the rule names too."""
    shop = recipient("address", address="shop@melnikov.example")
    rule_id = rule(cast, message(cast, person(cast, "accountant"), shop))
    cast.move(cast.place(), "ready", cast.manager)
    change(cast, "accountant", email="Shop@melnikov.example")
    assert [one.name for one in claim() if one.rule_id == rule_id] == [""]
    assert waiting(cast, rule_id)["Тамара Гусева"][:2] == ("cancelled", "same_address")


def test_one_that_went_there_already_counts_and_another_copy_does_not(cast: Cast) -> None:
    shop = recipient("address", address="shop@melnikov.example")
    rule_id = rule(cast, message(cast, shop, person(cast, "accountant")))
    cast.move(cast.place(), "ready", cast.manager)
    with transaction() as session:
        session.execute(update(Message).where(Message.address == "shop@melnikov.example").values(state="sent"))
        again = outbox.send_again(session, id_of(session, rule_id, "shop@melnikov.example"), "potok")
        assert again is not None
    change(cast, "accountant", email="shop@melnikov.example")
    assert [one.kind for one in claim() if one.rule_id == rule_id] == ["copy"], "somebody asked for that one"
    assert waiting(cast, rule_id)["Тамара Гусева"][:2] == ("cancelled", "same_address")


def id_of(session: Any, rule_id: int, address: str) -> int:
    found = session.scalar(select(Message.id).where(Message.rule_id == rule_id, Message.address == address))
    assert isinstance(found, int)
    return found


def test_two_who_swap_their_addresses_both_get_it(cast: Cast) -> None:
    rule_id = rule(cast, message(cast, person(cast, "accountant"), person(cast, "technologist")))
    cast.move(cast.place(), "ready", cast.manager)
    change(cast, "accountant", email="for-a-moment@melnikov.example")
    change(cast, "technologist", email=cast.email("accountant"))
    change(cast, "accountant", email=cast.email("technologist"))
    assert len([one for one in claim(most=1) if one.rule_id == rule_id] + [one for one in claim() if one.rule_id == rule_id]) == 2
    assert {name: found[0] for name, found in waiting(cast, rule_id).items()} == {
        "Тамара Гусева": "sending",
        "Виктор Новосельцев": "sending",
    }


def test_two_who_share_a_new_phone_get_one_sms(cast: Cast) -> None:
    change(cast, "accountant", phone="+79000000001")
    change(cast, "technologist", phone="+79000000002")
    rule(cast, send("sms", cast.templates["short"], [person(cast, "accountant"), person(cast, "technologist")]))
    cast.move(cast.place(), "ready", cast.manager)
    for who in ("accountant", "technologist"):
        change(cast, who, phone="+79000000009")
    assert [one.name for one in claim(Channel.SMS)] == ["Тамара Гусева"]
    assert [one.dropped for one in cast.messages(state="cancelled")] == ["same_address"]


def test_copies_say_where_it_really_goes(cast: Cast) -> None:
    rule_id = rule(
        cast,
        message(cast, person(cast, "accountant"), person(cast, "technologist"), cc=[person(cast, "designer")], bcc=[person(cast, "owner")]),
    )
    cast.move(cast.place(), "ready", cast.manager)
    change(cast, "accountant", email="guseva@melnikov.example")
    change(cast, "technologist", active=False)
    made = {one.name: render_message(one, "http://potok") for one in claim() if one.rule_id == rule_id}
    assert made["Марина Лисицына"].to == (("Тамара Гусева", "guseva@melnikov.example"),)
    assert made["Тамара Гусева"].to == (("Тамара Гусева", "guseva@melnikov.example"),)
    assert made["Тамара Гусева"].cc == (("Марина Лисицына", cast.email("designer")),)
    assert "Виктор Новосельцев" not in made and made["Сергей Мельников"].address == cast.email("owner")


def test_answers_go_to_the_new_address_of_the_responsible(cast: Cast) -> None:
    rule_id = rule(cast, message(cast, person(cast, "accountant"), reply_to="responsible"))
    cast.move(cast.place(responsible_id=cast.people["designer"]), "ready", cast.manager)
    change(cast, "designer", email="marina@melnikov.example")
    assert [one.reply_to for one in claim(most=outbox.BATCH) if one.rule_id == rule_id] == ["marina@melnikov.example"]


@pytest.mark.parametrize("kind", ["person", "customer"])
def test_who_asked_for_no_more_meanwhile_gets_none(cast: Cast, kind: str) -> None:
    rule_id = rule(cast, message(cast, person(cast, "accountant") if kind == "person" else recipient("customer")))
    cast.move(cast.place(), "ready", cast.manager)
    with transaction() as session:
        switch_messages(session, cast.email("accountant") if kind == "person" else "guzel@mail.example", on=False)
    assert [one for one in claim() if one.rule_id == rule_id] == []
    left = [(one.channel, one.state, one.dropped) for one in cast.messages(rule_id=rule_id)]
    if kind == "customer":
        assert left == [("email", "cancelled", "unsubscribed")]
    else:  # an employee finds the news at the bell
        assert left == [("notice", "waiting", "")]
        assert [one.rule_id for one in claim(Channel.NOTICE)] == [rule_id]


def test_at_a_new_address_what_was_refused_there_goes_first(cast: Cast) -> None:
    rule_id = rule(cast, message(cast, person(cast, "accountant")))
    for _ in range(2):
        cast.move(cast.place(), "ready", cast.manager)
    first, second = cast.messages(rule_id=rule_id)
    change(cast, "accountant", email="guseva@melnikov.example")
    with transaction() as session:  # the first was tried at the new address, and is to be tried again later
        session.execute(update(Message).where(Message.id == first.id).values(address="guseva@melnikov.example", attempts=1))
    due()
    with transaction() as session:
        session.execute(update(Message).where(Message.id == first.id).values(due_at=now() + timedelta(minutes=5)))
    with transaction(Turn.NONE) as session:
        taken = [one.id for one in outbox.claim(session, "w", 120, now())]
    assert second.id not in taken and first.id not in taken
    assert [one.address for one in cast.messages(rule_id=rule_id)] == ["guseva@melnikov.example"] * 2


def test_a_claim_takes_as_many_statements_however_many_have_changed(cast: Cast, app: Flask) -> None:
    rule(cast, message(cast, recipient("role", cast.roles["manager"])))
    with transaction() as session:
        people = [Person(name=f"П{n}", email=f"p{n}@melnikov.example", fs_uniquifier=f"u{n}") for n in range(9)]
        session.add_all(people)
        session.flush()
        session.execute(insert(person_role), [{"person_id": one.id, "role_id": cast.roles["manager"]} for one in people])
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    counts = []
    for changed in (2, 8):
        cast.move(cast.place(), "ready", cast.owner)
        with transaction() as session:
            for one in session.scalars(select(Person).where(Person.name.like("П%")).order_by(Person.id).limit(changed)):
                one.email = f"changed{changed}-{one.id}@melnikov.example"
        due()
        sa_event.listen(db.engine, "before_cursor_execute", note)
        with transaction(Turn.NONE) as session:
            assert len(outbox.claim(session, "w", 120, now())) > 9
            sa_event.remove(db.engine, "before_cursor_execute", note)
            session.execute(update(Message).where(Message.state == "sending").values(state="sent"))
        counts.append(len(seen))
        seen.clear()
    assert counts[0] == counts[1] <= 16


def test_the_log_says_why_one_was_dropped_and_where_one_went(cast: Cast, client: FlaskClient) -> None:
    rule_id = rule(cast, message(cast, person(cast, "accountant"), person(cast, "technologist")))
    order = cast.place()
    cast.move(order, "ready", cast.manager)
    change(cast, "accountant", active=False)
    change(cast, "technologist", email="new@melnikov.example")
    claim()
    owner = Signed(client, cast.email("owner"))
    accountant, technologist = cast.messages(rule_id=rule_id)
    page = owner.get(f"/settings/messages/{accountant.id}").text
    assert "отменено: больше не работает в программе" in page
    page = owner.get(f"/settings/messages/{technologist.id}").text
    assert f'new@melnikov.example <span class="muted">при постановке в очередь: {cast.email("technologist")}</span>' in page
    assert "больше не работает в программе" in owner.get(f"/orders/{order.id}/messages", htmx=True).text
    assert "больше не работает в программе" in owner.get("/settings/messages.csv").text


def test_a_lane_of_people_who_left_ends_and_pages_hear_of_it(cast: Cast, app: Flask) -> None:
    cast.move(cast.place(), "ready", cast.owner)
    change(cast, "manager", active=False)
    change(cast, "designer", active=False)
    due()
    last = db.session.scalar(select(func.max(LiveChange.id))) or 0
    worker = Worker(app)
    worker.step()
    assert {one.dropped for one in cast.messages()} == {"inactive"}
    topics = {topic for topics in db.session.scalars(select(LiveChange.topics).where(LiveChange.id > last)) for topic in topics}
    assert "messages" in topics and any(topic.startswith("messages-") for topic in topics)
