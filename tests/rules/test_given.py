"""To-dos that rules give, and what calls at the bell: mentions and to-dos that are due, each once; on both databases."""

import threading
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.datastructures import MultiDict

from kanban import clock, orders, people, todos
from kanban.actor import Actor
from kanban.db import db
from kanban.errors import Invalid
from kanban.json_reader import Malformed
from kanban.models import Event, Order, Person, Todo
from kanban.todos import TodoFields
from kanban.transactions import Turn, transaction
from rules.editing import verbs
from rules.forms.editor import read_state
from rules.forms.rule import rule_of, state_of
from rules.models import Message, Rule, Run
from rules.queries.lookup import load_rule_lookup
from rules.running import reminders
from rules.running.upcoming import upcoming
from rules.words.sentences import sentence_of
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.rule_json import changed, rule_fields


@pytest.fixture(autouse=True)
def only_ours(cast: Cast) -> None:
    with transaction() as session:
        for rule in session.scalars(select(Rule)):
            rule.active = False


def rule(cast: Cast, *actions: dict[str, Any], trigger: str = "entered", status: str | None = "prepaid") -> int:
    fields = rule_fields("Поручение", cast.boards["orders"], trigger, cast.statuses[status] if status else None, {"all": []}, list(actions))
    with transaction() as session:
        return verbs.add_rule(session, cast.owner, fields).id


def given(**more: Any) -> dict[str, Any]:
    return {"do": "todo", "kind": "task", "text": "Заказ {{ order.number }}: позвонить", "due": None} | more


def found() -> list[Todo]:
    db.session.rollback()
    return list(db.session.scalars(select(Todo).order_by(Todo.id).execution_options(populate_existing=True)))


def notices() -> list[Message]:
    db.session.rollback()
    query = select(Message).where(Message.channel == "notice").order_by(Message.id).execution_options(populate_existing=True)
    return list(db.session.scalars(query))


def outcome(rule_id: int) -> tuple[str, list[dict[str, Any]]]:
    db.session.rollback()
    run = db.session.scalars(select(Run).where(Run.rule_id == rule_id)).one()
    return run.outcome, run.notes


def test_a_rule_gives_to_a_person_a_role_and_the_responsible(app: Flask, cast: Cast) -> None:
    manager, designer = cast.people["manager"], cast.people["designer"]
    rule_id = rule(
        cast,
        given(person=manager, kind="contact", due={"days": 3, "time": "09:30"}),
        given(role=cast.roles["designer"], due={"field": "ship_on", "days": -2}),
        given(role=cast.roles["accountant"], due={"field": "installation_on", "days": 1, "time": "10:00"}),
        given(responsible=True),
    )
    order = cast.place(responsible_id=manager, people={cast.roles["designer"]: designer})
    cast.move(order, "prepaid")
    one, two, three, four = found()
    assert (one.person_id, one.kind, one.due_on, one.due_time) == (manager, "contact", clock.today() + timedelta(days=3), time(9, 30))
    assert one.text == f"Заказ {order.number}: позвонить" and one.author_name == "Поручение" and one.author_id is None
    assert one.cause_rule_id == rule_id and one.cause_event_id
    assert (two.person_id, two.role_id, two.due_on) == (designer, None, date(2026, 12, 24)), "the person who fills the role on the order"
    assert (three.person_id, three.role_id) == (None, cast.roles["accountant"])
    assert three.due_on is None and three.due_time is None, "an empty date on the order jams nothing"
    assert four.person_id == manager
    assert outcome(rule_id) == ("done", [{"why": "changed", "name": "todo"}] * 4)
    event = db.session.scalars(select(Event.id).where(Event.kind == "order.moved")).one()
    page = Signed(app.test_client(), cast.email("owner")).get(f"/orders/{order.id}/events/{event}/why").text
    assert page.count("дело: Заказ") == 4, "the page that says why names them"


def test_what_a_rule_gave_goes_with_the_move_that_is_undone_unless_it_is_done(cast: Cast) -> None:
    rule(cast, given(person=cast.people["manager"]), given(person=cast.people["designer"]))
    order = cast.place()
    moved = cast.move(order, "prepaid")
    with transaction() as session:
        todos.done(session, cast.designer, found()[1].id)
    assert moved.event
    cast.undo(order, moved.event.id)
    assert [one.person_id for one in found()] == [cast.people["designer"]]


