"""Gates and limits: what must hold of an order before it enters a status, whoever moves it; and what undo makes of it."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from kanban import boards, orders, people
from kanban.criteria import read_criteria
from kanban.db import db
from kanban.errors import Conflict, Invalid, Lacking
from kanban.fields import BUILT_IN
from kanban.json_reader import Value
from kanban.models import Event, Order, Status
from kanban.orders import Filled, OrderFields
from kanban.transactions import transaction
from rules.editing import verbs
from rules.models import Rule, Run
from tests.cast import Cast
from tests.rule_json import rule_fields

PREPAID = {"field": "paid_percent", "op": "at_least", "value": 50}
SHIPS = {"field": "ship_on", "op": "filled"}


def guard(cast: Cast, status: str, *criteria: dict[str, Any], kind: str = "all") -> None:
    gate = read_criteria(Value({kind: list(criteria)}), BUILT_IN)
    with transaction() as session:
        boards.change_gate(session, cast.owner, cast.statuses[status], gate)


def limit(cast: Cast, status: str, most: int) -> None:
    with transaction() as session:
        found = session.get_one(Status, cast.statuses[status])
        found.limit, found.limit_refuses = most, True


def events(order: Order) -> list[Event]:
    db.session.rollback()
    return list(db.session.scalars(select(Event).where(Event.order_id == order.id).order_by(Event.id)))


def now(order: Order) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, order.id, populate_existing=True)


def test_an_order_that_lacks_something_stays_and_the_reason_names_it(cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID, SHIPS)
    order = cast.place(paid=0)
    with pytest.raises(Lacking) as refused:
        cast.move(order, "prepaid")
    assert "percentage paid" in str(refused.value) and "ship date" not in str(refused.value)
    assert now(order).status_id == cast.statuses["design"]


def test_an_administrator_is_asked_as_well_and_an_order_that_has_all_goes_through(cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID)
    with pytest.raises(Lacking):
        cast.move(cast.place(paid=1), "prepaid", cast.owner)
    assert cast.move(cast.place(), "prepaid", cast.manager).event


def test_what_is_not_known_counts_as_lacking(cast: Cast) -> None:
    guard(cast, "prepaid", {"field": "linked.total", "op": "more", "value": 1})
    with pytest.raises(Lacking):
        cast.move(cast.place(), "prepaid")


def test_of_a_group_any_criterion_will_do(cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID, {"field": "responsible", "op": "filled"}, kind="any")
    with pytest.raises(Lacking) as refused:
        cast.move(cast.place(paid=0), "prepaid")
    assert "percentage paid" in str(refused.value) and "responsible" in str(refused.value)
    assert cast.move(cast.place(paid=0, responsible_id=cast.people["manager"]), "prepaid").event


def test_what_is_filled_in_is_written_with_the_move_and_both_events_say_so(cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID)
    order = cast.place(paid=0)
    filled = Filled(lambda fields: fields.with_values(paid=20_000_000), "Оплата в салоне")
    moved = cast.move(order, "prepaid", cast.manager, filled=filled)
    placed, was_moved, changed, commented = events(order)
    assert [placed.kind, was_moved.kind, changed.kind, commented.kind] == [
        "order.placed",
        "order.moved",
        "order.changed",
        "order.commented",
    ]
    assert was_moved.facts["fields"]["paid"] == 20_000_000
    assert {changed.cause_event_id, commented.cause_event_id} == {was_moved.id} and changed.cause_rule_id is None
    assert changed.after == {"paid": 20_000_000} and changed.actor_id == cast.people["manager"]
    assert moved.event and moved.event.id == was_moved.id and now(order).paid == 20_000_000


def test_what_is_filled_in_and_does_not_do_leaves_nothing_behind(cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID)
    order = cast.place(paid=0)
    with pytest.raises(Lacking):
        cast.move(order, "prepaid", filled=Filled(lambda fields: fields.with_values(paid=5), "Мало"))
    assert len(events(order)) == 1 and now(order).paid == 0


def test_undo_takes_the_fields_back_and_keeps_the_comment(cast: Cast) -> None:
    guard(cast, "prepaid", PREPAID)
    order = cast.place(paid=100, tags=["эмаль"])
    filled = Filled(lambda fields: fields.with_values(paid=20_000_000, title="Прямая"), "Оплата в салоне")
    moved = cast.move(order, "prepaid", filled=filled)
    assert moved.event
    undoing = cast.undo(order, moved.event.id)
    after = now(order)
    assert (after.paid, after.title, after.status_id, list(after.tags)) == (100, "Угловая кухня", cast.statuses["design"], ["эмаль"])
    assert undoing.undone.gone.count == 0
    assert [one.kind for one in events(order)].count("order.commented") == 1


def test_undo_takes_back_who_fills_a_role(cast: Cast) -> None:
    role = cast.roles["designer"]
    guard(cast, "ready", {"field": f"role:{role}", "op": "filled"})
    order = cast.place()

    def named(fields: OrderFields) -> OrderFields:
        return replace(fields, people={role: cast.people["designer"]}, responsible_id=cast.people["manager"])

    moved = cast.move(order, "ready", filled=Filled(named))
    assert moved.event
    cast.undo(order, moved.event.id)
    with transaction() as session:
        found = session.get_one(Order, order.id)
        session.refresh(found, ["people", "responsible_id"])
        assert found.people == [] and found.responsible_id is None


def test_a_comment_since_does_not_stand_in_the_way_of_an_undo_and_a_change_does(cast: Cast) -> None:
    order = cast.place()
    moved = cast.move(order, "ready")
    assert moved.event
    with transaction() as session:
        orders.comment(session, cast.designer, order.id, "Видела")
    cast.undo(order, moved.event.id)
    again = cast.move(order, "ready")
    with transaction() as session:
        orders.block(session, cast.designer, order.id, "Нет замера")
    assert again.event
    with pytest.raises(Conflict):
        cast.undo(order, again.event.id)


def test_a_quiet_undo_asks_no_gate_and_no_limit_and_a_move_back_after_messages_left_does(cast: Cast) -> None:
    order = cast.place(paid=0)
    cast.place()
    guard(cast, "design", PREPAID)
    limit(cast, "design", 1)
    moved = cast.move(order, "prepaid")
    assert moved.event
    cast.undo(order, moved.event.id)
    again = cast.move(order, "prepaid")
    assert again.event
    with transaction() as session:
        session.merge(cast.messages(event_id=again.event.id)[0]).state = "sent"
    with pytest.raises(Conflict):
        cast.undo(order, again.event.id)
    limit(cast, "design", 9)
    with pytest.raises(Lacking):
        cast.undo(order, again.event.id)


def test_a_rule_is_stopped_too_and_its_run_says_why(cast: Cast) -> None:
    with transaction() as session:
        for rule in session.scalars(select(Rule)):
            rule.active = False
    guard(cast, "paid", {"field": "paid_percent", "op": "at_least", "value": 100})
    to_paid = {"do": "set_status", "status": cast.statuses["paid"]}
    fields = rule_fields(
        "Сразу оплачен", cast.boards["orders"], "entered", cast.statuses["prepaid"], {"all": []}, [to_paid], False, True, {}
    )
    with transaction() as session:
        rule_id = verbs.add_rule(session, cast.owner, fields).id
    order = cast.place()
    cast.move(order, "prepaid")
    assert now(order).status_id == cast.statuses["prepaid"]
    (notes,) = db.session.scalars(select(Run.notes).where(Run.rule_id == rule_id)).all()
    assert notes[0]["why"] == "change_refused" and "percentage paid" in notes[0]["name"]


def test_a_full_column_that_refuses_takes_no_more_and_lets_orders_move_within_and_out(cast: Cast) -> None:
    limit(cast, "ready", 2)
    a, b, c = cast.place(), cast.place(), cast.place()
    cast.move(a, "ready")
    cast.move(b, "ready")
    with pytest.raises(Conflict):
        cast.move(c, "ready")
    cast.move(b, "ready", before="end")
    cast.move(a, "prepaid")
    assert cast.move(c, "ready").event


def test_a_gate_that_asks_what_changed_is_refused(cast: Cast) -> None:
    with pytest.raises(Invalid):
        guard(cast, "prepaid", {"field": "total", "op": "changed"})


def test_a_gate_lets_go_of_what_is_removed(cast: Cast) -> None:
    with transaction() as session:
        role = people.add_role(session, cast.owner, "Замерщик").id
    guard(cast, "prepaid", {"field": f"role:{role}", "op": "filled"}, PREPAID)
    with transaction() as session:
        people.remove_role(session, cast.owner, role)
    assert db.session.get_one(Status, cast.statuses["prepaid"]).gate == {"all": [PREPAID]}
    assert cast.move(cast.place(), "prepaid").event


def test_a_gate_that_can_t_be_read_asks_nothing(cast: Cast) -> None:
    with transaction() as session:
        session.get_one(Status, cast.statuses["prepaid"]).gate = {"all": [{"field": 7}]}
    assert cast.move(cast.place(), "prepaid").event
