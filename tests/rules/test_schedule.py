"""Rules of time: due once for an order and a date, whatever the clock and the worker do, on both databases."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as sa_event
from sqlalchemy import select, update

from kanban import clock, orders
from kanban.calendar import Calendar, load_calendar
from kanban.db import db
from kanban.errors import Invalid
from kanban.fields import BUILT_IN
from kanban.json_reader import Malformed
from kanban.models import Event, Order
from kanban.settings import write_setting
from kanban.transactions import transaction
from rules.definition.triggers import DateNears, TimeUnit
from rules.editing import verbs
from rules.models import DueMark, Message, Rule, Run
from rules.queries.versions import find_rule
from rules.running import schedule
from rules.running.due import dates_due, moment_of, since
from tests.cast import Cast, order_fields
from tests.rule_json import recipient, rule_fields, send_email

START = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)  # ten in the morning in Moscow, a Tuesday
SHIP_ON = BUILT_IN.find("ship_on")


class Clock:
    moment = START

    def now(self) -> datetime:
        return self.moment

    def to(self, day: int, hour: int, month: int = 11) -> None:
        """On the firm's clock."""
        self.moment = datetime(2026, month, day, hour - 3, tzinfo=UTC)


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "now", made.now)
    clock.set_zone("Europe/Moscow")
    return made


@pytest.fixture
def cast_at(hands: Clock, cast: Cast) -> Cast:
    with transaction() as session:
        session.execute(update(Rule).values(active=False))
    return cast


def add(cast: Cast, trigger: str, **options: Any) -> int:
    message = send_email(cast.templates["manager"], [recipient("person", cast.people["accountant"])])
    criteria = options.pop("criteria", {"all": []})
    fields = rule_fields("Напомнить", cast.boards["orders"], trigger, None, criteria, [message], False, True, options)
    with transaction() as session:
        return verbs.add_rule(session, cast.actors["owner"], fields).id


def before_shipping(cast: Cast, days: int = -3, **more: Any) -> int:
    return add(cast, "date", **({"field": "ship_on", "offset": days, "unit": "days", "at": "09:00"} | more))


def messages() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(Message.id)).all())


def ship(cast: Cast, order: Order, day: date | None) -> None:
    with transaction() as session:
        found = orders.find_order(session, order.id)
        orders.change(session, cast.actors["owner"], order.id, order_fields(orders.fields_of(found), ship_on=day), version=found.version)


def test_three_days_before_the_ship_date_at_nine_and_only_once(cast_at: Cast, hands: Clock) -> None:
    rule = before_shipping(cast_at)
    cast_at.place(ship_on=date(2026, 12, 10))
    cast_at.place(ship_on=None)
    hands.to(7, 8, 12)
    assert schedule.tick() == 0
    hands.to(7, 9, 12)
    assert schedule.tick() == 1 and schedule.tick() == 0 and messages() == 1
    hands.to(7, 8, 12)  # the clock is turned back
    assert schedule.tick() == 0
    hands.to(7, 10, 12)
    assert schedule.tick() == 0
    event = db.session.scalars(select(Event).where(Event.kind == "order.due")).one()
    assert event.after == {"rule": {"id": rule, "name": "Напомнить"}, "mark": "2026-12-10"} and event.actor_name == "Напомнить"


def test_a_changed_date_moves_the_alarm_and_an_emptied_one_has_none(cast_at: Cast, hands: Clock) -> None:
    before_shipping(cast_at)
    order, other = cast_at.place(ship_on=date(2026, 12, 10)), cast_at.place(ship_on=date(2026, 12, 10))
    ship(cast_at, order, date(2026, 12, 20))
    ship(cast_at, other, None)
    hands.to(7, 10, 12)
    assert schedule.tick() == 0
    hands.to(17, 10, 12)
    assert schedule.tick() == 1
    ship(cast_at, order, date(2026, 12, 25))
    hands.to(22, 10, 12)
    assert schedule.tick() == 1 and messages() == 2  # another date, another alarm


