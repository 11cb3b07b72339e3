"""Triggers of a change and actions that change orders, from the event to the run and its result, on both databases."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from kanban import clock, orders
from kanban.actor import Actor
from kanban.db import db
from kanban.errors import Invalid
from kanban.fields import catalogue_of
from kanban.json_reader import Malformed
from kanban.models import Event, Order, Status, person_role
from kanban.transactions import transaction
from rules.definition.change_actions import SetField
from rules.editing import verbs
from rules.editing.validation import InDatabase
from rules.models import Message, Rule, Run
from tests.cast import Cast, order_fields
from tests.rule_json import recipient, rule_fields, send_email


@pytest.fixture(autouse=True)
def only_ours(cast: Cast) -> None:
    with transaction() as session:
        for rule in session.scalars(select(Rule)):
            rule.active = False


def add(cast: Cast, trigger: str, *actions: dict[str, Any], board: str = "orders", name: str = "Проверка", **more: Any) -> int:
    status = more.pop("status", None)
    criteria = more.pop("criteria", {"all": []})
    fields = rule_fields(
        name, cast.boards[board], trigger, cast.statuses[status] if status else None, criteria, list(actions), False, True, more
    )
    with transaction() as session:
        return verbs.add_rule(session, cast.actors["owner"], fields).id


def message(cast: Cast) -> dict[str, Any]:
    return send_email(cast.templates["manager"], [recipient("person", cast.people["accountant"])])


def fired(rule_id: int) -> list[str]:
    """Outcomes of a rule's runs, in the order of their events."""
    db.session.rollback()
    return list(db.session.scalars(select(Run.outcome).where(Run.rule_id == rule_id).order_by(Run.event_id)))


def notes(rule_id: int) -> list[str]:
    db.session.rollback()
    return [note["why"] for one in db.session.scalars(select(Run.notes).where(Run.rule_id == rule_id).order_by(Run.id)) for note in one]


def now(order: Order) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, order.id, populate_existing=True)


def change(cast: Cast, order: Order, actor: Actor | None = None, **values: Any) -> None:
    with transaction() as session:
        found = orders.find_order(session, order.id)
        orders.change(
            session, actor or cast.actors["owner"], order.id, order_fields(orders.fields_of(found), **values), version=found.version
        )


def test_a_field_that_changed(cast: Cast) -> None:
    ship = add(cast, "field", message(cast), field="ship_on")
    role = add(cast, "field", message(cast), field=f"role:{cast.roles['designer']}", name="Роль")
    order = cast.place()
    change(cast, order, title="Другая")
    assert fired(ship) == fired(role) == []
    change(cast, order, ship_on=date(2027, 1, 15))
    change(cast, order, people={cast.roles["designer"]: cast.people["designer"]})
    assert fired(ship) == fired(role) == ["done"]


@pytest.mark.parametrize(
    ("options", "steps", "expected"),
    [
        ({"percent": 50}, [10, 49, 50, 60], 1),
        ({"percent": 100}, [50, 99, 100], 1),
        ({"percent": 100}, [100, 40, 100], 2),
        ({"sum": 30}, [10, 30, 31], 1),
    ],
)
def test_a_payment_that_crossed_a_share_or_a_sum(cast: Cast, options: dict[str, int], steps: list[int], expected: int) -> None:
    rule = add(cast, "paid", message(cast), **options)
    order = cast.place(total=100, paid=0)
    for paid in steps:
        change(cast, order, paid=paid)
    assert len(fired(rule)) == expected


def test_a_new_order_that_is_paid_at_once_counts(cast: Cast) -> None:
    rule = add(cast, "paid", message(cast), percent=100)
    cast.place(total=100, paid=100)
    cast.place(total=100, paid=99)
    assert fired(rule) == ["done"]


def test_a_comment_with_a_mention(cast: Cast) -> None:
    rule = add(cast, "commented", message(cast))
    order = cast.place()
    with transaction() as session:
        _order, recorded = orders.comment(session, cast.actors["owner"], order.id, "@Ольга Белова, позвоните; @марина, чертёж")
    assert recorded and recorded.event.after["mentions"] == [cast.people["manager"], cast.people["designer"]]
    assert fired(rule) == ["done"]


def test_a_linked_order_that_entered_a_status_is_an_event_of_this_order(cast: Cast) -> None:
    rule = add(cast, "linked", message(cast), status="made")
    order = cast.place()
    work = cast.produce(order)
    cast.move(work, "assembly")
    assert fired(rule) == []
    moved = cast.move(work, "made")
    assert fired(rule) == ["done"]
    event = db.session.scalars(select(Event).where(Event.kind == "order.linked")).one()
    assert (event.order_id, event.cause_event_id, event.actor_name) == (order.id, moved.event and moved.event.id, "Сергей Мельников")
    assert event.after["linked"]["number"] == work.number
    assert db.session.scalars(select(Message.order_id)).all() == [order.id]


