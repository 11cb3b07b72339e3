"""Actions that wait: done at their time, asked again, dropped where the order moved on, the rule is off, or the move undone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from kanban import clock
from kanban.calendar import Calendar
from kanban.config import Config
from kanban.db import db
from kanban.errors import Invalid
from kanban.json_reader import Malformed
from kanban.models import Order
from kanban.transactions import transaction
from rules.definition.channels import Channel
from rules.definition.delay import Delay, DelayUnit
from rules.editing import verbs
from rules.models import Later, Message, Rule, Run
from rules.running import delayed
from rules.running.engine import Engine
from tests.cast import Cast
from tests.rule_json import recipient, rule_fields, send_email


class Clock:
    moment = datetime(2026, 11, 24, 7, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def on(self, **by: int) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "now", made.now)
    return made


@pytest.fixture
def quiet(hands: Clock, cast: Cast) -> Cast:
    with transaction() as session:
        session.execute(update(Rule).values(active=False))
    return cast


def message(cast: Cast, **after: Any) -> dict[str, Any]:
    action = send_email(cast.templates["manager"], [recipient("person", cast.people["accountant"])])
    return action | ({"after": after} if after else {})


def add(cast: Cast, *actions: dict[str, Any], criteria: dict[str, Any] | None = None) -> int:
    fields = rule_fields("Позже", cast.boards["orders"], "entered", cast.statuses["prepaid"], criteria, list(actions))
    with transaction() as session:
        return verbs.add_rule(session, cast.actors["owner"], fields).id


def states() -> list[tuple[str, str]]:
    db.session.rollback()
    return [tuple(row) for row in db.session.execute(select(Later.state, Later.why).order_by(Later.id))]


def messages() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(Message.id).where(Message.state != "cancelled")).all())


def perform(config: Config) -> int:
    return delayed.perform_due(Engine(config).perform)


def test_an_action_is_done_at_its_time_beside_the_same_message_at_once(quiet: Cast, hands: Clock, config: Config) -> None:
    rule = add(
        quiet, message(quiet), message(quiet, number=2, unit="hours"), {"do": "tag", "tag": "ждёт", "after": {"number": 1, "unit": "days"}}
    )
    order = quiet.place()
    quiet.move(order, "prepaid")
    assert messages() == 1 and states() == [("waiting", ""), ("waiting", "")]
    hands.on(hours=1)
    assert perform(config) == 0
    hands.on(hours=1)
    assert perform(config) == 1 and perform(config) == 0 and messages() == 2
    hands.on(hours=22)
    assert perform(config) == 1
    db.session.rollback()
    assert db.session.get_one(Order, order.id).tags == ["ждёт"]
    run = db.session.scalars(select(Run).where(Run.rule_id == rule)).one()
    assert [note["why"] for note in run.notes] == ["later", "later", "later_done", "later_done", "changed"] and run.outcome == "done"


def test_criteria_are_asked_again_and_the_status_too(quiet: Cast, hands: Clock, config: Config) -> None:
    add(quiet, message(quiet, number=1, unit="hours", ask_again=True), criteria={"all": [{"field": "total", "op": "more", "value": 100}]})
    add(quiet, message(quiet, number=1, unit="hours", while_there=True))
    order, other = quiet.place(total=1000), quiet.place(total=1000)
    quiet.move(order, "prepaid")
    quiet.move(other, "prepaid")
    with transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(total=1))
    quiet.move(order, "ready")
    hands.on(hours=1)
    assert perform(config) == 4 and messages() == 1  # one event, one message: both rules have the same one
    assert sorted(states()) == [("cancelled", "left"), ("cancelled", "not_any_more"), ("done", ""), ("done", "")]


def test_undo_drops_what_waits_and_a_rule_that_is_off_does_nothing(quiet: Cast, hands: Clock, config: Config) -> None:
    rule = add(quiet, message(quiet, number=1, unit="hours"))
    one, other = quiet.place(), quiet.place()
    moved = quiet.move(one, "prepaid")
    assert moved.event
    quiet.undo(one, moved.event.id)
    quiet.move(other, "prepaid")
    with transaction() as session:
        verbs.switch_rule(session, quiet.actors["owner"], rule, False)
    hands.on(hours=2)
    assert perform(config) == 1 and messages() == 0
    assert states() == [("cancelled", "undone"), ("cancelled", "off")]


def test_an_undo_that_comes_too_late_drops_nothing_that_waits(quiet: Cast, hands: Clock, config: Config) -> None:
    add(quiet, message(quiet), message(quiet, number=1, unit="hours"))
    order = quiet.place()
    moved = quiet.move(order, "prepaid")
    with transaction() as session:
        session.execute(update(Message).values(state="sent"))
    assert moved.event and quiet.undo(order, moved.event.id).undone.gone.counts == ((Channel.EMAIL, 1),)
    assert states() == [("waiting", "")]
    hands.on(hours=1)
    assert perform(config) == 1 and messages() == 2


def test_a_later_action_that_fails_is_a_note(quiet: Cast, hands: Clock, config: Config) -> None:
    rule = add(quiet, {"do": "make_production", "after": {"number": 1, "unit": "minutes"}})
    order = quiet.place()
    quiet.move(order, "prepaid")
    quiet.produce(order)
    hands.on(minutes=1)
    assert perform(config) == 1
    db.session.rollback()
    run = db.session.scalars(select(Run).where(Run.rule_id == rule)).one()
    assert run.outcome == "failed" and run.notes[-1]["why"] == "change_refused"


def test_when_it_is_due() -> None:
    friday = datetime(2026, 11, 27, 12, tzinfo=UTC)
    assert delayed.due_at(Delay(90, DelayUnit.MINUTES), friday, Calendar) == friday + timedelta(minutes=90)
    assert delayed.due_at(Delay(1, DelayUnit.WORKING_DAYS), friday, Calendar) == friday + timedelta(days=3)


@pytest.mark.parametrize("after", [{"number": 0, "unit": "hours"}, {"number": 1, "unit": "years"}, {"number": 99_999, "unit": "days"}])
def test_waits_that_make_no_sense(quiet: Cast, after: dict[str, Any]) -> None:
    with pytest.raises((Invalid, Malformed)):
        add(quiet, message(quiet, **after))
