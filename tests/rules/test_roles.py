"""Who stands for a role on an order: who fills it; else the responsible, if they hold it; else all who hold it."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from kanban.db import db
from kanban.models import Person, Todo, person_role
from kanban.roles import Standing, resolve_role
from kanban.transactions import transaction
from rules.editing.verbs import add_rule
from rules.logs.trace import chosen_words
from rules.models import Run
from rules.post.layout import read_layout
from rules.post.rendering import render_message
from tests.cast import Cast, Signed
from tests.rule_json import recipient, rule_fields, send_email


@pytest.mark.parametrize(
    ("filled", "responsible", "holders", "left", "found"),
    [
        (1, 2, [2, 3], (), ("filled", (1,), ())),
        (None, 2, [2, 3], (), ("responsible", (2,), ())),
        (None, 9, [2, 3], (), ("holders", (2, 3), ())),
        (None, None, [2, 3], (), ("holders", (2, 3), ())),
        (1, 2, [2, 3], (1,), ("responsible", (2,), (1,))),
        (1, 2, [2, 3], (1, 2), ("holders", (3,), (1, 2))),
        (None, 2, [], (), ("holders", (), ())),
        (2, 2, [2], (2,), ("holders", (), (2,))),
    ],
)
def test_who_fills_it_then_the_responsible_then_all(filled: Any, responsible: Any, holders: Any, left: Any, found: Any) -> None:
    assert resolve_role(filled, responsible, holders, lambda id_: id_ not in left) == Standing(*found)


@pytest.fixture
def second(cast: Cast) -> int:
    """The owner is a manager too, beside the manager of the cast."""
    with transaction() as session:
        session.execute(insert(person_role).values(person_id=cast.people["owner"], role_id=cast.roles["manager"]))
    return cast.people["owner"]


def rule(cast: Cast, *actions: dict[str, Any], tell_actor: bool = False) -> int:
    with transaction() as session:
        fields = rule_fields("Проба", cast.boards["orders"], "entered", cast.statuses["ready"], None, list(actions), tell_actor)
        return add_rule(session, cast.owner, fields).id


def to_managers(cast: Cast) -> dict[str, Any]:
    return send_email(cast.templates["author"], [recipient("role", cast.roles["manager"])])


def told(cast: Cast, rule_id: int) -> list[str]:
    return sorted(one.address.split("@")[0] for one in cast.messages(rule_id=rule_id))


def test_of_two_managers_the_one_responsible_is_told_and_hears_why(cast: Cast, second: int) -> None:
    rule_id = rule(cast, to_managers(cast))
    cast.move(cast.place(cast.designer, responsible_id=cast.people["manager"]), "ready", cast.designer)
    assert told(cast, rule_id) == ["manager"]
    (message,) = cast.messages(rule_id=rule_id)
    assert "потому что вы отвечаете за этот заказ и у вас роль «Менеджер»" in render_message(message, "http://potok").text
    assert chosen_words(read_layout(message.layout).chosen) == "Менеджер: responsible for this order and holds the role"


def test_who_fills_the_role_goes_before_the_responsible(cast: Cast, second: int) -> None:
    rule_id = rule(cast, to_managers(cast))
    order = cast.place(cast.designer, responsible_id=cast.people["manager"], people={cast.roles["manager"]: second})
    cast.move(order, "ready", cast.designer)
    assert told(cast, rule_id) == ["owner"]


def test_a_responsible_without_the_role_and_an_author_with_it_count_for_nothing(cast: Cast, second: int) -> None:
    rule_id = rule(cast, to_managers(cast))
    cast.move(cast.place(cast.manager, responsible_id=cast.people["designer"]), "ready", cast.designer)
    assert told(cast, rule_id) == ["manager", "owner"]


def test_a_move_of_ones_own_order_tells_no_other_manager(cast: Cast, second: int) -> None:
    rule_id = rule(cast, to_managers(cast))
    cast.move(cast.place(responsible_id=cast.people["manager"]), "ready", cast.manager)
    assert told(cast, rule_id) == []
    run = db.session.scalar(select(Run).where(Run.rule_id == rule_id))
    assert run is not None and run.notes == [{"why": "did_it", "name": "Ольга Белова"}]


def test_a_responsible_who_left_is_passed_over_and_named(cast: Cast, second: int) -> None:
    rule_id = rule(cast, to_managers(cast))
    order = cast.place(cast.designer, responsible_id=cast.people["manager"])
    with transaction() as session:
        session.execute(update(Person).where(Person.id == cast.people["manager"]).values(active=False))
    cast.move(order, "ready", cast.designer)
    assert told(cast, rule_id) == ["owner"]
    run = db.session.scalar(select(Run).where(Run.rule_id == rule_id))
    assert run is not None and run.notes == [{"why": "inactive", "name": "Ольга Белова"}]


def test_a_to_do_for_a_role_is_the_responsibles_where_they_hold_it(cast: Cast, second: int) -> None:
    todo = {"do": "todo", "kind": "task", "text": "Позвонить", "due": None, "role": cast.roles["manager"]}
    rule(cast, todo)
    for responsible in (cast.people["manager"], cast.people["designer"], None):
        cast.move(cast.place(responsible_id=responsible), "ready", cast.designer)
    found = [(one.person_id, one.role_id) for one in db.session.scalars(select(Todo).order_by(Todo.id))]
    assert found == [(cast.people["manager"], None), (None, cast.roles["manager"]), (None, cast.roles["manager"])]


def test_the_orders_page_says_who_it_is_today(cast: Cast, client: FlaskClient, second: int) -> None:
    viewer = Signed(client, cast.email("viewer"))
    page = viewer.get(f"/orders/{cast.place(responsible_id=cast.people['manager']).id}").text
    assert "Менеджер, как ответственный" in page and "Дизайнер, единственный сотрудник" in page
    page = viewer.get(f"/orders/{cast.place(responsible_id=cast.people['designer']).id}").text
    assert "письма получают все, у кого эта роль: Ольга Белова, Сергей Мельников" in page
