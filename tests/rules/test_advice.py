"""What is said of a rule before it works, on both databases, and the question that has to be answered first."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as sa_event
from sqlalchemy import insert, select, update

from kanban.config import Config
from kanban.db import db
from kanban.i18n import force_locale
from kanban.models import Person, Role, person_role, status_moving
from kanban.transactions import transaction
from rules.definition.content import RuleFields
from rules.editing import matrix, verbs
from rules.models import Message, Rule, Run, Template
from rules.queries.lookup import load_rule_lookup
from rules.queries.versions import fields_of, find_rule
from rules.running.recipients import MOST_HOLDERS
from rules.trying.advice import Advice, advise
from tests.cast import Cast, Signed
from tests.rule_json import actions_of, recipient, rule_fields, send, send_email


@pytest.fixture
def quiet(cast: Cast) -> Cast:
    with transaction() as session:
        session.execute(update(Rule).values(active=False))
    return cast


def rule(cast: Cast, *actions: dict[str, Any], trigger: str = "entered", name: str = "Правило", **more: Any) -> RuleFields:
    status = cast.statuses[more.pop("status", "prepaid")] if trigger in ("entered", "left", "linked") else None
    message = send_email(cast.templates["manager"], [recipient("role", cast.roles["accountant"])])
    return rule_fields(name, cast.boards["orders"], trigger, status, actions=list(actions) or [message], **more)


def advice_of(app: Flask, fields: RuleFields, rule_id: int = 0) -> list[Advice]:
    config: Config = app.config["POTOK"]
    with force_locale("en"):
        return advise(db.session(), rule_id, fields, load_rule_lookup(db.session()), config)


def texts(app: Flask, fields: RuleFields, rule_id: int = 0) -> str:
    return " ".join(one.text for one in advice_of(app, fields, rule_id))


def add(cast: Cast, fields: RuleFields) -> int:
    with transaction() as session:
        return verbs.add_rule(session, cast.owner, fields).id


def hire(cast: Cast, role: str, count: int) -> None:
    with transaction() as session:
        held = session.get_one(Role, cast.roles[role])
        for number in range(count):
            name = f"Работник {number}"
            email = f"w{number}@melnikov.example"
            session.add(Person(name=name, email=email, password="x", fs_uniquifier=email, held_roles=[held]))


def test_without_a_mail_account_it_says_where_messages_stay(app: Flask, quiet: Cast) -> None:
    assert [one.mend for one in advice_of(app, rule(quiet))] == ["mail"]
    sms = send("sms", quiet.templates["short"], [recipient("customer")])
    chat = send("chat", quiet.templates["short"], [recipient("responsible")])
    assert [one.mend for one in advice_of(app, rule(quiet, sms, chat))] == ["gateways", "gateways"]


def test_another_rule_that_says_the_same_is_named(app: Flask, quiet: Cast) -> None:
    first = add(quiet, rule(quiet, name="Первое"))
    assert "“Первое” does the same" in texts(app, rule(quiet, name="Второе"))
    assert "does the same" not in texts(app, rule(quiet, name="Первое"), first)
    assert "does the same" not in texts(app, rule(quiet, criteria={"all": [{"field": "paid", "op": "filled"}]}))


def test_who_can_not_be_reached_is_named(app: Flask, quiet: Cast) -> None:
    with transaction() as session:
        session.get_one(Person, quiet.people["designer"]).active = False
    sms = send("sms", quiet.templates["short"], [recipient("role", quiet.roles["accountant"])])
    said = texts(app, rule(quiet, sms))
    assert "Тамара Гусева has no phone number." in said and "Nobody would get this message." in said
    with transaction() as session:
        session.get_one(Person, quiet.people["accountant"]).phone = "12-34"
    assert "Тамара Гусева has a phone number that can't be dialled: 12-34" in texts(app, rule(quiet, sms))
    message = send_email(quiet.templates["manager"], [recipient("role", quiet.roles["designer"])])
    said = texts(app, rule(quiet, message))
    assert "Nobody holds the role “Дизайнер”." in said and "Nobody would get this message." in said


@pytest.mark.parametrize(
    ("trigger", "options", "expected"),
    [
        ("changed", {}, False),
        ("placed", {}, True),
        ("commented", {}, True),
        ("field", {"field": "ship_on"}, True),
        ("stay", {"offset": 2, "unit": "days"}, True),
    ],
)
def test_a_field_that_says_nothing_at_this_start_is_named(
    app: Flask, quiet: Cast, trigger: str, options: dict[str, Any], expected: bool
) -> None:
    message = send_email(quiet.templates["author"], [recipient("author")])
    said = texts(app, rule(quiet, message, trigger=trigger, options=options))
    assert ("uses the field “Status before”" in said) == expected
    with transaction() as session:
        session.get_one(Template, quiet.templates["author"]).subject = "{{ order.number }}"
    assert "uses the field “Status before”" not in texts(app, rule(quiet, message, trigger=trigger, options=options))


def test_a_rule_that_can_start_itself_is_named(app: Flask, quiet: Cast) -> None:
    def to(status: str) -> dict[str, Any]:
        return {"do": "set_status", "status": quiet.statuses[status]}

    assert "can trigger itself through its own" in texts(
        app, rule(quiet, {"do": "tag", "tag": "x"}, trigger="field", options={"field": "tags"})
    )
    assert "can start itself" not in texts(app, rule(quiet, {"do": "tag", "tag": "x"}))
    assert "can start itself" not in texts(app, rule(quiet, to("prepaid")))
    add(quiet, rule(quiet, to("paid"), name="Б"))
    add(quiet, rule(quiet, to("design"), name="В", status="paid"))
    assert "Правило → Б → В → Правило" in texts(app, rule(quiet, to("prepaid"), status="design"))
    assert "Правило → Б → Правило" in texts(app, rule(quiet, to("prepaid"), trigger="left", status="prepaid"))
    with transaction() as session:
        session.execute(update(Rule).values(active=False))
    assert "can start itself" not in texts(app, rule(quiet, to("prepaid"), status="design"))


def test_many_are_told_only_once_that_was_confirmed(app: Flask, quiet: Cast, client: FlaskClient) -> None:
    hire(quiet, "accountant", MOST_HOLDERS)
    role = f"role:{quiet.roles['accountant']}"
    form = {
        "name": "Многим",
        "board_id": quiet.boards["orders"],
        "trigger": "entered",
        "status_id": quiet.statuses["install"],
        "mode": "on",
        "channel-0": "email",
        "template-0": quiet.templates["manager"],
        "to-0": role,
    }
    owner = Signed(client, quiet.email("owner"))
    answer = owner.post("/settings/rules/save", form)
    assert answer.status_code == 422 and "11 человек" in answer.text and 'name="many-any"' in answer.text
    assert owner.post("/settings/rules/save", form | {"mode": "draft"}).status_code == 303
    assert owner.post("/settings/rules/save", form | {"many-any": role, "name": "Подтверждено"}).status_code == 303
    saved = db.session.scalars(select(Rule).where(Rule.name == "Подтверждено")).one()
    fields = fields_of(find_rule(db.session(), saved.id))
    assert actions_of(fields)[0]["to"] == [recipient("role", quiet.roles["accountant"], many=True)]
    assert f'name="many-0" value="{role}" checked' in owner.get(f"/settings/rules/{saved.id}").text
    quiet.move(quiet.place(), "install")
    assert len(quiet.messages()) == MOST_HOLDERS + 1


def test_unconfirmed_many_are_cut_and_the_run_says_so(quiet: Cast) -> None:
    add(quiet, rule(quiet))
    hire(quiet, "accountant", MOST_HOLDERS + 5)
    quiet.move(quiet.place(), "prepaid")
    assert len(quiet.messages()) == MOST_HOLDERS
    assert {"why": "too_many", "name": "Бухгалтер"} in db.session.scalars(select(Run)).one().notes


def test_the_matrix_asks_by_the_message_to_choose(quiet: Cast, client: FlaskClient) -> None:
    hire(quiet, "designer", MOST_HOLDERS)
    owner = Signed(client, quiet.email("owner"))
    url = f"/settings/told/{quiet.statuses['install']}/role-{quiet.roles['designer']}"
    asked = owner.post(url, {"template": "on"}, htmx=True)
    assert "11 человек: выберите письмо" in asked.text
    assert owner.post(url, {"template": str(quiet.templates["designer"])}, htmx=True).status_code == 200
    cell = owner.post(f"/settings/told/{quiet.statuses['install']}/author", {"template": str(quiet.templates["author"])}, htmx=True)
    assert cell.status_code == 200
    row = matrix.matrix_rule(db.session(), quiet.statuses["install"])
    assert row is not None and recipient("role", quiet.roles["designer"], many=True) in [
        one for a in row.version.actions for one in a["to"]
    ]


def test_after_saving_what_is_worth_a_look_is_shown(quiet: Cast, client: FlaskClient) -> None:
    owner = Signed(client, quiet.email("owner"))
    form = {
        "name": "С советом",
        "board_id": quiet.boards["orders"],
        "trigger": "commented",
        "mode": "on",
        "channel-0": "email",
        "template-0": quiet.templates["author"],
        "to-0": "author",
    }
    answer = owner.post("/settings/rules/save", form)
    assert answer.status_code == 303 and answer.headers["Location"].endswith("#rule-advice")
    page = owner.get(answer.headers["Location"]).text
    assert "Обратите внимание" in page and "Почтовой записи ещё нет" in page and f"/settings/templates/{quiet.templates['author']}" in page


def test_how_many_rules_there_are_does_not_change_how_many_statements(app: Flask, quiet: Cast) -> None:
    counted = []
    for _again in range(2):
        for _number in range(5):
            add(quiet, rule(quiet, {"do": "tag", "tag": "x"}, trigger="changed"))
        lookup = load_rule_lookup(db.session())
        seen: list[str] = []

        def listen(*arguments: Any, seen: list[str] = seen) -> None:
            seen.append(arguments[2])

        sa_event.listen(db.engine, "before_cursor_execute", listen)
        advise(db.session(), 0, rule(quiet, {"do": "tag", "tag": "x"}), lookup, app.config["POTOK"])
        sa_event.remove(db.engine, "before_cursor_execute", listen)
        counted.append(len(seen))
    assert counted[0] == counted[1] <= 4
    assert db.session.scalars(select(Message)).all() == []


def second_manager(cast: Cast) -> None:
    with transaction() as session:
        session.execute(person_role.insert().values(person_id=cast.people["owner"], role_id=cast.roles["manager"]))


def test_who_gets_another_message_of_the_same_move_is_named(app: Flask, cast: Cast) -> None:
    """The preset's matrix tells the manager at this status; on a board without orders too."""
    message = send_email(cast.templates["author"], [recipient("role", cast.roles["manager"])])
    (one,) = [one for one in advice_of(app, rule(cast, message)) if "already" in one.text]
    assert one.text == "Ольга Белова already gets “Менеджеру” here." and one.mend == "rule"
    row = matrix.matrix_rule(db.session(), cast.statuses["prepaid"])
    assert row is not None and one.id == row.id
    same = send_email(cast.templates["manager"], [recipient("role", cast.roles["manager"])])
    assert "already" not in texts(app, rule(cast, same)), "the same template is one letter"
    assert "already" not in texts(app, rule(cast, send("notice", cast.templates["short"], message["to"]))), "another channel"
    assert "already" not in texts(app, rule(cast, message, trigger="left")), "another event"
    assert "already" not in texts(app, rule(cast, message, trigger="stay", options={"offset": 2, "unit": "days"}))


