"""From event to runs to letters: who gets what, and that nothing harms the move."""

from typing import Any

import pytest
from sqlalchemy import select, update

from kanban.db import db
from kanban.models import Event, Order, Person
from kanban.transactions import transaction
from rules.editing.verbs import add_rule, change_rule, remove_rule, switch_rule
from rules.models import Message, Rule, RuleVersion, Run, Template
from rules.queries.versions import fields_of, find_rule
from rules.running.engine import Engine
from tests.cast import Cast
from tests.rule_json import changed, recipient, rule_fields, send_email


def add(
    cast: Cast,
    *,
    trigger: str = "entered",
    status: str | None = "ready",
    board: str = "orders",
    to: list[Any] | None = None,
    criteria: dict[str, Any] | None = None,
    template: str = "author",
    tell_actor: bool = False,
) -> Rule:
    with transaction() as session:
        return add_rule(
            session,
            cast.owner,
            rule_fields(
                "Проба",
                cast.boards[board],
                trigger,
                cast.statuses[status] if status else None,
                criteria,
                [send_email(cast.templates[template], to or [recipient("role", cast.roles["accountant"])])],
                tell_actor,
            ),
        )


def told(cast: Cast, **by: Any) -> list[str]:
    return sorted(message.address.split("@")[0] for message in cast.messages(**by))


def test_the_preset_tells_who_answers_for_a_status(cast: Cast) -> None:
    order = cast.place()
    assert told(cast) == ["designer", "manager"]
    moved = cast.move(order, "prepaid")
    assert moved.event and told(cast, event_id=moved.event.id) == ["accountant", "manager"]
    assert moved.outcome.messages == 2 and moved.outcome.window_s == 15


def test_each_role_gets_its_own_text(cast: Cast) -> None:
    cast.place(tags=["камень"])
    texts = {message.address.split("@")[0]: message for message in cast.messages()}
    assert "Ожидаемая установка: 26\u00a0декабря\u00a02026" in texts["manager"].text
    assert "Пожелания: Мойка у окна" in texts["designer"].text and "+7 900 123-45-67" in texts["designer"].text
    assert "Сумма" not in texts["designer"].text
    assert texts["designer"].subject == "К-0001: нужен проект, Хасанова Гузель"


def test_an_empty_field_takes_its_line_with_it(cast: Cast) -> None:
    cast.place(description="", customer_phone="")
    designer = next(message for message in cast.messages() if "designer" in message.address)
    assert "Пожелания" not in designer.text and "Телефон" not in designer.text


def test_who_did_it_is_not_told_unless_the_rule_says_so(cast: Cast) -> None:
    order = cast.place()
    moved = cast.move(order, "ready", cast.manager)
    assert moved.event and told(cast, event_id=moved.event.id) == []
    run = db.session.scalar(select(Run).where(Run.event_id == moved.event.id))
    assert run is not None and run.outcome == "nobody" and run.notes == [{"why": "did_it", "name": "Ольга Белова"}]
    add(cast, status="prepaid", to=[recipient("role", cast.roles["manager"])], tell_actor=True)
    again = cast.move(order, "prepaid", cast.manager)
    assert again.event and "manager" in told(cast, event_id=again.event.id)


def test_the_person_filling_a_role_goes_before_everyone_who_holds_it(cast: Cast) -> None:
    with transaction() as session:
        second = session.get_one(Person, cast.people["owner"])
        session.execute(Person.held_roles.property.secondary.insert().values(person_id=second.id, role_id=cast.roles["designer"]))
    cast.place(cast.manager)
    assert told(cast, template_id=cast.templates["designer"]) == ["designer", "owner"]
    order = cast.place(cast.manager, people={cast.roles["designer"]: cast.people["designer"]})
    assert told(cast, template_id=cast.templates["designer"], order_id=order.id) == ["designer"]


def test_every_kind_of_recipient(cast: Cast) -> None:
    to = [
        recipient("person", cast.people["technologist"]),
        recipient("responsible"),
        recipient("author"),
        recipient("customer"),
        recipient("address", address="montazh@firm.example"),
        recipient("role", cast.roles["accountant"]),
    ]
    add(cast, status="install", to=to)
    order = cast.place(cast.designer, responsible_id=cast.people["manager"])
    moved = cast.move(order, "install")
    assert moved.event
    messages = cast.messages(event_id=moved.event.id, template_id=cast.templates["author"])
    assert [message.address for message in messages] == [
        "technologist@melnikov.example",
        "manager@melnikov.example",
        "designer@melnikov.example",
        "guzel@mail.example",
        "montazh@firm.example",
        "accountant@melnikov.example",
    ]
    by_address = {message.address: message for message in messages}
    assert by_address["guzel@mail.example"].layout.get("order_id") is None, "a customer gets no way into the board"


