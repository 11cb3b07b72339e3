"""List letters: at their time, once, one to each recipient about the open orders that match, on both databases."""

from datetime import date
from typing import Any

import pytest
from flask import current_app
from flask.testing import FlaskClient
from sqlalchemy import event as sa_event
from sqlalchemy import select

from kanban.config import Config
from kanban.db import db
from kanban.errors import Invalid
from kanban.json_reader import Malformed
from kanban.models import Order
from kanban.transactions import transaction
from rules.editing import verbs
from rules.models import Message, Rule, Run, Template, Unsubscribed
from rules.post.rendering import render_message
from rules.queries.versions import fields_of, find_rule
from rules.running import lists
from rules.trying.backtest import backtest
from tests.cast import Cast, Signed
from tests.rule_json import changed, recipient, rule_fields, send
from tests.rules.test_schedule import Clock, cast_at, hands

__all__ = ["cast_at", "hands"]
MONDAY = {"days": [1], "at": "09:00", "working": False, "late": "catch_up"}


def add(cast: Cast, to: list[dict[str, Any]], criteria: dict[str, Any] | None = None, **more: Any) -> int:
    channel, options = more.pop("channel", "email"), MONDAY | more.pop("options", {})
    actions = [send(channel, cast.templates["short"], to)]
    fields = rule_fields("К отгрузке", cast.boards["orders"], "weekdays", None, criteria, actions, options=options, **more)
    with transaction() as session:
        return verbs.add_rule(session, cast.owner, fields).id


def send_due() -> int:
    config: Config = current_app.config["POTOK"]
    return lists.send_due(config)


def messages() -> list[Message]:
    db.session.rollback()
    return list(db.session.scalars(select(Message).where(Message.rule_id.is_not(None)).order_by(Message.id)))


def test_each_recipient_gets_one_message_with_the_orders_they_are_chosen_for(cast_at: Cast, hands: Clock) -> None:
    add(cast_at, [recipient("responsible"), recipient("role", cast_at.roles["accountant"])])
    first = cast_at.place(responsible_id=cast_at.people["manager"], ship_on=date(2026, 12, 20))
    second = cast_at.place(responsible_id=cast_at.people["designer"], ship_on=date(2026, 12, 10))
    over = cast_at.place()
    cast_at.move(over, "closed")
    hands.to(30, 8)
    assert send_due() == 0
    hands.to(30, 9)
    assert send_due() == 1 and send_due() == 0
    found = {one.name: one for one in messages()}
    assert set(found) == {"Ольга Белова", "Марина Лисицына", "Тамара Гусева"}
    lines = found["Тамара Гусева"].text.splitlines()
    assert [line.split()[1].rstrip(":") for line in lines] == [second.number, first.number]  # by ship date; what is over isn't there
    assert found["Ольга Белова"].text.splitlines() == [lines[1]] and found["Ольга Белова"].subject == "К отгрузке: 1 заказ"
    assert found["Тамара Гусева"].subject == "К отгрузке: 2 заказа" and found["Тамара Гусева"].state == "waiting"
    db.session.rollback()
    run = db.session.scalars(select(Run)).one()
    assert run.event_id is None and run.outcome == "done"


def test_the_message_links_each_order_and_its_plain_twin_too(cast_at: Cast, hands: Clock) -> None:
    add(cast_at, [recipient("role", cast_at.roles["accountant"])])
    order = cast_at.place(customer_name="<b>Иванова</b>")
    hands.to(30, 9)
    send_due()
    made = render_message(messages()[0], "https://potok.example")
    assert f'href="https://potok.example/orders/{order.id}"' in made.html and f"https://potok.example/orders/{order.id}" in made.text
    assert order.number in made.text and "К отгрузке" in made.text


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"all": [{"field": "ship_on", "op": "within_next", "value": 7}]}, 1),
        ({"all": [{"field": "total", "op": "less", "value": 1}]}, 0),
        ({"all": [{"field": "linked.number", "op": "filled"}]}, 0),
    ],
)
def test_criteria_are_asked_of_the_orders_of_the_day(cast_at: Cast, hands: Clock, criteria: dict[str, Any], expected: int) -> None:
    add(cast_at, [recipient("role", cast_at.roles["accountant"])], criteria)
    cast_at.place(ship_on=date(2026, 12, 5))
    cast_at.place(ship_on=date(2026, 12, 25))
    hands.to(30, 9)
    assert send_due() == 1
    assert [len(one.text.splitlines()) for one in messages()] == [1] * expected
    assert db.session.scalars(select(Run.outcome)).one() == ("done" if expected else "nobody")


