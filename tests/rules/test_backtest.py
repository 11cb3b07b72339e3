"""What a rule would have done in the last days, judged on stored facts, beside what the saved one did."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from kanban import clock, orders
from kanban.db import db, table
from kanban.models import Event, Order, Person
from kanban.transactions import transaction
from rules.definition.content import RuleFields
from rules.editing import verbs
from rules.models import Rule
from rules.trying.backtest import Backtest, backtest
from rules.trying.past_events import first_since
from tests.cast import Cast, Signed, order_fields
from tests.rule_json import changed, recipient, rule_fields, send_email


@pytest.fixture(autouse=True)
def quiet(cast: Cast) -> None:
    with transaction() as session:
        for rule in session.scalars(select(Rule)):
            rule.active = False


def fields(cast: Cast, trigger: str, status: str = "", to: Any = (), criteria: Any = None, **options: Any) -> RuleFields:
    message = send_email(cast.templates["manager"], list(to) or [recipient("responsible"), recipient("role", cast.roles["designer"])])
    return rule_fields(
        "Проба", cast.boards["orders"], trigger, cast.statuses[status] if status else None, criteria, [message], options=options
    )


def past(rule: RuleFields, rule_id: int = 0) -> Backtest:
    db.session.rollback()
    found = backtest(db.session(), rule_id, rule.content)
    db.session.rollback()
    return found


def change(cast: Cast, order: Order, **values: Any) -> None:
    with transaction() as session:
        found = orders.find_order(session, order.id)
        orders.change(session, cast.actors["owner"], order.id, order_fields(orders.fields_of(found), **values), version=found.version)


def test_events_readers_and_days(cast: Cast) -> None:
    manager, seats = cast.people["manager"], {cast.roles["designer"]: cast.people["accountant"]}
    one, other = cast.place(responsible_id=manager), cast.place(people=seats)
    for order in (one, other):
        cast.move(order, "prepaid")
    cast.move(one, "paid")
    found = past(fields(cast, "entered", "prepaid"))
    assert (found.looked, found.fired, found.unknown, found.runs, found.sent) == (2, 2, 0, None, None)
    assert [(one.name, one.would) for one in found.readers] == [("Марина Лисицына", 1), ("Ольга Белова", 1), ("Тамара Гусева", 1)]
    assert [fired.number for fired in found.latest] == [other.number, one.number] and found.latest[0].who == "Сергей Мельников"
    assert found.messages == 3 and sum(count for _day, count in found.days) == 2 and len(found.days) == 31


def test_every_trigger_of_a_change_finds_its_events(cast: Cast) -> None:
    order = cast.place(total=100, paid=0)
    cast.move(order, "prepaid")
    change(cast, order, ship_on=date(2027, 1, 15))
    change(cast, order, paid=60)
    change(cast, order, people={cast.roles["designer"]: cast.people["designer"]})
    change(cast, order, tags=["срочно"])
    with transaction() as session:
        orders.comment(session, cast.actors["owner"], order.id, "Позвоните")
    expected = {
        "placed": fields(cast, "placed"),
        "entered": fields(cast, "entered", "prepaid"),
        "left": fields(cast, "left", "design"),
        "changed": fields(cast, "changed"),
        "ship_on": fields(cast, "field", field="ship_on"),
        "paid": fields(cast, "paid", percent=50),
        "share": fields(cast, "field", field="paid_percent"),
        "role": fields(cast, "field", field=f"role:{cast.roles['designer']}"),
        "tags": fields(cast, "field", field="tags"),
        "commented": fields(cast, "commented"),
    }
    assert {name: past(rule).fired for name, rule in expected.items()} == dict.fromkeys(expected, 1)
    assert past(fields(cast, "paid", percent=70)).fired == past(fields(cast, "field", field="title")).fired == 0
    only = {"all": [{"field": "ship_on", "op": "changed_to", "value": "2027-01-15"}]}
    assert past(fields(cast, "field", criteria=only, field="ship_on")).fired == 1


def test_backtests_agree_with_what_the_rule_really_did(cast: Cast) -> None:
    criteria = {"all": [{"field": "total", "op": "at_least", "value": 500}]}
    rule = fields(cast, "entered", "prepaid", criteria=criteria)
    with transaction() as session:
        rule_id = verbs.add_rule(session, cast.actors["owner"], rule).id
    for total in (100, 500, 900):
        cast.move(cast.place(total=total, responsible_id=cast.people["manager"]), "prepaid")
    found = past(rule, rule_id)
    assert (found.fired, found.runs, found.messages, found.sent) == (2, 2, 4, 4)
    assert [(one.would, one.got) for one in found.readers] == [(2, 2), (2, 2)]
    stricter = past(changed(rule, criteria={"all": [{"field": "total", "op": "at_least", "value": 900}]}), rule_id)
    assert (stricter.fired, stricter.runs, stricter.messages, stricter.sent) == (1, 2, 2, 4)


def test_facts_of_before_are_unknown_where_they_do_not_say(cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "prepaid")
    change(cast, order, ship_on=date(2027, 1, 15))
    with transaction() as session:
        for event in session.scalars(select(Event)):
            facts = {name: part for name, part in event.facts.items() if name not in ("was", "today")} | {"schema": 1}
            facts["fields"] = {name: value for name, value in event.facts["fields"].items() if name != "paid_percent"}
            session.execute(update(table(Event)).where(table(Event).c.id == event.id).values(facts=json.loads(json.dumps(facts))))
    share = {"all": [{"field": "paid_percent", "op": "at_least", "value": 1}]}
    found = past(fields(cast, "entered", "prepaid", criteria=share))
    assert (found.looked, found.fired, found.unknown) == (1, 0, 1)
    assert past(fields(cast, "field", field="ship_on")).unknown == 1
    assert past(fields(cast, "entered", "prepaid", criteria={"all": [{"field": "title", "op": "filled"}]})).fired == 1


def test_what_linked_orders_did(cast: Cast) -> None:
    order = cast.place()
    work = cast.produce(order)
    cast.move(work, "made")
    rule = fields(cast, "linked", "made")
    assert (past(rule).fired, past(rule).unknown) == (1, 0), "no rule listened, and nothing more is asked"
    asks = {"all": [{"field": "total", "op": "at_least", "value": 1}]}
    assert (past(fields(cast, "linked", "made", criteria=asks)).fired, past(fields(cast, "linked", "made", criteria=asks)).unknown) == (
        0,
        1,
    )
    with transaction() as session:
        verbs.add_rule(session, cast.actors["owner"], rule)
    cast.move(work, "assembly")
    cast.move(work, "made")
    found = past(fields(cast, "linked", "made", criteria=asks))
    assert (found.fired, found.unknown) == (1, 1), "the second time a rule listened"


def test_what_is_long_ago_or_taken_back_does_not_count(cast: Cast) -> None:
    order = cast.place()
    moved = cast.move(order, "prepaid")
    assert moved.event
    cast.undo(order, moved.event.id)
    assert past(fields(cast, "entered", "design")).fired == 1, "placed there, and the undo is skipped"
    with transaction() as session:
        session.execute(update(table(Event)).values(at=clock.now() - timedelta(days=31)))
    assert past(fields(cast, "entered", "prepaid")).looked == 0


def test_the_beginning_of_the_period_is_found_by_halving(cast: Cast) -> None:
    for _number in range(9):
        cast.place()
    ids = list(db.session.scalars(select(Event.id).order_by(Event.id)))
    now = clock.now()
    db.session.rollback()
    with transaction() as session:
        for place, id_ in enumerate(ids):
            session.execute(update(table(Event)).where(table(Event).c.id == id_).values(at=now - timedelta(days=len(ids) - place)))
    for days in range(len(ids) + 3):
        expected = next((id_ for place, id_ in enumerate(ids) if len(ids) - place <= days), ids[-1] + 1)
        assert first_since(db.session(), now - timedelta(days=days)) == expected, days


def test_customers_and_those_who_stopped_messages(cast: Cast) -> None:
    cast.move(cast.place(), "prepaid")
    cast.move(cast.place(customer_email=""), "prepaid")
    found = past(fields(cast, "entered", "prepaid", [recipient("customer"), recipient("person", cast.people["viewer"])]))
    assert [(one.name, one.would) for one in found.readers] == [("Павел Лебедев", 2), ("Хасанова Гузель", 1)]
    with transaction() as session:
        session.get_one(Person, cast.people["viewer"]).active = False
    assert past(fields(cast, "entered", "prepaid", [recipient("person", cast.people["viewer"])])).readers == []


def test_who_did_it_and_who_was_responsible_before(cast: Cast) -> None:
    order = cast.place(responsible_id=cast.people["manager"])
    change(cast, order, responsible_id=cast.people["designer"])
    found = past(fields(cast, "field", to=[recipient("mover"), recipient("previous")], field="responsible"))
    assert [(one.name, one.would) for one in found.readers] == [("Ольга Белова", 1), ("Сергей Мельников", 1)]


def test_no_more_events_than_that_are_looked_at(cast: Cast) -> None:
    for _number in range(3):
        cast.place()
    found = backtest(db.session(), 0, fields(cast, "placed").content, most=2)
    assert (found.looked, found.cut) == (2, True)


@pytest.mark.parametrize("htmx", [True, False])
def test_the_panel_in_the_editor(client: FlaskClient, cast: Cast, htmx: bool) -> None:
    owner = Signed(client, cast.email("owner"))
    cast.move(cast.place(responsible_id=cast.people["manager"]), "prepaid")
    form = {
        "name": "",
        "board_id": cast.boards["orders"],
        "trigger": "entered",
        "status_id": cast.statuses["prepaid"],
        "template-0": str(cast.templates["manager"]),
        "to-0": ["responsible"],
    }
    page = owner.post("/settings/rules/backtest", form, htmx=htmx, page="/settings/rules/new")
    assert page.status_code == 200 and "Ольга Белова" in page.text and '<p class="figure"><b>1</b>' in page.text
    assert ('id="rule-editor"' in page.text) != htmx
