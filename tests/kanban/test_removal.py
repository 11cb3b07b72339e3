"""Removing orders and restoring them, taking back the placing of one, and marking one as blocked."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from kanban import clock, orders, todos
from kanban.db import db
from kanban.errors import Conflict, Forbidden, NotFound
from kanban.models import Event, LiveChange, Order, Status
from kanban.orders import Filled
from kanban.todos.queries import due_count, my_work
from kanban.transactions import transaction
from tests.cast import Cast


def remove(cast: Cast, order: Order) -> None:
    version = db.session.scalar(select(Order.version).where(Order.id == order.id)) or 0
    with transaction() as session:
        orders.remove(session, cast.owner, order.id, version=version)


def head(cast: Cast, status: str) -> tuple[int, int]:
    db.session.rollback()
    found = db.session.get_one(Status, cast.statuses[status], populate_existing=True)
    return found.order_count, found.order_total


def test_a_removed_order_leaves_the_counts_and_keeps_its_number(cast: Cast) -> None:
    order = cast.place()
    remove(cast, order)
    assert head(cast, "design") == (0, 0)
    assert cast.place().number == "К-0002"


def test_its_waiting_messages_are_cancelled(cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "prepaid")
    remove(cast, order)
    assert {message.state for message in cast.messages(order_id=order.id)} == {"cancelled"}


def test_only_administrators_remove_and_restore(cast: Cast) -> None:
    order = cast.place()
    with pytest.raises(Forbidden), transaction() as session:
        orders.remove(session, cast.manager, order.id, version=1)
    remove(cast, order)
    with pytest.raises(Forbidden), transaction() as session:
        orders.restore(session, cast.manager, order.id)


def test_nothing_can_be_done_with_a_removed_order(cast: Cast) -> None:
    order = cast.place()
    moved = cast.move(order, "ready")
    remove(cast, order)
    with pytest.raises(NotFound):
        cast.move(order, "prepaid")
    with pytest.raises(NotFound), transaction() as session:
        orders.comment(session, cast.owner, order.id, "…")
    assert moved.event
    with pytest.raises(NotFound):
        cast.undo(order, moved.event.id)
    with pytest.raises(NotFound):
        remove(cast, order)
    with pytest.raises(NotFound), transaction() as session:
        todos.add(session, cast.owner, order.id, todos.TodoFields("Позвонить", person_id=cast.people["manager"]))


def test_restoring_brings_it_back_to_the_top_of_its_status_for_thirty_days(cast: Cast) -> None:
    order, _other = cast.place(), cast.place()
    remove(cast, order)
    with transaction() as session:
        orders.restore(session, cast.owner, order.id)
    assert cast.column("design")[0] == "К-0001" and head(cast, "design") == (2, 2 * 38_700_000)
    with pytest.raises(Conflict), transaction() as session:
        orders.restore(session, cast.owner, order.id)
    remove(cast, order)
    with transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(removed_at=clock.now() - timedelta(days=31)))
    with pytest.raises(Conflict), transaction() as session:
        orders.restore(session, cast.owner, order.id)


def test_its_production_order_stays_and_is_linked_no_more_so_that_another_can_be_made(cast: Cast) -> None:
    order = cast.place()
    work = cast.produce(order)
    remove(cast, work)
    assert db.session.get_one(Order, order.id).removed_at is None
    again = cast.produce(order)
    remove(cast, order)
    with transaction() as session:
        assert orders.linked(session, session.get_one(Order, again.id)) == []
    assert cast.move(again, "assembly").event


def test_to_dos_of_a_removed_order_rest_until_it_is_restored(cast: Cast) -> None:
    order = cast.place()
    with transaction() as session:
        todos.add(session, cast.owner, order.id, todos.TodoFields("Позвонить", person_id=cast.people["manager"], due_on=clock.today()))
    assert due_count(db.session(), cast.manager) == 1
    remove(cast, order)
    change = db.session.scalars(select(LiveChange).order_by(LiveChange.id.desc())).first()
    assert change is not None and f"work-{cast.people['manager']}" in change.topics
    assert due_count(db.session(), cast.manager) == 0 and my_work(db.session(), cast.manager).groups == ()
    with transaction() as session:
        orders.restore(session, cast.owner, order.id)
    assert due_count(db.session(), cast.manager) == 1


def test_taking_back_the_placing_removes_it_and_cancels_its_messages(cast: Cast) -> None:
    order = cast.place(cast.manager)
    placed = db.session.scalar(select(Event.id).where(Event.order_id == order.id)) or 0
    with pytest.raises(Forbidden):
        cast.undo(order, placed, cast.designer)
    undoing = cast.undo(order, placed, cast.manager)
    assert undoing.removed and undoing.event.undoes_id == placed
    assert {message.state for message in cast.messages(event_id=placed)} == {"cancelled"}
    assert head(cast, "design") == (0, 0)


def test_taking_back_the_placing_leaves_nothing_that_is_still_to_be_sent(cast: Cast) -> None:
    order = cast.place(cast.manager)
    placed = db.session.scalar(select(Event.id).where(Event.order_id == order.id)) or 0
    with transaction() as session:
        orders.comment(session, cast.manager, order.id, "@Марина Лисицына, посмотрите")
    assert any(message.state == "waiting" and message.kind == "mention" for message in cast.messages(order_id=order.id))
    cast.undo(order, placed, cast.manager)
    assert {message.state for message in cast.messages(order_id=order.id)} == {"cancelled"}


def test_taking_back_the_placing_is_refused_after_a_change(cast: Cast) -> None:
    order = cast.place(cast.manager)
    placed = db.session.scalar(select(Event.id).where(Event.order_id == order.id)) or 0
    cast.move(order, "ready", filled=Filled(lambda fields: fields))
    with pytest.raises(Conflict):
        cast.undo(order, placed, cast.manager)


def test_blocking_is_an_event_with_its_reason_and_says_nothing_twice(cast: Cast) -> None:
    order = cast.place()
    for reason in ("Нет замера", "Нет замера", "Клиент в отъезде"):
        with transaction() as session:
            orders.block(session, cast.designer, order.id, reason)
    with transaction() as session:
        orders.unblock(session, cast.designer, order.id)
        orders.unblock(session, cast.designer, order.id)
    events = db.session.scalars(select(Event).where(Event.order_id == order.id).order_by(Event.id)).all()
    said = [(one.kind, one.before.get("blocked"), one.after.get("blocked")) for one in events[1:]]
    assert said == [
        ("order.blocked", "", "Нет замера"),
        ("order.blocked", "Нет замера", "Клиент в отъезде"),
        ("order.unblocked", "Клиент в отъезде", ""),
    ]
    assert events[1].facts["fields"]["blocked"] == "Нет замера" and events[1].facts["was"] == {"blocked": ""}
