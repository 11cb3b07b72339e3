"""To-dos: who may do what with them, when they call, what is refused. And comments: whom they mention."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event as sa_event
from sqlalchemy import select

from kanban import clock, orders, people, todos
from kanban.actor import Actor
from kanban.db import db
from kanban.errors import Conflict, Forbidden, Invalid, NotFound
from kanban.models import LiveChange, Order, Todo
from kanban.people import PersonFields
from kanban.todos import TodoFields, verbs
from kanban.todos.queries import due_count, my_work, todos_of_order
from kanban.transactions import transaction
from tests.cast import Cast


@pytest.fixture
def order(cast: Cast) -> Order:
    return cast.place()


def add(cast: Cast, order: Order, who: Actor | None = None, key: str = "", **fields: Any) -> Todo:
    whose = {} if "role_id" in fields else {"person_id": cast.people["manager"]}
    with transaction() as session:
        return todos.add(session, who or cast.owner, order.id, TodoFields(**({"text": "Позвонить"} | whose | fields)), key=key)


def do(verb: Any, *arguments: Any, **more: Any) -> Todo:
    with transaction() as session:
        return verb(session, *arguments, **more)  # type: ignore[no-any-return]


def now(todo: Todo) -> Todo:
    db.session.rollback()
    return db.session.get_one(Todo, todo.id, populate_existing=True)


def topics() -> set[str]:
    db.session.rollback()
    return {topic for row in db.session.scalars(select(LiveChange.topics)) for topic in row}


def test_a_to_do_is_added_once_however_often_it_is_asked_for(cast: Cast, order: Order) -> None:
    first = add(cast, order, cast.manager, key="k1", due_on=date(2026, 12, 1), due_time=time(10, 30))
    assert add(cast, order, cast.manager, key="k1").id == first.id
    assert (first.author_id, first.author_name, first.version) == (cast.people["manager"], "Ольга Белова", 1)
    with pytest.raises(Conflict):
        add(cast, order, cast.designer, key="k1")
    with pytest.raises(Conflict):
        add(cast, cast.place(), cast.manager, key="k1")


def test_pages_of_the_order_and_of_the_people_hear_of_it(cast: Cast, order: Order) -> None:
    todo = add(cast, order)
    assert {f"order-{order.id}", f"work-{cast.people['manager']}"} <= topics()
    fields = TodoFields("Позвонить", role_id=cast.roles["designer"])
    do(todos.change, cast.owner, todo.id, fields, version=1)
    assert f"work-{cast.people['designer']}" in topics()


def test_a_viewer_only_looks(cast: Cast, order: Order) -> None:
    todo = add(cast, order, person_id=cast.people["viewer"])
    with pytest.raises(Forbidden):
        add(cast, order, cast.viewer)
    for verb in (todos.done, todos.undone, todos.remove):
        with pytest.raises(Forbidden):
            do(verb, cast.viewer, todo.id)
    with pytest.raises(Forbidden):
        do(todos.change, cast.viewer, todo.id, TodoFields("x", person_id=cast.people["viewer"]), version=1)


def test_done_is_said_by_whose_it_is_or_an_administrator(cast: Cast, order: Order) -> None:
    own, of_role = add(cast, order), add(cast, order, role_id=cast.roles["designer"])
    with pytest.raises(Forbidden):
        do(todos.done, cast.designer, own.id)
    with pytest.raises(Forbidden):
        do(todos.done, cast.manager, of_role.id)
    do(todos.done, cast.manager, own.id)
    do(todos.done, cast.designer, of_role.id)
    assert (now(own).done_by_name, now(of_role).done_by_id) == ("Ольга Белова", cast.people["designer"])
    before = now(own).done_at
    do(todos.done, cast.owner, own.id)
    assert now(own).done_at == before and now(own).done_by_name == "Ольга Белова", "who was first stays"
    do(todos.undone, cast.owner, own.id)
    assert now(own).done_at is None and now(own).done_by_name == ""


def test_somebody_elses_change_is_not_overwritten(cast: Cast, order: Order) -> None:
    todo = add(cast, order)
    do(todos.change, cast.manager, todo.id, TodoFields("Первый", person_id=cast.people["manager"]), version=1)
    with pytest.raises(Conflict):
        do(todos.change, cast.designer, todo.id, TodoFields("Второй", person_id=cast.people["designer"]), version=1)
    assert now(todo).text == "Первый"
    with pytest.raises(Forbidden):
        do(todos.remove, cast.designer, todo.id)
    do(todos.remove, cast.manager, todo.id)
    with pytest.raises(NotFound):
        do(todos.done, cast.owner, todo.id)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"text": ""}, "text"),
        ({"text": "х" * 501}, "text"),
        ({"kind": "party"}, "kind"),
        ({"due_time": time(9)}, "due_on"),
        ({"due_on": date(9999, 12, 31)}, "due_on"),
        ({"due_on": date(1, 1, 1)}, "due_on"),
        ({"person_id": None}, "whose"),
        ({"person_id": 99999}, "whose"),
        ({"person_id": None, "role_id": 99999}, "whose"),
        ({"person_id": 1, "role_id": 1}, "whose"),
    ],
)
def test_what_makes_no_sense_is_refused(cast: Cast, order: Order, fields: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(cast, order, **({"person_id": cast.people["manager"]} | fields))
    assert refused.value.field == where


def test_who_has_left_gets_no_more(cast: Cast, order: Order) -> None:
    todo = add(cast, order, person_id=cast.people["designer"])
    with transaction() as session:
        people.change_person(session, cast.owner, cast.people["designer"], PersonFields("Марина", cast.email("designer"), active=False))
    with pytest.raises(Invalid):
        add(cast, order, person_id=cast.people["designer"])
    do(todos.change, cast.owner, todo.id, TodoFields("Другое", person_id=cast.people["designer"]), version=1)
    with pytest.raises(NotFound), transaction() as session:
        todos.add(session, cast.owner, 99999, TodoFields("x", person_id=cast.people["manager"]))


def test_an_order_holds_so_many_and_no_more(cast: Cast, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "MOST_OPEN", 2)
    add(cast, order)
    done = add(cast, order)
    with pytest.raises(Invalid):
        add(cast, order)
    do(todos.done, cast.owner, done.id)
    add(cast, order)


def test_when_it_calls(cast: Cast, order: Order) -> None:
    day = clock.today() + timedelta(days=3)
    at = add(cast, order, due_on=day, due_time=time(15, 45))
    morning, never = add(cast, order, due_on=day), add(cast, order)
    assert at.ring_at == clock.at(day, time(15, 45)) and morning.ring_at == clock.at(day, time(9)) and never.ring_at is None
    do(todos.done, cast.owner, at.id)
    assert now(at).ring_at is None
    do(todos.undone, cast.owner, at.id)
    assert now(at).ring_at == clock.at(day, time(15, 45))
    do(todos.change, cast.owner, never.id, TodoFields("Позвонить", person_id=cast.people["manager"], due_on=day), version=1)
    assert now(never).ring_at == clock.at(day, time(9))
    late = add(cast, order, due_on=clock.today() - timedelta(days=1))
    do(todos.done, cast.owner, late.id)
    do(todos.undone, cast.owner, late.id)
    assert now(late).ring_at is None, "it doesn't call again for a time that has gone by"


def test_my_work_is_ones_own_and_that_of_ones_roles(cast: Cast, order: Order) -> None:
    today = clock.today()
    late, soon = add(cast, order, due_on=today - timedelta(days=2)), add(cast, order, due_on=today, kind="contact")
    later = add(cast, order, due_on=today + timedelta(days=1), role_id=cast.roles["manager"])
    some_day, done = add(cast, order), add(cast, order)
    add(cast, order, person_id=cast.people["designer"], due_on=today)
    do(todos.done, cast.manager, done.id)
    session = db.session()
    work = my_work(session, cast.manager)
    found = {name: [line.id for line in lines] for name, lines in work.groups}
    assert found == {"overdue": [late.id], "today": [soon.id], "later": [later.id], "none": [some_day.id], "done": [done.id]}
    assert work.kinds == {"task": 3, "reminder": 0, "calendar": 0, "contact": 1}
    assert [line.id for _name, lines in my_work(session, cast.manager, "contact").groups for line in lines] == [soon.id]
    assert (due_count(session, cast.manager), due_count(session, cast.designer), due_count(session, cast.viewer)) == (2, 1, 0)
    lines = todos_of_order(session, cast.designer, order.id)
    assert len(lines) == 6 and [line.can_finish for line in lines if line.is_mine] == [True] and sum(line.can_finish for line in lines) == 1
    assert not any(line.can_finish for line in todos_of_order(session, cast.viewer, order.id))


def test_a_role_that_goes_leaves_its_to_dos_on_the_order(cast: Cast, order: Order) -> None:
    with transaction() as session:
        role = people.add_role(session, cast.owner, "Водитель").id
    todo = add(cast, order, role_id=role)
    with transaction() as session:
        people.remove_role(session, cast.owner, role)
    assert now(todo).role_id is None and todos_of_order(db.session(), cast.owner, order.id)[0].whose == ""
    do(todos.change, cast.owner, todo.id, TodoFields("Отвезти", person_id=cast.people["manager"]), version=1)


def said(cast: Cast, order: Order, text: str, who: Actor | None = None) -> dict[str, Any]:
    with transaction() as session:
        recorded = orders.comment(session, who or cast.owner, order.id, text)[1]
    assert recorded is not None
    return recorded.event.after


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("@Ольга Белова, позвоните", ["manager"]),
        ("Спросите @марина.", ["designer"]),
        ("@ОЛЬГА и @Марина Лисицына", ["manager", "designer"]),
        ("@Ольга @ольга белова", ["manager"]),
        ("почта olga@ольга.рф", []),
        ("@Ольгаа, @Мариной", []),
        ("@ Ольга", []),
        ("@", []),
        ("Ольга Белова", []),
        ("(@Ольга)", ["manager"]),
        ("@Никто", []),
        ("@.* @[", []),
    ],
)
def test_whom_a_comment_mentions(cast: Cast, order: Order, text: str, who: list[str]) -> None:
    after = said(cast, order, text)
    assert after["mentions"] == [cast.people[one] for one in who]
    assert all(text[start] == "@" and text[start:end].strip() == text[start:end] for start, end in after["marked"])


def test_a_first_name_of_two_people_mentions_neither_but_the_whole_name_does(cast: Cast, order: Order) -> None:
    with transaction() as session:
        other = people.add_person(session, cast.owner, PersonFields("Ольга Беловацкая", "o2@melnikov.example")).id
    assert said(cast, order, "@Ольга, где чертёж?")["mentions"] == []
    assert said(cast, order, "@Ольга Белова, где чертёж?")["mentions"] == [cast.people["manager"]]
    assert said(cast, order, "@Ольга Беловацкая, где чертёж?")["mentions"] == [other]


def test_long_comments_full_of_ats_cost_little(cast: Cast, order: Order) -> None:
    began = datetime.now()  # noqa: DTZ005
    said(cast, order, "@Ольга Белов" * 400)
    said(cast, order, "@" * 5000)
    assert datetime.now() - began < timedelta(seconds=2)  # noqa: DTZ005


def test_the_end_of_an_order_costs_the_same_however_many_to_dos_it_has(cast: Cast, order: Order) -> None:
    order_id, role = order.id, cast.roles["designer"]
    with transaction() as session:
        todos.add(session, cast.manager, order_id, TodoFields("Раз", role_id=role))
        todos.add(session, cast.manager, order_id, TodoFields("Два", person_id=cast.people["accountant"]))
    counted: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        counted.extend([statement] if statement.startswith("SELECT") else [])  # SQLite begins by a statement too

    topics = []
    for _ in range(2):
        counted.clear()
        sa_event.listen(db.engine, "before_cursor_execute", count)
        try:
            topics.append((todos.work_topics(db.session(), [order_id]), len(counted)))
        finally:
            sa_event.remove(db.engine, "before_cursor_execute", count)
        db.session.rollback()
        with transaction() as session:
            for number in range(20):
                todos.add(session, cast.manager, order_id, TodoFields(f"Ещё {number}", role_id=role))
    theirs = tuple(f"work-{id_}" for id_ in sorted((cast.people["designer"], cast.people["accountant"])))
    assert topics == [(theirs, 1), (theirs, 1)]