def test_several_missed_lists_are_one_and_one_that_may_not_be_late_is_none(cast_at: Cast, hands: Clock) -> None:
    every = {"days": [1, 2, 3, 4, 5, 6, 7]}
    add(cast_at, [recipient("role", cast_at.roles["accountant"])], options=every)
    add(cast_at, [recipient("role", cast_at.roles["designer"])], options=every | {"late": "skip"})
    cast_at.place()
    hands.to(28, 15)
    assert send_due() == 1 and [one.name for one in messages()] == ["Тамара Гусева"]
    hands.to(27, 15)  # the clock is turned back
    assert send_due() == 1 and len(messages()) == 2  # the list of that day had not been sent
    hands.to(29, 9)
    assert send_due() == 2


def test_not_on_days_off(cast_at: Cast, hands: Clock) -> None:
    add(cast_at, [recipient("role", cast_at.roles["accountant"])], options={"days": [1, 6], "working": True})
    cast_at.place()
    hands.to(28, 9)
    assert send_due() == 0
    hands.to(30, 9)
    assert send_due() == 1


def test_a_list_that_only_logs_sends_nothing_and_says_whom_it_would_have_told(cast_at: Cast, hands: Clock) -> None:
    add(cast_at, [recipient("role", cast_at.roles["accountant"])], log_only=True)
    cast_at.place()
    hands.to(30, 9)
    assert send_due() == 1 and messages() == []
    db.session.rollback()
    run = db.session.scalars(select(Run)).one()
    assert run.outcome == "logged" and {"why": "would_send", "name": "Тамара Гусева"} in run.notes


def test_a_template_that_fails_is_a_failed_run_and_the_next_day_is_not_lost(cast_at: Cast, hands: Clock) -> None:
    add(cast_at, [recipient("role", cast_at.roles["accountant"])], options={"days": [1, 2]})
    cast_at.place()
    with transaction() as session:
        template = session.get_one(Template, cast_at.templates["short"])
        whole, template.text = template.text, "{{ order.nothing }}"
    hands.to(30, 9)
    assert send_due() == 1 and messages() == []
    assert db.session.scalars(select(Run.outcome)).one() == "failed"
    db.session.rollback()
    with transaction() as session:
        session.get_one(Template, cast_at.templates["short"]).text = whole
    hands.to(1, 9, 12)
    assert send_due() == 1 and len(messages()) == 1


def test_phones_and_bells_get_a_short_text(cast_at: Cast, hands: Clock) -> None:
    add(cast_at, [recipient("role", cast_at.roles["accountant"])], channel="notice")
    for _number in range(25):
        cast_at.place()
    hands.to(30, 9)
    send_due()
    (notice,) = messages()
    assert notice.text.startswith("К отгрузке: 25 заказов") and notice.text.endswith("и ещё 5") and len(notice.text) <= 1000


def test_how_many_orders_there_are_does_not_change_how_many_statements(cast_at: Cast, hands: Clock) -> None:
    add(cast_at, [recipient("responsible"), recipient("role", cast_at.roles["accountant"])])
    counted = []
    for day in (30, 7):
        cast_at.place()
        cast_at.place()
        hands.to(day, 9, 11 if day == 30 else 12)
        seen: list[str] = []

        def listen(*arguments: Any, seen: list[str] = seen) -> None:
            seen.append(arguments[2])

        sa_event.listen(db.engine, "before_cursor_execute", listen)
        assert send_due() == 1
        sa_event.remove(db.engine, "before_cursor_execute", listen)
        counted.append(len(seen))
    assert counted[0] == counted[1]


def test_a_list_only_sends_and_only_on_a_day(cast_at: Cast) -> None:
    everybody = [recipient("role", cast_at.roles["accountant"])]
    with pytest.raises(Invalid):
        add(cast_at, everybody, options={"days": []})
    with pytest.raises(Malformed):
        add(cast_at, everybody, options={"at": "25:00"})
    with pytest.raises(Invalid), transaction() as session:
        fields = rule_fields("x", cast_at.boards["orders"], "weekdays", actions=[{"do": "tag", "tag": "x"}], options=MONDAY)
        verbs.add_rule(session, cast_at.owner, fields)
    rule = add(cast_at, everybody)
    with pytest.raises(Invalid):
        backtest(db.session(), rule, fields_of(find_rule(db.session(), rule)).content)


