"""Placing orders, making production orders, changing what they say."""

from datetime import date

import pytest

from kanban import orders
from kanban.db import db
from kanban.errors import Conflict, Forbidden, Invalid
from kanban.fold import fold
from kanban.models import Event, Order, OrderPerson
from kanban.transactions import transaction
from tests.cast import Cast, order_fields


def test_a_new_order_stands_at_the_top_of_the_first_status_with_the_next_number(cast: Cast) -> None:
    cast.place()
    cast.place()
    assert cast.column("design") == ["К-0002", "К-0001"]
    assert cast.head("design") == (2, 2 * 38_700_000)


def test_a_viewer_places_nothing(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        cast.place(cast.viewer)
    assert cast.column("design") == []


def test_an_event_keeps_facts_without_phone_or_mail(cast: Cast) -> None:
    order = cast.place()
    event = db.session.query(Event).filter_by(order_id=order.id).one()
    assert event.kind == "order.placed"
    assert event.facts["fields"]["total"] == 38_700_000
    assert event.facts["fields"]["ship_on"] == "2026-12-26"
    text = str(event.facts)
    assert "900 123" not in text and "guzel@" not in text and "Баумана" not in text


def test_a_production_order_inherits_customer_dates_and_people(cast: Cast) -> None:
    order = cast.place(responsible_id=cast.people["manager"], people={cast.roles["designer"]: cast.people["designer"]})
    work = cast.produce(order)
    assert work.number == "П-0001" and work.responsible_id == cast.people["manager"]
    assert (work.source_id, work.customer_id, work.ship_on) == (order.id, order.customer_id, date(2026, 12, 26))
    filled = db.session.query(OrderPerson).filter_by(order_id=work.id).one()
    assert filled.person_id == cast.people["designer"]


def test_a_second_production_order_is_refused_and_the_first_named(cast: Cast) -> None:
    order = cast.place()
    cast.produce(order)
    with pytest.raises(Conflict, match="П-0001"):
        cast.produce(order)


def test_production_of_production_is_refused(cast: Cast) -> None:
    work = cast.produce(cast.place())
    with pytest.raises(Invalid):
        cast.produce(work)


def _change(cast: Cast, order: Order, version: int, **fields: object) -> object:
    with transaction() as session:
        return orders.change(session, cast.manager, order.id, order_fields(**fields), version=version)


def test_a_change_is_recorded_field_by_field_and_moves_the_sum(cast: Cast) -> None:
    order = cast.place()
    _change(cast, order, 1, customer_name="Хасанова Г.", title="Угловая кухня", total=40_000_000)
    event = db.session.query(Event).filter_by(kind="order.changed").one()
    assert event.before["total"] == 38_700_000 and event.after["total"] == 40_000_000
    assert event.after["customer"] == "Хасанова Г."
    assert "title" not in event.after
    assert cast.head("design") == (1, 40_000_000)


def test_a_stale_change_is_refused(cast: Cast) -> None:
    order = cast.place()
    _change(cast, order, 1, customer_name="Первый")
    with pytest.raises(Conflict, match="Ольга Белова"):
        _change(cast, order, 1, customer_name="Второй")


def test_saving_what_is_there_already_records_nothing(cast: Cast) -> None:
    order = cast.place(total=0, paid=0)
    fields = {"customer_name": "Хасанова Гузель"}
    _change(cast, order, 1, **fields)
    version = db.session.get_one(Order, order.id, populate_existing=True).version
    _change(cast, order, version, **fields)
    assert db.session.query(Event).filter_by(kind="order.changed").count() == 1


def test_hostile_text_is_kept_as_it_is(cast: Cast) -> None:
    name = "<script>alert(1)</script> \u200fمرحبا 🪑 O'Neill; DROP TABLE"
    order = cast.place(customer_name=name)
    assert db.session.get_one(Order, order.id).customer_id
    assert fold(name) in order.search