def test_the_responsible_is_the_manager_on_orders_as_they_are(app: Flask, cast: Cast) -> None:
    second_manager(cast)
    message = send_email(cast.templates["author"], [recipient("responsible")])
    cast.place(responsible_id=cast.people["designer"])
    assert "already" not in texts(app, rule(cast, message))
    cast.place(responsible_id=cast.people["manager"])
    assert "Ольга Белова already gets “Менеджеру” here." in texts(app, rule(cast, message))
    everyone = send_email(cast.templates["author"], [recipient("person", cast.people[who]) for who in ("manager", "owner")])
    assert "already get “Менеджеру” here." in texts(app, rule(cast, everyone)), "on the designer's order both managers are told"


def test_a_rule_whose_criteria_hold_on_no_order_tells_nobody_already(app: Flask, quiet: Cast) -> None:
    message = send_email(quiet.templates["author"], [recipient("role", quiet.roles["manager"])])
    add(quiet, rule(quiet, message, criteria={"all": [{"field": "total", "op": "more", "value": 90_000_000}]}, name="Крупные"))
    mine = rule(quiet, send_email(quiet.templates["manager"], message["to"]))
    quiet.place()
    assert "already" not in texts(app, mine)
    quiet.place(total=99_000_000)
    assert "Ольга Белова already gets “Автору — статус изменён” here." in texts(app, mine)