def test_the_log_of_runs_shows_a_list(client: FlaskClient, cast_at: Cast, hands: Clock) -> None:
    add(cast_at, [recipient("role", cast_at.roles["accountant"])])
    cast_at.place()
    hands.to(30, 9)
    send_due()
    owner = Signed(client, cast_at.email("owner"))
    page = owner.get("/settings/rules/runs")
    assert page.status_code == 200 and "Список" in page.text
    assert "Список" in owner.get("/settings/rules/runs.csv").text
    assert db.session.scalars(select(Order)).one() and db.session.scalars(select(Rule).where(Rule.active)).one()


def test_other_weekdays_do_not_send_the_list_of_a_day_before_they_were_chosen(cast_at: Cast, hands: Clock) -> None:
    rule = add(cast_at, [recipient("role", cast_at.roles["accountant"])])
    cast_at.place()
    hands.to(30, 10)
    assert send_due() == 1
    for day in (7, 6, 5):
        with transaction() as session:
            fields = changed(fields_of(find_rule(session, rule)), options=MONDAY | {"days": [day]})
            verbs.change_rule(session, cast_at.owner, rule, fields)
        assert send_due() == 0
    hands.to(4, 9, 12)
    assert send_due() == 1 and len(messages()) == 2


def test_a_rule_made_after_another_was_removed_is_another_rule(cast_at: Cast, hands: Clock) -> None:
    everybody = [recipient("role", cast_at.roles["accountant"])]
    first = add(cast_at, everybody)
    cast_at.place()
    hands.to(30, 9)
    assert send_due() == 1
    with transaction() as session:
        verbs.remove_rule(session, cast_at.owner, first)
    second = add(cast_at, everybody, options={"at": "13:00"})
    hands.to(30, 13)
    assert second != first and send_due() == 1 and len(messages()) == 1  # the first one's message is nobody's any more


def test_who_stopped_messages_finds_the_list_at_the_bell_and_two_actions_are_one_message(cast_at: Cast, hands: Clock) -> None:
    first = send("email", cast_at.templates["short"], [recipient("responsible"), recipient("role", cast_at.roles["accountant"])])
    second = send("email", cast_at.templates["short"], [recipient("author")])
    fields = rule_fields("Две", cast_at.boards["orders"], "weekdays", actions=[first, second], options=MONDAY)
    with transaction() as session:
        verbs.add_rule(session, cast_at.owner, fields)
        session.add(Unsubscribed(address=cast_at.email("accountant")))
    mine = cast_at.place(cast_at.manager, responsible_id=cast_at.people["designer"])
    cast_at.place(cast_at.manager, responsible_id=cast_at.people["manager"])
    hands.to(30, 9)
    assert send_due() == 1
    told = {(one.channel, one.name): len(one.layout["orders"]) for one in messages()}
    assert told == {("email", "Марина Лисицына"): 1, ("email", "Ольга Белова"): 2, ("notice", "Тамара Гусева"): 2}
    assert mine.number in next(one.text for one in messages() if one.name == "Ольга Белова")


def test_a_list_that_was_switched_off_meanwhile_is_not_sent(cast_at: Cast, hands: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = add(cast_at, [recipient("role", cast_at.roles["accountant"])])
    cast_at.place()
    hands.to(30, 9)
    made = lists.make_list

    def off_meanwhile(*arguments: Any) -> Any:
        found = made(*arguments)
        db.session.rollback()
        with transaction() as session:
            verbs.switch_rule(session, cast_at.owner, rule, False)
        return found

    monkeypatch.setattr(lists, "make_list", off_meanwhile)
    assert send_due() == 0 and messages() == []


def test_a_crooked_list_stops_no_other(cast_at: Cast, hands: Clock) -> None:
    crooked = add(cast_at, [recipient("role", cast_at.roles["accountant"])])
    add(cast_at, [recipient("role", cast_at.roles["designer"])])
    with transaction() as session:
        find_rule(session, crooked).version.options = {"at": "09:00"}
    cast_at.place()
    hands.to(30, 9)
    assert send_due() == 1 and [one.name for one in messages()] == ["Марина Лисицына"]


@pytest.mark.parametrize("to", [recipient("mover"), recipient("previous")])
def test_readers_that_a_list_can_not_have_are_refused(cast_at: Cast, to: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        add(cast_at, [to])