def test_one_message_for_one_event_address_and_template_however_many_rules_match(cast: Cast) -> None:
    for _ in range(3):
        add(cast)
    moved = cast.move(cast.place(), "ready")
    assert moved.event and told(cast, event_id=moved.event.id) == ["accountant", "manager"]
    notes = [run.notes for run in db.session.scalars(select(Run).where(Run.event_id == moved.event.id).order_by(Run.id))]
    assert notes[2] == [{"why": "told_already", "name": "Тамара Гусева"}]


def test_evaluating_an_event_again_adds_nothing(cast: Cast, config: Any) -> None:
    order = cast.place()
    moved = cast.move(order, "prepaid")
    assert moved.event
    with transaction() as session:
        from kanban.orders import find_order

        event = session.get_one(Event, moved.event.id)
        Engine(config).on_event(session, event, find_order(session, order.id))
    assert len(cast.messages(event_id=moved.event.id)) == 2
    assert db.session.query(Run).filter_by(event_id=moved.event.id).count() == 1


@pytest.mark.parametrize(
    ("criteria", "fires"),
    [
        ({"all": [{"field": "total", "op": "more", "value": 10_000_000}]}, True),
        ({"all": [{"field": "total", "op": "more", "value": 90_000_000}]}, False),
        ({"any": [{"field": "total", "op": "more", "value": 90_000_000}, {"field": "customer", "op": "contains", "value": "хасан"}]}, True),
        ({"all": [{"field": "tags", "op": "contains", "value": "камень"}]}, True),
        ({"all": [{"field": "ship_on", "op": "less", "value": "2026-12-01"}]}, False),
        ({"all": [{"field": "responsible", "op": "empty"}]}, True),
        ({"all": [{"field": "paid", "op": "filled"}]}, True),
    ],
)
def test_criteria_decide(cast: Cast, criteria: dict[str, Any], fires: bool) -> None:
    add(cast, criteria=criteria)
    moved = cast.move(cast.place(tags=["камень"]), "ready")
    assert moved.event and ("accountant" in told(cast, event_id=moved.event.id)) is fires


def test_a_criterion_over_a_field_that_is_gone_never_matches(cast: Cast) -> None:
    rule = add(cast)
    with transaction() as session:
        gone = {"all": [{"field": "no_such_field", "op": "filled"}]}
        session.execute(update(RuleVersion).where(RuleVersion.rule_id == rule.id).values(criteria=gone))
    moved = cast.move(cast.place(), "ready")
    assert moved.event and "accountant" not in told(cast, event_id=moved.event.id)


def test_status_before_and_who_did_it_are_criteria(cast: Cast) -> None:
    before = {"field": "status_before", "op": "equals", "value": cast.statuses["design"]}
    actor = {"field": "actor", "op": "in_list", "value": [cast.people["owner"]]}
    add(cast, criteria={"all": [before, actor]})
    order = cast.place()
    assert "accountant" in told(cast, event_id=cast.move(order, "ready").event.id)  # type: ignore[union-attr]
    cast.move(order, "install")
    assert "accountant" not in told(cast, event_id=cast.move(order, "ready").event.id)  # type: ignore[union-attr]


def test_each_trigger_fires_at_its_moment_and_no_other(cast: Cast) -> None:
    rules = {
        "placed": add(cast, trigger="placed", status=None),
        "entered": add(cast, trigger="entered", status="ready"),
        "left": add(cast, trigger="left", status="ready"),
        "changed": add(cast, trigger="changed", status=None),
    }

    def fired() -> list[str]:
        last = db.session.scalar(select(Event.id).order_by(Event.id.desc()).limit(1))
        ids = set(db.session.scalars(select(Run.rule_id).where(Run.event_id == last)))
        db.session.rollback()
        return [name for name, rule in rules.items() if rule.id in ids]

    order = cast.place()
    assert fired() == ["placed"]
    cast.move(order, "ready")
    assert fired() == ["entered", "changed"]
    cast.move(order, "prepaid")
    assert fired() == ["left", "changed"]