def test_all_production_orders_in_a_phase(cast: Cast) -> None:
    rule = add(cast, "all_linked", message(cast), phase="waiting")
    order = cast.place()
    work = cast.produce(order)
    cast.move(work, "made")
    db.session.rollback()
    phase = db.session.get_one(Order, work.id).status_id
    assert phase and fired(rule) in (["done"], [])


def test_the_kitchens_case_in_whichever_order_it_comes(cast: Cast) -> None:
    """Paid and ready: it becomes «Оплачен и готов к установке» by itself."""
    ready = {"all": [{"field": "linked.status", "op": "equals", "value": cast.statuses["made"]}]}
    paid = {"all": [{"field": "status_after", "op": "equals", "value": cast.statuses["paid"]}]}
    act = {"do": "set_status", "status": cast.statuses["paid_ready"]}
    first = add(cast, "entered", act, status="paid", criteria=ready, name="Оплачен, а кухня готова")
    second = add(cast, "linked", act, status="made", criteria=paid, name="Готова, а заказ оплачен")
    one, other = cast.place(), cast.place()
    cast.move(cast.produce(one), "made")
    cast.move(one, "paid")
    assert now(one).status_id == cast.statuses["paid_ready"] and fired(first) == ["done"]
    work = cast.produce(other)
    cast.move(other, "paid")
    assert now(other).status_id == cast.statuses["paid"]
    cast.move(work, "made")
    assert now(other).status_id == cast.statuses["paid_ready"] and fired(second) == ["done"]
    last = db.session.scalars(select(Event).where(Event.order_id == other.id).order_by(Event.id.desc())).first()
    assert last and (last.kind, last.actor_id, last.cause_rule_id) == ("order.moved", None, second)
    assert last.actor_name == "Готова, а заказ оплачен"


def test_fields_tags_people_and_production(cast: Cast) -> None:
    designer, manager = cast.people["designer"], cast.people["manager"]
    add(
        cast,
        "entered",
        {"do": "set_field", "field": "installation_on", "value": {"days": 7}},
        {"do": "set_field", "field": "title", "value": "Срочная"},
        {"do": "tag", "tag": "срочно"},
        {"do": "untag", "tag": "КАМЕНЬ"},
        {"do": "assign", "role": None, "person": manager},
        {"do": "assign", "role": cast.roles["designer"], "least": cast.roles["designer"]},
        {"do": "make_production"},
        {"do": "comment", "text": "Заказ {{ order.number }} теперь срочный."},
        status="prepaid",
    )
    order = cast.place(tags=["камень"])
    cast.move(order, "prepaid")
    found = now(order)
    assert (found.title, found.tags, found.responsible_id) == ("Срочная", ["срочно"], manager)
    assert (found.installation_on - clock.today()).days == 7  # type: ignore[operator]
    work = db.session.scalars(select(Order).where(Order.source_id == order.id)).one()
    assert work.author_id == found.author_id
    seats = {one.role_id: one.person_id for one in orders.find_order(db.session(), order.id).people}
    assert seats == {cast.roles["designer"]: designer}
    said = db.session.scalars(select(Event).where(Event.kind == "order.commented")).one()
    assert said.after["text"] == f"Заказ {found.number} теперь срочный."


def test_the_least_loaded_holder_is_assigned(cast: Cast) -> None:
    with transaction() as session:
        session.execute(insert(person_role).values(person_id=cast.people["accountant"], role_id=cast.roles["manager"]))
    add(cast, "placed", {"do": "assign", "role": None, "least": cast.roles["manager"]})
    placed = [now(cast.place()).responsible_id for _ in range(4)]
    assert placed == [cast.people["manager"], cast.people["accountant"]] * 2


def test_an_action_that_is_refused_leaves_the_move_and_the_other_actions(cast: Cast) -> None:
    rule = add(cast, "entered", {"do": "make_production"}, {"do": "tag", "tag": "был"}, message(cast), status="prepaid")
    order = cast.place()
    cast.produce(order)
    cast.move(order, "prepaid")
    assert now(order).status_id == cast.statuses["prepaid"] and now(order).tags == ["был"]
    assert fired(rule) == ["failed"] and notes(rule) == ["change_refused", "changed"]
    assert len(db.session.scalars(select(Message)).all()) == 1


def test_a_loop_of_two_rules_stops_where_the_first_comes_again(cast: Cast) -> None:
    there = add(cast, "entered", {"do": "set_status", "status": cast.statuses["ready"]}, status="prepaid", name="Туда")
    back = add(cast, "entered", {"do": "set_status", "status": cast.statuses["prepaid"]}, status="ready", name="Обратно")
    order = cast.place()
    cast.move(order, "prepaid")
    assert now(order).status_id == cast.statuses["prepaid"]
    assert fired(there) == ["done", "stopped"] and fired(back) == ["done"]
    assert "loop" in notes(there)


def test_a_chain_stops_at_five(cast: Cast) -> None:
    way = ["ready", "prepaid", "paid", "paid_ready", "install", "closed"]
    made = [
        add(cast, "entered", {"do": "set_status", "status": cast.statuses[following]}, status=status, name=status)
        for status, following in pairwise(way)
    ]
    made.append(add(cast, "entered", {"do": "set_status", "status": cast.statuses["design"]}, status="closed", name="closed"))
    order = cast.place()
    cast.move(order, "ready")
    assert now(order).status_id == cast.statuses["closed"]
    assert notes(made[-1]) == ["too_deep"] and fired(made[-1]) == ["stopped"]