def test_a_rule_that_can_not_give_says_so_and_the_move_stands(cast: Cast) -> None:
    nobody = rule(cast, given(responsible=True))
    gone = rule(cast, given(person=cast.people["designer"]))
    far = rule(cast, given(person=cast.people["manager"], due={"field": "ship_on", "days": 3650}))
    with transaction() as session:
        session.execute(update(Person).where(Person.id == cast.people["designer"]).values(active=False))
    order = cast.place(ship_on=date(9999, 12, 31))
    assert cast.move(order, "prepaid").event
    assert found() == []
    assert outcome(nobody) == ("failed", [{"why": "change_refused", "name": "The order has no responsible person."}])
    assert outcome(gone)[0] == "failed"
    assert outcome(far) == ("failed", [{"why": "change_failed", "name": "OverflowError"}])


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "party"},
        {"text": ""},
        {"text": "{{ order.secret }}"},
        {"person": None},
        {"person": 99999},
        {"responsible": True},
        {"person": None, "role": 99999},
        {"due": {"days": 99999}},
        {"due": {"field": "created", "days": 1}},
        {"due": {"days": "x"}},
        {"due": {"days": 1, "time": "25:00"}},
    ],
)
def test_to_dos_that_make_no_sense_are_not_saved(cast: Cast, wrong: dict[str, Any]) -> None:
    with pytest.raises((Invalid, Malformed)):
        rule(cast, given(**({"person": cast.people["manager"]} | wrong)))


def test_the_editor_keeps_what_was_chosen_and_the_sentence_says_it(cast: Cast) -> None:
    action = given(role=cast.roles["designer"], kind="reminder", due={"field": "ship_on", "days": -2, "time": "09:00"})
    fields = rule_fields("Поручение", cast.boards["orders"], "entered", cast.statuses["prepaid"], {"all": []}, [action])
    state = state_of(fields)
    assert state.actions[0].values["whose"] == f"role:{cast.roles['designer']}" and state.actions[0].values["duedays"] == "-2"
    assert rule_of(state).content == fields.content
    said = sentence_of(fields, load_rule_lookup(db.session())).clauses[0]
    assert said.text == "Заказ [number]: позвонить" and said.to == ("Дизайнер",) and "09:00" in said.wishes[0]
    lost = sentence_of(changed(fields, actions=[given(role=99999)]), load_rule_lookup(db.session()))
    assert lost.gone


@pytest.mark.parametrize("typed", [{"duedays-0": "много"}, {"duedays-0": "1", "duetime-0": "25:61"}, {"duedays-0": "99999"}])
def test_what_the_editor_can_not_read_is_said(cast: Cast, typed: dict[str, str]) -> None:
    form = {"name": "x", "board_id": str(cast.boards["orders"]), "trigger": "placed", "channel-0": "todo", "text-0": "Позвонить"}
    state = read_state(MultiDict(form | {"whose-0": "responsible", "duefrom-0": "today"} | typed))
    with pytest.raises(Invalid):
        rule_of(state)


def comment(cast: Cast, order: Order, text: str, who: Actor | None = None, key: str = "") -> None:
    with transaction() as session:
        orders.comment(session, who or cast.owner, order.id, text, key=key)


def drain(app: Flask) -> None:
    worker = Worker(app)
    while worker.step():
        pass


def test_a_mention_calls_at_the_bell_of_each_but_the_author_once(app: Flask, cast: Cast) -> None:
    order = cast.place()
    for _time in range(2):
        comment(cast, order, "@Ольга Белова и @Марина, и @Сергей: чертёж\nготов", key="k1")
    told = notices()
    assert {one.person_id for one in told} == {cast.people["manager"], cast.people["designer"]}
    assert all(one.order_id == order.id and one.text.startswith("Сергей Мельников") and "чертёж\nготов" in one.text for one in told)
    drain(app)
    assert [one.state for one in notices()] == ["sent", "sent"]


def test_a_rules_comment_mentions_too_and_waits_for_the_undo(app: Flask, cast: Cast) -> None:
    rule(cast, {"do": "comment", "text": "@Ольга Белова, проверьте {{ order.number }}"})
    order = cast.place()
    moved = cast.move(order, "prepaid")
    assert [one.person_id for one in notices()] == [cast.people["manager"]] and notices()[0].due_at > clock.now()
    assert moved.outcome.messages == 1 and moved.event
    cast.undo(order, moved.event.id)
    assert [one.state for one in notices()] == ["cancelled"]


