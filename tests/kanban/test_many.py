"""Several orders moved together: each for itself, in their order, and one undo for all."""

import threading

import pytest
from flask import Flask
from sqlalchemy import select

from kanban import orders
from kanban.db import db
from kanban.errors import Forbidden, Invalid
from kanban.models import Event, Order, Status
from kanban.orders import Chosen, EventOf, MovedMany
from kanban.transactions import Turn, transaction
from tests.cast import Cast


def move_many(cast: Cast, chosen: list[Order], to: str, *, before: str = "", key: str = "", who: str = "owner") -> MovedMany:
    versions = dict(db.session.execute(select(Order.id, Order.version)).all())
    db.session.rollback()
    with transaction(Turn.SHARED) as session:
        picked = [Chosen(one.id, versions[one.id]) for one in chosen]
        return orders.move_many(session, cast.actors[who], picked, status_id=cast.statuses[to], before=before, key=key)


def events_of(made: MovedMany) -> list[EventOf]:
    return [EventOf(one.order.id, one.event.id) for one in made.moved if one.event]


def count(cast: Cast, status: str) -> int:
    db.session.rollback()
    return db.session.get_one(Status, cast.statuses[status], populate_existing=True).order_count


def test_they_stand_in_the_order_they_were_chosen_at_the_top_and_before_a_card(cast: Cast) -> None:
    a, b, c, there = (cast.place() for _ in range(4))
    cast.move(there, "ready")
    move_many(cast, [a, b], "ready")
    assert cast.column("ready") == ["К-0001", "К-0002", "К-0004"]
    move_many(cast, [c], "ready", before=str(there.id))
    assert cast.column("ready") == ["К-0001", "К-0002", "К-0003", "К-0004"]
    move_many(cast, [c, a], "prepaid", before="end")
    assert cast.column("prepaid") == ["К-0003", "К-0001"] and count(cast, "ready") == 2


def test_their_messages_are_counted_together_and_one_undo_takes_all_back(cast: Cast) -> None:
    chosen = [cast.place() for _ in range(3)]
    made = move_many(cast, chosen, "prepaid", key="k1")
    assert made.outcome.messages == 6 and len(made.outcome.told.names) == 2 and not made.refused
    with transaction(Turn.SHARED) as session:
        undoing = orders.undo_many(session, cast.owner, events_of(made))
    assert len(undoing.undone) == 3 and undoing.told.cancelled.count == 6
    assert cast.column("design") == ["К-0003", "К-0002", "К-0001"] and count(cast, "design") == 3


def test_one_that_is_refused_holds_up_no_other(cast: Cast) -> None:
    poor, rich, stale = cast.place(paid=0), cast.place(), cast.place()
    with transaction() as session:
        session.get_one(Status, cast.statuses["prepaid"]).gate = {"all": [{"field": "paid_percent", "op": "at_least", "value": 50}]}
    with transaction(Turn.SHARED) as session:
        picked = [Chosen(poor.id, 1), Chosen(rich.id, 1), Chosen(stale.id, 7), Chosen(9999, 1)]
        made = orders.move_many(session, cast.owner, picked, status_id=cast.statuses["prepaid"], before="", key="k1")
    assert [one.order.id for one in made.moved] == [rich.id]
    assert [(one.order_id, one.is_gate) for one in made.refused] == [(poor.id, True), (stale.id, False), (9999, False)]
    assert made.refused[0].number == "К-0001" and made.refused[0].customer
    assert count(cast, "prepaid") == 1 and count(cast, "design") == 2
    assert len(cast.messages(order_id=poor.id)) == len(cast.messages(order_id=stale.id))


def test_a_limit_lets_in_as_many_as_fit(cast: Cast) -> None:
    chosen = [cast.place() for _ in range(3)]
    with transaction() as session:
        ready = session.get_one(Status, cast.statuses["ready"])
        ready.limit, ready.limit_refuses = 2, True
    made = move_many(cast, chosen, "ready", before="end")
    assert len(made.moved) == 2 and len(made.refused) == 1 and count(cast, "ready") == 2


def test_asked_again_with_the_same_key_nothing_happens_twice(cast: Cast) -> None:
    chosen = [cast.place() for _ in range(2)]
    first = move_many(cast, chosen, "prepaid", key="k1")
    again = move_many(cast, chosen, "prepaid", key="k1")
    assert events_of(first) == events_of(again) and again.outcome.messages == 4
    moved = db.session.scalars(select(Event.id).where(Event.kind == "order.moved")).all()
    assert len(moved) == 2


def test_an_undo_leaves_what_has_changed_since(cast: Cast) -> None:
    a, b = cast.place(), cast.place()
    made = move_many(cast, [a, b], "prepaid")
    cast.move(a, "paid")
    with transaction(Turn.SHARED) as session:
        undoing = orders.undo_many(session, cast.owner, events_of(made))
    assert [one.order.id for one in undoing.undone] == [b.id]
    assert [one.order_id for one in undoing.refused] == [a.id]


def test_none_and_too_many_and_viewers_are_refused(cast: Cast) -> None:
    order = cast.place()
    for chosen, error, who in (([], Invalid, "owner"), ([order] * 101, Invalid, "owner"), ([order], Forbidden, "viewer")):
        with pytest.raises(error):
            move_many(cast, chosen, "ready", who=who)


@pytest.mark.postgresql
def test_two_people_with_the_same_orders_wait_for_each_other(app: Flask, cast: Cast) -> None:
    chosen = [cast.place() for _ in range(6)]
    made: list[MovedMany] = []

    def work(order: list[Order], to: str) -> None:
        with app.app_context():
            made.append(move_many(cast, order, to))

    threads = [
        threading.Thread(target=work, args=(chosen, "ready")),
        threading.Thread(target=work, args=(list(reversed(chosen)), "prepaid")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 2
    assert count(cast, "ready") + count(cast, "prepaid") + count(cast, "design") == 6