def test_undo_takes_back_what_rules_did_in_its_wake(cast: Cast) -> None:
    add(cast, "entered", {"do": "set_status", "status": cast.statuses["paid_ready"]}, message(cast), status="paid")
    add(cast, "entered", message(cast), status="paid_ready")
    order = cast.place()
    moved = cast.move(order, "paid")
    assert moved.event and now(order).status_id == cast.statuses["paid_ready"]
    assert moved.outcome.messages == 2
    cast.undo(order, moved.event.id)
    assert now(order).status_id == cast.statuses["design"]
    assert set(db.session.scalars(select(Message.state))) == {"cancelled"}
    assert cast.head("paid") == cast.head("paid_ready") == (0, 0)


@pytest.mark.parametrize(
    ("trigger", "more"),
    [
        ("field", {"field": "phone"}),
        ("field", {}),
        ("paid", {}),
        ("paid", {"percent": 101}),
        ("paid", {"sum": 0}),
        ("all_linked", {"phase": "x"}),
        ("linked", {"status": "paid"}),
        ("entered", {"status": "made"}),
    ],
)
def test_triggers_that_make_no_sense(cast: Cast, trigger: str, more: dict[str, Any]) -> None:
    with pytest.raises((Invalid, Malformed)):
        add(cast, trigger, message(cast), **more)


@pytest.mark.parametrize(
    "action",
    [
        {"do": "nothing"},
        {"do": "set_status", "status": 999},
        {"do": "set_status"},
        {"do": "set_field", "field": "number", "value": "1"},
        {"do": "set_field", "field": "title", "value": {"days": 1}},
        {"do": "set_field", "field": "ship_on", "value": {"days": 99_999}},
        {"do": "set_field", "field": "organisation", "value": 999},
        {"do": "tag", "tag": ""},
        {"do": "assign", "role": None},
        {"do": "assign", "role": 999, "person": 1},
        {"do": "comment", "text": ""},
        {"do": "comment", "text": "{{ order.nothing }}"},
    ],
)
def test_changes_that_make_no_sense(cast: Cast, action: dict[str, Any]) -> None:
    with pytest.raises((Invalid, Malformed)):
        add(cast, "placed", action)


def test_a_text_fits_its_field(cast: Cast) -> None:
    title = catalogue_of(cast.boards["orders"]).find("title")
    assert title is not None
    with pytest.raises(Invalid, match="60"):
        SetField(replace(title, most=60), "x" * 61).validate(InDatabase(db.session()))
    SetField(replace(title, most=60), "x" * 60).validate(InDatabase(db.session()))


def test_who_did_it_and_who_was_responsible_before_are_told(cast: Cast) -> None:
    told = send_email(cast.templates["manager"], [recipient("previous"), recipient("mover")])
    rule = add(cast, "field", told, field="responsible")
    order = cast.place(responsible_id=cast.people["manager"])
    change(cast, order, responsible_id=cast.people["designer"])
    db.session.rollback()
    assert sorted(db.session.scalars(select(Message.address))) == ["manager@melnikov.example", "owner@melnikov.example"]
    assert fired(rule) == ["done"]
    other = cast.place()
    change(cast, other, responsible_id=cast.people["designer"])
    assert notes(rule) == ["no_previous"]


@pytest.mark.parametrize("meanwhile", ["nothing", "undone", "moved on"])
def test_undo_leaves_a_linked_order_alone_that_somebody_has_moved_since(cast: Cast, meanwhile: str) -> None:
    """And every column counts what stands in it."""
    add(cast, "entered", {"do": "make_production"}, status="ready")
    add(cast, "placed", {"do": "set_status", "status": cast.statuses["assembly"]}, board="production")
    moved = cast.move(cast.place(), "ready")
    made = db.session.scalars(select(Order).where(Order.board_id == cast.boards["production"])).one()
    first = made.status_id
    by_rule = db.session.scalars(select(Event).where(Event.order_id == made.id, Event.kind == "order.moved")).one()
    assert first == cast.statuses["assembly"]
    if meanwhile == "undone":
        cast.undo(made, by_rule.id, cast.actors["technologist"])
    elif meanwhile == "moved on":
        cast.move(made, "made", cast.actors["technologist"])
    assert moved.event is not None
    assert cast.undo(moved.order, moved.event.id).stays == (made.number,)
    assert now(moved.order).status_id == cast.statuses["design"]
    stands = {"nothing": by_rule.before["status"]["id"], "undone": by_rule.before["status"]["id"], "moved on": cast.statuses["made"]}
    assert now(made).status_id == stands[meanwhile]
    standing = dict(db.session.execute(select(Order.status_id, func.count()).group_by(Order.status_id)).all())
    for id_, count in db.session.execute(select(Status.id, Status.order_count)):
        assert count == standing.get(id_, 0), id_