def test_a_long_comment_is_cut_for_the_bell(cast: Cast) -> None:
    comment(cast, cast.place(), "@Ольга " + "х" * 4900)
    assert len(notices()[0].text) == 1000 and len(notices()[0].subject) <= 400


def due(cast: Cast, order: Order, **fields: Any) -> Todo:
    whose = {} if "role_id" in fields else {"person_id": cast.people["manager"]}
    with transaction() as session:
        return todos.add(
            session,
            cast.owner,
            order.id,
            TodoFields(**({"text": "Позвонить", "due_on": clock.today() - timedelta(days=1)} | whose | fields)),
        )


def test_a_to_do_calls_once_at_its_time(app: Flask, cast: Cast) -> None:
    order = cast.place()
    todo, later = due(cast, order, kind="contact"), due(cast, order, due_on=clock.today() + timedelta(days=1))
    for _time in range(3):
        drain(app)
    told = notices()
    assert [(one.person_id, one.state, one.order_id) for one in told] == [(cast.people["manager"], "sent", order.id)]
    assert "Позвонить" in told[0].text and order.number in told[0].text and "Хасанова Гузель" in told[0].text
    one, other = found()
    assert (one.id, other.id) == (todo.id, later.id) and one.noticed_at and one.ring_at is None and other.noticed_at is None


def test_a_to_do_of_an_order_that_is_over_calls_nobody(app: Flask, cast: Cast) -> None:
    order = cast.place()
    due(cast, order)
    with transaction() as session:
        session.execute(update(Todo).values(created_at=clock.now() - timedelta(days=2)))
    cast.move(order, "closed")
    drain(app)
    assert notices() == [] and [one.ring_at for one in found()] == [None]


def test_a_to_do_of_a_role_calls_all_its_active_holders(app: Flask, cast: Cast) -> None:
    with transaction() as session:
        role = people.add_role(session, cast.owner, "Смена").id
        for who in ("manager", "designer", "accountant"):
            person = people.find_person(session, cast.people[who])
            person.held_roles = [*person.held_roles, session.get_one(people.Role, role)]
        people.find_person(session, cast.people["accountant"]).active = False
    due(cast, cast.place(), role_id=role)
    drain(app)
    assert {one.person_id for one in notices()} == {cast.people["manager"], cast.people["designer"]}


def test_another_time_or_person_calls_anew_and_another_text_does_not(app: Flask, cast: Cast) -> None:
    todo = due(cast, cast.place())
    drain(app)
    fields = TodoFields("Иначе", person_id=cast.people["manager"], due_on=todo.due_on)
    for version, wanted in enumerate([fields, replace(fields, person_id=cast.people["designer"]), fields], 1):
        with transaction() as session:
            todos.change(session, cast.owner, todo.id, wanted, version=version)
        drain(app)
    assert [one.person_id for one in notices()] == [cast.people[one] for one in ("manager", "designer", "manager")]


def test_what_is_done_or_removed_does_not_call(app: Flask, cast: Cast) -> None:
    order = cast.place()
    done, gone = due(cast, order), due(cast, order)
    with transaction() as session:
        todos.done(session, cast.owner, done.id)
        todos.remove(session, cast.owner, gone.id)
    drain(app)
    assert notices() == []


def test_two_workers_tell_each_to_do_once(app: Flask, cast: Cast) -> None:
    order = cast.place()
    with transaction() as session:
        session.add_all(
            Todo(order_id=order.id, text=f"Дело {number}", person_id=cast.people["manager"], ring_at=clock.now()) for number in range(250)
        )
    config, counted = app.config["POTOK"], []

    def work() -> None:
        with app.app_context():
            rang = 1
            while rang:
                with transaction(Turn.NONE) as session:
                    rang = reminders.ring(session, clock.now(), config)
                counted.append(rang)
            db.session.remove()

    threads = [threading.Thread(target=work) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counted) == 250 and max(counted) <= reminders.BATCH
    assert len(notices()) == 250 and len({one.text for one in notices()}) == 250
    assert upcoming(db.session()).ring_at is None