def test_entered_includes_being_placed_in_the_status(cast: Cast) -> None:
    rule = add(cast, status="design")
    cast.place()
    assert "accountant" in told(cast, rule_id=rule.id)


def test_a_rule_that_is_off_does_nothing(cast: Cast) -> None:
    rule = add(cast)
    with transaction() as session:
        switch_rule(session, cast.owner, rule.id, False)
    cast.move(cast.place(), "ready")
    assert told(cast, rule_id=rule.id) == []


def test_a_failing_template_is_a_note_of_the_run_and_the_move_stands(cast: Cast) -> None:
    with transaction() as session:
        session.get_one(Template, cast.templates["accountant"]).text = "{{ order.nonsense }}"
    order = cast.place()
    moved = cast.move(order, "prepaid")
    assert moved.event and told(cast, event_id=moved.event.id) == ["manager"], "the other letter of the rule still goes"
    run = db.session.scalar(select(Run).where(Run.event_id == moved.event.id))
    assert run is not None and run.outcome == "failed" and run.notes[0]["why"] == "template_failed"
    assert cast.column("prepaid") == ["К-0001"]


def test_a_rule_that_points_nowhere_harms_nothing(cast: Cast) -> None:
    with transaction() as session:
        rule = add_rule(
            session,
            cast.owner,
            rule_fields(
                "Пусто",
                cast.boards["orders"],
                "entered",
                cast.statuses["ready"],
                actions=[send_email(cast.templates["author"], [{"kind": "role", "id": 99999}, {"kind": "person", "id": 88888}])],
            ),
        )
    moved = cast.move(cast.place(), "ready")
    run = db.session.scalar(select(Run).where(Run.rule_id == rule.id))
    assert moved.event and run is not None and run.outcome == "nobody"
    assert [note["why"] for note in run.notes] == ["no_holder", "gone"]


def test_a_broken_rule_in_the_database_harms_nothing(cast: Cast) -> None:
    rule = add(cast)
    with transaction() as session:
        find_rule(session, rule.id).version.actions = [{"do": "send_email", "template": cast.templates["author"], "to": [{"kind": "moon"}]}]
    moved = cast.move(cast.place(), "ready")
    assert moved.event and cast.column("ready") == ["К-0001"]


def test_a_deactivated_person_gets_nothing_and_is_named(cast: Cast) -> None:
    with transaction() as session:
        session.get_one(Person, cast.people["accountant"]).active = False
    moved = cast.move(cast.place(), "prepaid")
    assert moved.event and told(cast, event_id=moved.event.id) == ["manager"]
    run = db.session.scalar(select(Run).where(Run.event_id == moved.event.id))
    assert run is not None and {"why": "inactive", "name": "Тамара Гусева"} in run.notes


def test_runs_point_at_the_version_of_their_time(cast: Cast) -> None:
    rule = add(cast)
    first = cast.move(cast.place(), "ready")
    with transaction() as session:
        fields = fields_of(find_rule(session, rule.id))
        change_rule(session, cast.owner, rule.id, changed(fields, tell_actor=True))
    second = cast.move(cast.place(), "ready")
    assert first.event and second.event
    versions = {run.event_id: run.version_id for run in db.session.scalars(select(Run).where(Run.rule_id == rule.id))}
    assert versions[first.event.id] != versions[second.event.id]


def test_a_name_with_line_breaks_never_reaches_a_subject(cast: Cast) -> None:
    cast.place(customer_name="Анна\r\nBcc: all@firm.example")
    assert all("\n" not in message.subject and "\r" not in message.subject for message in cast.messages())


def test_the_message_id_is_the_same_whenever_it_is_made(cast: Cast) -> None:
    from rules.post.entry import message_id

    cast.place()
    message = cast.messages()[0]
    assert message.message_id == message_id(message.key, "127.0.0.1")
    assert db.session.query(Message).filter_by(message_id=message.message_id).count() == 1


def test_a_new_rule_never_says_what_a_removed_one_did(cast: Cast) -> None:
    for tag in ("один", "два"):
        with transaction() as session:
            fields = rule_fields(tag, cast.boards["orders"], "entered", cast.statuses["ready"], actions=[{"do": "tag", "tag": tag}])
            rule = add_rule(session, cast.owner, fields).id
        order = cast.place()
        cast.move(order, "ready")
        db.session.rollback()
        assert db.session.get_one(Order, order.id, populate_existing=True).tags == [tag]
        db.session.rollback()
        with transaction() as session:
            remove_rule(session, cast.owner, rule)