@pytest.mark.parametrize(("late", "expected"), [("catch_up", 1), ("skip", 0)])
def test_a_day_of_downtime_is_caught_up_with_or_skipped(cast_at: Cast, hands: Clock, late: str, expected: int) -> None:
    before_shipping(cast_at, late=late)
    cast_at.place(ship_on=date(2026, 12, 10))
    hands.to(8, 12, 12)
    assert schedule.tick() == expected
    hands.to(20, 12, 12)
    assert schedule.tick() == 0


def test_what_lay_before_the_rule_was_switched_on_does_not_come_due(cast_at: Cast, hands: Clock) -> None:
    cast_at.place(ship_on=date(2026, 11, 26))
    rule = before_shipping(cast_at)  # due was yesterday
    assert schedule.tick() == 0
    with transaction() as session:
        verbs.switch_rule(session, cast_at.actors["owner"], rule, False)
    cast_at.place(ship_on=date(2026, 12, 1))
    hands.to(29, 10)
    assert schedule.tick() == 0
    with transaction() as session:
        verbs.switch_rule(session, cast_at.actors["owner"], rule, True)
    assert schedule.tick() == 0


def test_orders_that_are_over_are_left_alone(cast_at: Cast, hands: Clock) -> None:
    before_shipping(cast_at)
    cast_at.move(cast_at.place(ship_on=date(2026, 12, 10)), "closed")
    hands.to(7, 10, 12)
    assert schedule.tick() == 0


def test_criteria_are_asked_when_it_comes_due(cast_at: Cast, hands: Clock) -> None:
    rule = before_shipping(cast_at, criteria={"all": [{"field": "paid_percent", "op": "less", "value": 100}]})
    cast_at.place(ship_on=date(2026, 12, 10), total=100, paid=100)
    cast_at.place(ship_on=date(2026, 12, 10), total=100, paid=40)
    hands.to(7, 10, 12)
    assert schedule.tick() == 2 and messages() == 1
    assert db.session.scalars(select(Run.outcome).where(Run.rule_id == rule)).all() == ["done"]


def test_too_long_in_a_status(cast_at: Cast, hands: Clock) -> None:
    add(cast_at, "stay", offset=2, unit="days", status=cast_at.statuses["prepaid"])
    order = cast_at.place()
    hands.to(26, 12)
    assert schedule.tick() == 0  # in another status
    cast_at.move(order, "prepaid")
    hands.to(28, 11)
    assert schedule.tick() == 0
    hands.to(28, 13)
    assert schedule.tick() == 1 and schedule.tick() == 0
    cast_at.move(order, "ready")
    cast_at.move(order, "prepaid")
    hands.to(30, 14)
    assert schedule.tick() == 1  # it came there anew


def test_nothing_happened_for_long(cast_at: Cast, hands: Clock) -> None:
    add(cast_at, "idle", offset=5, unit="days")
    order = cast_at.place()
    hands.to(28, 12)
    ship(cast_at, order, date(2027, 1, 10))
    hands.to(1, 12, 12)
    assert schedule.tick() == 0
    hands.to(3, 13, 12)
    assert schedule.tick() == 1 and schedule.tick() == 0
    hands.to(9, 13, 12)
    assert schedule.tick() == 0  # that it came due is nothing that happened


def test_a_rule_that_can_not_be_judged_stops_no_other(cast_at: Cast, hands: Clock) -> None:
    before_shipping(cast_at)
    broken = before_shipping(cast_at)
    with transaction() as session:
        rule = find_rule(session, broken)
        rule.version.options = {"field": "nothing"}
    cast_at.place(ship_on=date(2026, 12, 10))
    hands.to(7, 10, 12)
    assert schedule.tick() == 1