def test_the_matrix_says_who_gets_two_messages_at_a_move_and_who_holds_a_role(cast: Cast, client: FlaskClient) -> None:
    owner = Signed(client, cast.email("owner"))
    page = owner.get("/settings/told").text
    assert "Ольга Белова уже получает" not in page and '<small title="Ольга Белова">Ольга Белова</small>' in page
    second_manager(cast)
    assert '<small title="Ольга Белова, Сергей Мельников">2 человека</small>' in owner.get("/settings/told").text
    cast.place(responsible_id=cast.people["manager"])
    url = f"/settings/told/{cast.statuses['prepaid']}/responsible"
    cell = owner.post(url, {"template": str(cast.templates["author"])}, htmx=True).text
    assert "Ольга Белова уже получает здесь «Менеджеру»." in cell
    page = owner.get("/settings/told").text
    assert "Ольга Белова уже получает здесь «Автору — статус изменён»." in page
    assert page.count("уже получает") == 4, "two cells, said and shown"


def test_two_messages_are_found_by_as_many_statements_however_many_orders_and_rules(app: Flask, cast: Cast, client: FlaskClient) -> None:
    message = send_email(cast.templates["author"], [recipient("responsible")])
    counted = []
    for _again in range(2):
        for _number in range(4):
            add(cast, rule(cast, message, name="Ещё"))
            cast.place(responsible_id=cast.people["manager"])
        mine = rule(cast, send_email(cast.templates["author"], [recipient("role", cast.roles["manager"])]))
        lookup = load_rule_lookup(db.session())
        seen: list[str] = []

        def listen(*arguments: Any, seen: list[str] = seen) -> None:
            seen.append(arguments[2])

        sa_event.listen(db.engine, "before_cursor_execute", listen)
        advise(db.session(), 0, mine, lookup, app.config["POTOK"])
        sa_event.remove(db.engine, "before_cursor_execute", listen)
        counted.append(len(seen))
        db.session.rollback()
    assert counted[0] == counted[1], counted


def test_a_button_passes_by_who_may_move_and_says_so(app: Flask, quiet: Cast) -> None:
    moves = rule(quiet, {"do": "set_status", "status": quiet.statuses["paid"]}, trigger="hand", options={"button": "Оплачено"})
    assert "Manually, only" not in texts(app, moves)
    with transaction() as session:
        session.execute(insert(status_moving).values(status_id=quiet.statuses["paid"], role_id=quiet.roles["accountant"]))
    found = [one for one in advice_of(app, moves) if "Manually, only" in one.text]
    assert [(one.mend, one.id) for one in found] == [("status", quiet.statuses["paid"])]
    assert "Manually, only" not in texts(app, rule(quiet, {"do": "set_status", "status": quiet.statuses["paid"]}))
