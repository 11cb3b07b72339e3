"""Comments and to-dos over HTTP: the order's page, «My work», with HTMX and without; roles, strangers, and hostile typing."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy import event as sa_event

from kanban import clock, todos
from kanban.db import db
from kanban.models import Event, LiveChange, Order, Person, Todo
from kanban.todos import TodoFields
from kanban.transactions import transaction
from rules.worker import Worker
from tests.cast import Cast, Signed

EVIL = "<img src=x onerror=alert(1)>\"'&{{ 7*7 }}"


@pytest.fixture
def order(cast: Cast) -> Order:
    return cast.place()


@pytest.fixture
def manager(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("manager"))


@pytest.fixture
def viewer(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("viewer"))


def form(cast: Cast, **more: str) -> dict[str, str]:
    return {"text": "Позвонить", "kind": "contact", "whose": f"person:{cast.people['manager']}", "due_on": "", "due_time": ""} | more


def add(cast: Cast, order: Order, **fields: Any) -> Todo:
    with transaction() as session:
        return todos.add(session, cast.owner, order.id, TodoFields(**({"text": "Замер", "person_id": cast.people["manager"]} | fields)))


def found() -> list[Todo]:
    db.session.rollback()
    return list(db.session.scalars(select(Todo).order_by(Todo.id).execution_options(populate_existing=True)))


def comments() -> list[str]:
    db.session.rollback()
    return [one.after["text"] for one in db.session.scalars(select(Event).where(Event.kind == "order.commented").order_by(Event.id))]


def test_a_comment_by_a_plain_form_and_by_htmx(cast: Cast, order: Order, manager: Signed) -> None:
    answer = manager.post(f"/orders/{order.id}/comment", {"text": "Первый\r\nи вторая строка", "key": "a"})
    assert answer.status_code == 303 and answer.headers["Location"] == f"/orders/{order.id}#history"
    answer = manager.post(f"/orders/{order.id}/comment", {"text": "@Марина Лисицына, чертёж", "key": "b"}, htmx=True)
    assert answer.status_code == 200 and 'id="say"' in answer.text and 'id="timeline" hx-swap-oob="morph"' in answer.text
    assert '<b class="mention">@Марина Лисицына</b>, чертёж' in answer.text
    manager.post(f"/orders/{order.id}/comment", {"text": "@Марина Лисицына, чертёж", "key": "b"}, htmx=True)
    assert comments() == ["Первый\nи вторая строка", "@Марина Лисицына, чертёж"], "a repeat says nothing twice"
    answer = manager.get(f"/orders/{order.id}")
    page = answer.text
    assert (
        "Первый\nи вторая строка" in answer.get_data(as_text=True)
        and 'data-name="Марина Лисицына"' in page
        and 'data-name="Ольга Белова"' not in page
    )


def test_a_mention_is_found_at_the_bell(app: Flask, cast: Cast, order: Order, manager: Signed) -> None:
    manager.post(f"/orders/{order.id}/comment", {"text": f"@Марина, {EVIL}"})
    worker = Worker(app)
    while worker.step():
        pass
    designer = Signed(app.test_client(), cast.email("designer"))
    assert "data-dot" in designer.get("/bell").text and "data-dot" not in manager.get("/bell").text
    page = designer.get("/bell/all").text
    assert order.number in page and "<img" not in page
    owner = Signed(app.test_client(), cast.email("owner"))
    assert owner.get("/settings/messages").status_code == 200
    message = cast.messages(kind="mention")[0]
    assert owner.get(f"/settings/messages/{message.id}").status_code == 200


@pytest.mark.parametrize("text", ["", "  \n ", "\x00\x07", "х" * 5001])
def test_a_comment_that_can_not_be_said(order: Order, manager: Signed, text: str) -> None:
    answer = manager.post(f"/orders/{order.id}/comment", {"text": text})
    assert answer.status_code == 422 and 'id="say-reason"' in answer.text and text.strip()[:100].replace("\x00\x07", "") in answer.text
    assert manager.post(f"/orders/{order.id}/comment", {"text": text}, htmx=True).status_code == 422
    assert comments() == []


def test_what_is_typed_is_shown_as_it_is(cast: Cast, order: Order, manager: Signed) -> None:
    manager.post(f"/orders/{order.id}/comment", {"text": f"@Марина {EVIL}"})
    manager.post(f"/orders/{order.id}/todos/add", form(cast, text=EVIL))
    for url in (f"/orders/{order.id}", "/work", f"/todos/{found()[0].id}/edit"):
        page = manager.get(url).text
        assert "&lt;img src=x" in page and "<img" not in page and "{{ 7*7 }}" in page


def test_a_viewer_looks_and_a_stranger_does_not(app: Flask, cast: Cast, order: Order, viewer: Signed) -> None:
    todo = add(cast, order, person_id=cast.people["viewer"])
    page = viewer.get(f"/orders/{order.id}").text
    assert "Замер" in page and 'id="say"' not in page and 'id="todo-add"' not in page and f"/todos/{todo.id}/" not in page
    assert "Замер" in viewer.get("/work").text
    posts = [
        (f"/orders/{order.id}/comment", {"text": "x"}),
        (f"/orders/{order.id}/todos/add", form(cast)),
        (f"/todos/{todo.id}/done", {}),
        (f"/todos/{todo.id}/undone", {}),
        (f"/todos/{todo.id}/remove", {}),
        (f"/todos/{todo.id}/change", form(cast, version="1")),
    ]
    for url, data in posts:
        assert viewer.post(url, data).status_code == 403 and viewer.post(url, data, htmx=True).status_code == 403
    assert viewer.get(f"/todos/{todo.id}/edit").status_code == 403
    stranger = app.test_client()
    assert stranger.get("/work").status_code == 302 and stranger.get(f"/orders/{order.id}/todos").status_code == 302
    assert stranger.post(f"/todos/{todo.id}/done").status_code in (400, 401)
    assert comments() == [] and found()[0].done_at is None


def test_a_to_do_without_javascript(cast: Cast, order: Order, manager: Signed) -> None:
    day = clock.today() + timedelta(days=2)
    answer = manager.post(f"/orders/{order.id}/todos/add", form(cast, due_on=day.isoformat(), due_time="09:30", key="k"))
    assert answer.status_code == 303 and answer.headers["Location"] == f"/orders/{order.id}#todos"
    manager.post(f"/orders/{order.id}/todos/add", form(cast, key="k"))
    assert len(found()) == 1
    todo = found()[0]
    page = manager.get(f"/todos/{todo.id}/edit?back=work").text
    assert f'value="{day.isoformat()}"' in page and 'value="09:30"' in page
    changed = form(cast, text="Позвонить ещё", whose=f"role:{cast.roles['manager']}", version="1", back="work")
    answer = manager.post(f"/todos/{todo.id}/change", changed)
    assert answer.status_code == 303 and answer.headers["Location"] == "/work"
    assert (found()[0].text, found()[0].role_id, found()[0].due_on) == ("Позвонить ещё", cast.roles["manager"], None)
    answer = manager.post(f"/todos/{todo.id}/change", changed | {"text": "Поздно"})
    assert answer.status_code == 409 and "Поздно" in answer.text and 'name="version" value="2"' in answer.text
    assert manager.post(f"/todos/{todo.id}/done", {"back": "work"}).headers["Location"] == "/work"
    assert manager.post(f"/todos/{todo.id}/remove").status_code == 303 and found() == []


def test_somebody_elses_to_do_is_removed_by_none_but_those_who_may_tick_it(app: Flask, cast: Cast, order: Order, manager: Signed) -> None:
    """Before, every employee could, and nothing told of it."""
    todo = add(cast, order)
    designer = Signed(app.test_client(), cast.email("designer"))
    assert designer.post(f"/todos/{todo.id}/remove").status_code == 403 and len(found()) == 1
    own = form(cast, text="Сама себе записала", whose=f"person:{cast.people['manager']}")
    designer.post(f"/orders/{order.id}/todos/add", own)
    assert designer.post(f"/todos/{found()[1].id}/remove").status_code == 303, "who wrote it may"
    assert manager.post(f"/todos/{todo.id}/remove").status_code == 303 and found() == []
    page = manager.get(f"/orders/{order.id}").text
    assert "Дело удалено: Сама себе записала" in page and "Дело удалено: Замер" in page


def test_a_part_is_drawn_anew_where_it_was_asked_for(cast: Cast, order: Order, manager: Signed) -> None:
    answer = manager.post(f"/orders/{order.id}/todos/add", form(cast), htmx=True, page=f"/orders/{order.id}")
    assert answer.status_code == 200 and 'id="todos"' in answer.text and "Позвонить" in answer.text
    todo = found()[0]
    answer = manager.post(f"/todos/{todo.id}/done", htmx=True, page="/work?kind=task")
    assert 'id="work"' in answer.text and "Позвонить" not in answer.text, "with the filter of its page"
    answer = manager.post(f"/todos/{todo.id}/undone", htmx=True, page=f"/orders/{order.id}")
    assert 'aria-checked="false"' in answer.text and "+7 900 123-45-67" in answer.text, "whom to call"
    assert 'id="todos"' in manager.get(f"/orders/{order.id}/todos", htmx=True).text


@pytest.mark.one_database
@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": " \n\x00 "},
        {"text": "х" * 501},
        {"kind": "party"},
        {"whose": ""},
        {"whose": "person:0"},
        {"whose": "boss:1"},
        {"whose": "person:99999999999999"},
        {"whose": "role:-1"},
        {"due_on": "завтра"},
        {"due_on": "9999-12-31"},
        {"due_on": "2026-02-30"},
        {"due_time": "09:30"},
        {"due_on": "2026-12-01", "due_time": "25:00"},
        {"due_on": "2026-12-01", "due_time": "٠٩:٣٠"},
    ],
)
def test_a_to_do_that_can_not_be(cast: Cast, order: Order, manager: Signed, wrong: dict[str, str]) -> None:
    todo = add(cast, order)
    answer = manager.post(f"/orders/{order.id}/todos/add", form(cast, **wrong))
    assert answer.status_code == 422 and 'id="todo-form"' in answer.text, "the form, with what was typed"
    assert manager.post(f"/orders/{order.id}/todos/add", form(cast, **wrong), htmx=True).status_code == 422
    assert manager.post(f"/todos/{todo.id}/change", form(cast, version="1", **wrong)).status_code == 422
    assert [one.text for one in found()] == ["Замер"]


@pytest.mark.parametrize("id_", ["0", "99999", "99999999999999", "x", "-1"])
def test_to_dos_and_orders_there_are_not(cast: Cast, manager: Signed, id_: str) -> None:
    for verb in ("done", "undone", "remove", "change"):
        assert manager.post(f"/todos/{id_}/{verb}", form(cast, version="1")).status_code == 404
    assert manager.get(f"/todos/{id_}/edit").status_code == 404
    for verb in ("comment", "todos/add"):
        assert manager.post(f"/orders/{id_}/{verb}", form(cast)).status_code == 404


def test_who_has_left_stays_chosen_until_somebody_else_is(cast: Cast, order: Order, manager: Signed) -> None:
    todo = add(cast, order, person_id=cast.people["designer"])
    with transaction() as session:
        session.get_one(Person, cast.people["designer"]).active = False
    page = manager.get(f"/todos/{todo.id}/edit").text
    assert f'value="person:{cast.people["designer"]}" selected' in page
    assert "Марина Лисицына" not in manager.get(f"/orders/{order.id}/todos").text.split('id="todo-add"')[1]


def test_only_ones_own_are_ticked(cast: Cast, order: Order, manager: Signed) -> None:
    other = add(cast, order, person_id=cast.people["designer"])
    assert f"/todos/{other.id}/done" not in manager.get(f"/orders/{order.id}").text
    assert manager.post(f"/todos/{other.id}/done").status_code == 403
    assert "Замер" not in manager.get("/work").text


def test_my_work_in_groups_by_kind_and_its_count_with_the_bell(cast: Cast, order: Order, manager: Signed) -> None:
    page = manager.get("/work").text
    assert "work-count" in page and "empty-state" in page
    today = clock.today()
    add(cast, order, due_on=today - timedelta(days=1))
    add(cast, order, due_on=today, role_id=cast.roles["manager"], person_id=None)
    add(cast, order, due_on=today + timedelta(days=5), kind="calendar")
    page = manager.get("/work").text
    assert page.index('id="work-overdue"') < page.index('id="work-today"') < page.index('id="work-later"')
    assert 'id="work-overdue"' not in manager.get("/work?kind=calendar").text
    assert manager.get("/work?kind=" + "x" * 2000).status_code == 200
    bell = manager.get("/bell").text
    assert 'hx-swap-oob="innerHTML:.work-count"' in bell and '<span aria-hidden="true">2</span>' in bell


def topics() -> set[str]:
    db.session.rollback()
    return {topic for topics in db.session.scalars(select(LiveChange.topics)) for topic in topics}


def test_to_dos_leave_my_work_once_all_orders_are_over(cast: Cast, order: Order, manager: Signed) -> None:
    add(cast, order, text="Позвонить заказчику", due_on=clock.today())
    made = cast.produce(order)
    add(cast, made, text="Принять фасады", due_on=clock.today())

    def shown() -> tuple[bool, bool, bool]:
        page, bell = manager.get("/work").text, manager.get("/bell").text
        return "Позвонить заказчику" in page, "Принять фасады" in page, '<span aria-hidden="true">2</span>' in bell

    cast.move(order, "closed")
    assert shown() == (True, True, True), "the workshop is still at it"
    with transaction() as session:
        session.execute(delete(LiveChange))
    cast.move(made, "made")
    assert shown() == (False, False, False) and f"work-{cast.people['manager']}" in topics()
    assert "Позвонить заказчику" in manager.get(f"/orders/{order.id}").text
    assert '<span class="muted">0</span>' in manager.get("/work").text
    add(cast, order, text="Спросить через неделю")
    page = manager.get("/work").text
    assert "Спросить через неделю" in page and "Позвонить заказчику" not in page, "it was given since the order ended"
    cast.move(order, "install")
    assert shown() == (True, True, True)
    cast.move(order, "closed")
    with transaction() as session:
        session.execute(update(Order).where(Order.id == made.id).values(source_id=None))
    cast.move(made, "assembly")
    assert shown()[:2] == (False, True), "they have no link any more"


def statements(action: Any) -> int:
    count = 0

    def listen(*_arguments: Any) -> None:
        nonlocal count
        count += 1

    sa_event.listen(db.engine, "before_cursor_execute", listen)
    action()
    sa_event.remove(db.engine, "before_cursor_execute", listen)
    return count


def test_pages_cost_the_same_however_many_there_are(cast: Cast, order: Order, manager: Signed) -> None:
    urls = ("/work", "/bell", f"/orders/{order.id}", f"/orders/{order.id}/todos")
    add(cast, order, due_on=clock.today())
    few = [statements(lambda url=url: manager.get(url)) for url in urls]
    with transaction() as session:
        session.add_all(
            Todo(order_id=order.id, text=str(number), person_id=cast.people["manager"], due_on=clock.today()) for number in range(400)
        )
    assert [statements(lambda url=url: manager.get(url)) for url in urls] == few
    assert "99+" in manager.get("/bell").text and manager.get("/work").text.count('class="todo"') == 200
    assert manager.get("/boards/1").status_code == 200


def test_a_board_page_asks_nothing_of_to_dos(cast: Cast, order: Order, manager: Signed) -> None:
    asked: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    sa_event.listen(db.engine, "before_cursor_execute", listen)
    manager.get(f"/boards/{cast.boards['orders']}")
    cast.move(order, "prepaid")
    sa_event.remove(db.engine, "before_cursor_execute", listen)
    assert asked and not [statement for statement in asked if "todo" in statement]