def test_a_tick_costs_a_fixed_number_of_statements(cast_at: Cast, hands: Clock) -> None:
    for days in (-3, -2, -1):
        before_shipping(cast_at, days)
    counts = []
    for _more in range(2):
        for _ in range(5):
            cast_at.place(ship_on=date(2027, 3, 1))
        statements: list[str] = []

        def listen(*arguments: Any, into: list[str] = statements) -> None:
            into.append(arguments[2])

        sa_event.listen(db.engine, "before_cursor_execute", listen)
        assert schedule.tick() == 0
        sa_event.remove(db.engine, "before_cursor_execute", listen)
        counts.append(len([one for one in statements if one.lstrip().startswith("SELECT")]))
    assert counts[0] == counts[1] <= 5
    assert db.session.scalars(select(DueMark)).all() == []


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"offset": 1, "unit": "weeks", "field": "ship_on", "at": "09:00"},
        {"offset": 9999, "unit": "days", "field": "ship_on", "at": "09:00"},
        {"offset": 1, "unit": "days", "field": "title", "at": "09:00"},
        {"offset": 1, "unit": "days", "field": "ship_on", "at": "25:00"},
    ],
)
def test_times_that_make_no_sense(cast_at: Cast, options: dict[str, Any]) -> None:
    with pytest.raises((Invalid, Malformed)):
        add(cast_at, "date", **options)
    with pytest.raises((Invalid, Malformed)):
        add(cast_at, "stay", **(options | {"offset": 0}))


def test_working_days_know_weekends_holidays_and_days_off() -> None:
    calendar = Calendar("RU", frozenset({date(2026, 11, 26)}))
    assert calendar.is_working(date(2026, 11, 25)) and not calendar.is_working(date(2026, 11, 26))
    assert not calendar.is_working(date(2026, 11, 28)) and not calendar.is_working(date(2026, 11, 4))
    assert calendar.shift(date(2026, 11, 25), 2) == date(2026, 11, 30)
    assert calendar.shift(date(2027, 1, 11), -1) == date(2026, 12, 30) or calendar.shift(date(2027, 1, 11), -1) == date(2026, 12, 31)


def test_a_worked_saturday_is_a_working_day() -> None:
    calendar = Calendar("RU", worked=frozenset({date(2026, 12, 26)}))
    assert calendar.is_working(date(2027, 2, 20)) and not Calendar("DE").is_working(date(2027, 2, 20))  # a Saturday moved by law
    assert calendar.shift(date(2027, 2, 19), 1) == date(2027, 2, 20)
    assert calendar.is_working(date(2026, 12, 26)) and not Calendar("RU").is_working(date(2026, 12, 26))
    assert not Calendar("RU", days_off=frozenset({date(2027, 2, 20)})).is_working(date(2027, 2, 20))
    assert Calendar("AQ").is_working(date(2026, 11, 25)) and not Calendar("AQ").is_working(date(2026, 11, 28))  # no holidays known


def test_the_calendar_is_that_of_the_firms_country(app: Flask) -> None:
    assert load_calendar(db.session()).country == "RU"
    with transaction() as session:
        write_setting(session, "country", "DE")
    assert not load_calendar(db.session()).is_working(date(2026, 10, 3))
    with transaction() as session:
        write_setting(session, "public_holidays", "")
    assert load_calendar(db.session()) == Calendar()


def test_moments_on_the_firms_clock() -> None:
    clock.set_zone("Europe/Berlin")
    trigger = DateNears(SHIP_ON, 0, TimeUnit.DAYS, "02:30")
    assert moment_of(date(2026, 3, 29), trigger, Calendar()) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # the clock skips it
    assert moment_of(date(2026, 10, 25), trigger, Calendar()) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first of two
    hours = DateNears(SHIP_ON, -5, TimeUnit.HOURS, "03:00")
    assert moment_of(date(2026, 11, 24), hours, Calendar()) == datetime(2026, 11, 23, 21, tzinfo=UTC)
    clock.set_zone("Europe/Moscow")
    monday = datetime(2026, 11, 30, 9, tzinfo=UTC)
    before = DateNears(SHIP_ON, -1, TimeUnit.WORKING_DAYS, "09:00", skips_late=True)
    due = dates_due(before, Calendar(), datetime(2026, 11, 27, 6, 30, tzinfo=UTC))
    assert list(due) == [date(2026, 11, 28), date(2026, 11, 29), date(2026, 11, 30)]
    assert since(1, TimeUnit.WORKING_DAYS, Calendar(), monday) == monday - timedelta(days=3)
