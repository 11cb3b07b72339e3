"""The demo workshop: weeks of work that the verbs and the rules made, all of it gone by, and nothing of it left to send."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import create_app
from kanban import clock
from kanban.config import Config
from kanban.db import Base, db
from kanban.i18n import force_locale
from kanban.models import Event, Order, Person, Status, Todo
from kanban.presets import read
from kanban.presets.demo import make_people
from kanban.presets.past import way
from kanban.security import passwords
from kanban.transactions import transaction
from kanban.views import setup
from rules.demo import fill
from rules.logs.message_figures import figures
from rules.models import Delivery, Message, Rule, Run
from rules.worker import Worker
from tests.cast import PASSWORD, Signed
from tests.conftest import SeparateClient, make_config
from tests.mailserver import Certificates, MailServer
from tests.rules.test_worker import smtp

WEDNESDAY, SUNDAY = datetime(2026, 11, 25, 10, 30, tzinfo=UTC), datetime(2026, 11, 29, 3, 0, tzinfo=UTC)


def make_demo(app: Flask, language: str = "ru") -> None:
    cast = make_people(lambda _: passwords().hash(PASSWORD))
    with force_locale(language), transaction() as session:
        fill(session, app.config["POTOK"], cast, language)


@contextmanager
def started(folder: Path, language: str = "ru", now: datetime | None = None) -> Iterator[Flask]:
    """An application whose demo was made at this time, in an SQLite file of its own."""
    folder.mkdir(exist_ok=True)
    setup.forget()
    app = create_app(make_config(f"sqlite:///{folder}/potok.db"), folder)
    app.test_client_class = SeparateClient
    with app.app_context():
        Base.metadata.create_all(db.engine)
        with clock.fixed_at(now or clock.now()):
            make_demo(app, language)
        yield app
        db.session.remove()
        db.engine.dispose()
    setup.forget()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with started(tmp_path_factory.mktemp("demo")) as app:
        yield app


@pytest.fixture
def demo(shared: Flask) -> Iterator[Flask]:
    """To be looked at only: all tests share it."""
    yield shared
    db.session.rollback()


def count(model: type[Base], *conditions: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def test_the_clock_stands_still_inside_and_in_no_other_thread() -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    elsewhere: list[datetime] = []
    with clock.fixed_at(moment):
        assert clock.now() == moment and clock.today() == date(2026, 1, 2)
        other = threading.Thread(target=lambda: elsewhere.append(clock.now()))
        other.start()
        other.join()
    assert clock.now() > moment and elsewhere[0] > moment


def test_there_is_life_in_it_within_bounds(demo: Flask) -> None:
    assert (count(Order), count(Event)) == (61, pytest.approx(275, abs=25))
    assert 150 <= count(Message, Message.channel == "email") <= 250
    assert 15 <= count(Message, Message.channel == "notice") <= 60
    assert count(Event, Event.kind == "order.commented") >= 30
    assert count(Todo, Todo.done_at.is_not(None)) >= 6 and count(Todo, Todo.done_at.is_(None)) >= 15
    days = figures(db.session()).days
    assert sum(day.all > 0 for day in days) >= 15  # a bar for nearly each working day of the last month


def test_every_order_is_where_its_row_says(demo: Flask) -> None:
    rows = read("demo")["orders"]
    query = select(Order.customer_id, Order.number, Order.paid, Order.total, Status.position).join(Status, Status.id == Order.status_id)
    found = db.session.execute(query.where(Order.board_id == 1).order_by(Order.number)).all()
    places = ["design", "ready", "prepaid", "paid", "paid_ready", "install", "closed"]
    start = min(row.position for row in found)
    for place, (row, order) in enumerate(zip(rows, found, strict=True), 1):
        assert order.number == f"К-{place:04d}"
        assert (places[order.position - start], order.paid * 100 // order.total) == (row["status"], row["paid"]), order.number
    work = select(Order.number, Status.position).join(Status, Status.id == Order.status_id).where(Order.board_id == 2)
    assert Counter(position for _number, position in db.session.execute(work)) == Counter(
        ["making", "assembly", "made"].index(row["work"]) + min(p for _n, p in db.session.execute(work)) for row in rows if "work" in row
    )


def test_it_all_has_gone_by_in_working_hours_and_in_order(demo: Flask) -> None:
    events = db.session.scalars(select(Event).order_by(Event.id)).all()
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert events[-1].at < clock.start_of(clock.today())
    assert clock.now() - events[0].at < timedelta(days=60)
    for event in events:
        there = clock.local(event.at)
        assert there.weekday() < 5 and 9 <= there.hour < 18
    assert not count(Todo, Todo.created_at > clock.start_of(clock.today()))
    assert not count(Person, Person.created_at >= events[0].at) and not count(Rule, Rule.watched_from >= events[0].at)
    for order in db.session.scalars(select(Order)):
        own = [event for event in events if event.order_id == order.id]
        entered = [event.at for event in own if event.kind in ("order.placed", "order.moved")]
        assert order.created_at == own[0].at
        assert order.entered_at == (entered[-3] if any(event.undoes_id for event in own) else entered[-1])


def test_it_is_the_same_each_time_and_in_the_same_order_on_any_day(tmp_path: Path) -> None:
    what = select(Event.id, Event.kind, Order.number, Event.actor_name, Event.at, Event.after).join(Order, Order.id == Event.order_id)

    def happened(name: str, now: datetime) -> list[tuple[Any, ...]]:
        with started(tmp_path / name, now=now):
            return [tuple(row) for row in db.session.execute(what.order_by(Event.id))]

    sunday = happened("one", SUNDAY)
    assert sunday == happened("two", SUNDAY)
    wednesday = happened("three", WEDNESDAY)
    assert [row[:4] for row in sunday] == [row[:4] for row in wednesday]
    assert (sunday[-1][4].date(), wednesday[-1][4].date()) == (date(2026, 11, 27), date(2026, 11, 24))


def test_orders_are_placed_in_order_of_their_numbers() -> None:
    placed = [way(row, place)["placed"] for place, row in enumerate(read("demo")["orders"], 1)]
    assert placed == sorted(placed)


def test_all_that_was_written_lies_in_the_tray(demo: Flask) -> None:
    states = dict(db.session.execute(select(Message.state, func.count()).where(Message.channel == "email").group_by(Message.state)).all())
    assert set(states) == {"tray", "cancelled"} and states["cancelled"] == 1
    assert not count(Message, Message.channel == "notice", Message.state != "sent")
    assert not count(Message, Message.sent_at > clock.now()) and not count(Message, Message.due_at > clock.now())
    for message, delivery in db.session.execute(select(Message, Delivery).join(Delivery, Delivery.message_id == Message.id)):
        assert (delivery.attempt, message.attempts, delivery.sender) == (1, 1, "")
        assert delivery.outcome == message.state and timedelta(0) < delivery.started_at - message.due_at < timedelta(minutes=1)
    assert count(Delivery) == count(Message, Message.state != "cancelled")


def test_nothing_of_it_leaves_though_a_mail_server_is_set(
    app: Flask, config: Config, mail_server: MailServer, certificates: Certificates
) -> None:
    app.config["POTOK"] = smtp(config, mail_server.port, certificates)
    make_demo(app)
    worker = Worker(app)
    for _ in range(5):
        worker.step()
    assert mail_server.mail == []
    assert not count(Message, Message.channel == "email", Message.state.not_in(("tray", "cancelled")))
    assert (count(Order), count(Message, Message.state == "tray")) == (61, 201)


def test_rules_moved_orders_and_made_them_and_one_failed_with_its_reason(demo: Flask) -> None:
    by_rule = db.session.scalars(select(Event).where(Event.cause_rule_id.is_not(None))).all()
    assert Counter(event.kind for event in by_rule) == {"order.moved": 11, "order.placed": 2}
    outcomes = Counter(db.session.scalars(select(Run.outcome)))
    assert outcomes["logged"] >= 5 and outcomes["nobody"] >= 3 and outcomes["done"] >= 150
    failed = db.session.scalars(select(Run).where(Run.outcome == "failed")).all()
    assert [run.notes for run in failed] == [[{"why": "change_refused", "name": "Из этого заказа уже создан П-0012."}]]
    undone = db.session.scalars(select(Event).where(Event.undoes_id.is_not(None))).all()
    assert [event.after["status"]["name"] for event in undone] == ["Проект готов"]
    assert count(Todo, Todo.cause_rule_id.is_not(None)) == 4


def test_bells_are_read_but_for_the_newest(demo: Flask) -> None:
    notices = db.session.scalars(select(Message).where(Message.channel == "notice").order_by(Message.id)).all()
    read_until = max(notice.read_at for notice in notices if notice.read_at)
    assert all((notice.read_at is None) == (notice.due_at > read_until) for notice in notices)
    assert {notice.name for notice in notices if notice.read_at is None} >= {"Ольга Белова", "Сергей Мельников"}


PAGES = ("/boards/1", "/boards/2", "/way", "/work", "/bell/all", "/bell/list")
SETTINGS = (
    "/settings/messages",
    "/settings/messages?page=2",
    "/settings/messages.csv",
    "/settings/rules",
    "/settings/rules/runs",
    "/settings/rules/runs?page=2",
    "/settings/told",
    "/settings/people",
)


def look(app: Flask, language: str) -> None:
    owner, staff = (Signed(app.test_client(), f"{name}@melnikov.example") for name in ("melnikov", "kim"))
    orders = [f"/orders/{id_}" for id_ in db.session.scalars(select(Order.id))][::3]
    whys = [f"/orders/{order}/events/{id_}/why" for id_, order in db.session.execute(select(Event.id, Event.order_id))][::15]
    messages = [f"/settings/messages/{id_}" for id_ in db.session.scalars(select(Message.id))][::25]
    db.session.rollback()
    for path in (*PAGES, *SETTINGS, *orders, *whys, *messages):
        answer = owner.get(path)
        assert answer.status_code == 200, path
        if language == "en":
            assert not any("а" <= sign <= "я" for sign in answer.text.replace("Русский", "").casefold()), path
    for path in (*PAGES, *orders[::4]):
        assert staff.get(path).status_code == 200, path


def test_every_page_answers(demo: Flask, tmp_path: Path) -> None:
    look(demo, "ru")
    with started(tmp_path, "en") as app:
        look(app, "en")


def test_every_text_of_the_file_is_in_both_languages() -> None:
    def texts(value: Any) -> list[dict[str, Any]]:
        if isinstance(value, dict):
            here = [value] if {"ru", "en"} & value.keys() else []
            return here + [found for part in value.values() for found in texts(part)]
        return [found for part in value for found in texts(part)] if isinstance(value, list) else []

    found = texts(read("demo"))
    assert len(found) > 200
    assert all(text.keys() == {"ru", "en"} and all(text.values()) for text in found)
