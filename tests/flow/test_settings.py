"""Settings over HTTP: the matrix, rules, templates, mail, boards, people, organisations."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from kanban.db import db
from kanban.models import Person, Status
from kanban.transactions import transaction
from rules.editing import matrix
from rules.editing.verbs import add_rule
from rules.models import Rule, RuleVersion, Template
from tests.cast import Cast, Signed
from tests.rule_json import recipient, rule_fields, send_email

SEED = {
    "design": ["manager", "designer"],
    "ready": ["manager"],
    "prepaid": ["manager", "accountant"],
    "making": ["manager", "technologist"],
    "assembly": ["manager", "technologist"],
    "made": ["manager"],
    "paid": ["manager", "accountant"],
    "paid_ready": ["manager", "accountant"],
    "install": ["manager"],
    "closed": ["manager"],
}


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


def told(cast: Cast) -> dict[str, list[str]]:
    """The matrix as the database has it."""
    names = {id_: key for key, id_ in cast.roles.items()}
    found: dict[str, list[str]] = {}
    for key, id_ in cast.statuses.items():
        rule = matrix.matrix_rule(db.session(), id_)
        cells = matrix.live_cells(rule)
        found[key] = [names.get(number or 0, kind) for kind, number in cells]
    db.session.rollback()
    return found


def test_after_the_preset_the_matrix_is_the_seeds_table(owner: Signed, cast: Cast) -> None:
    assert {key: sorted(who) for key, who in told(cast).items()} == {key: sorted(who) for key, who in SEED.items()}
    page = owner.get("/settings/told").text
    assert page.count('aria-pressed="true"') == 16
    assert "16 отметок, 10 правил" in page


def test_a_click_switches_a_cell_and_writes_an_ordinary_rule(owner: Signed, cast: Cast) -> None:
    status, role = cast.statuses["install"], cast.roles["technologist"]
    answer = owner.post(f"/settings/told/{status}/role-{role}", {"template": "on"}, htmx=True, page="/settings/told")
    assert answer.status_code == 200 and "получит «Технологу»" in answer.text and "17 отметок" in answer.text
    moved = cast.move(cast.place(), "install")
    assert moved.event and {message.name for message in cast.messages(event_id=moved.event.id)} == {"Ольга Белова", "Виктор Новосельцев"}
    owner.post(f"/settings/told/{status}/role-{role}", {"template": ""}, htmx=True, page="/settings/told")
    assert told(cast)["install"] == ["manager"]


def test_a_cell_changes_its_message(owner: Signed, cast: Cast) -> None:
    url = f"/settings/told/{cast.statuses['ready']}/role-{cast.roles['manager']}"
    owner.post(url, {"template": cast.templates["author"]}, htmx=True, page="/settings/told")
    moved = cast.move(cast.place(), "ready")
    assert moved.event and cast.messages(event_id=moved.event.id)[0].template_id == cast.templates["author"]


def test_the_last_tick_of_a_row_takes_the_rule_with_it(owner: Signed, cast: Cast) -> None:
    owner.post(f"/settings/told/{cast.statuses['ready']}/role-{cast.roles['manager']}", {"template": ""})
    assert matrix.matrix_rule(db.session(), cast.statuses["ready"]) is None
    assert owner.get("/settings/told").status_code == 200


@pytest.mark.one_database
@pytest.mark.parametrize("column", ["role-99999", "role-x", "nobody", "person-1"])
def test_unknown_columns_and_statuses(owner: Signed, cast: Cast, column: str) -> None:
    assert owner.post(f"/settings/told/{cast.statuses['ready']}/{column}", {"template": "on"}).status_code == 404
    assert owner.post("/settings/told/99999/author", {"template": "on"}).status_code == 404
    assert owner.post(f"/settings/told/{cast.statuses['ready']}/author", {"template": "99999"}).status_code == 422


def rule_form(cast: Cast, **changed: Any) -> dict[str, Any]:
    return {
        "name": "Крупная предоплата",
        "board_id": cast.boards["orders"],
        "trigger": "entered",
        "status_id": cast.statuses["prepaid"],
        "group": "all",
        "active": "1",
        "field-0": "total",
        "op-0": "more",
        "value-0": "100 000",
        "field-1": "organisation",
        "op-1": "in_list",
        "value-1": [str(cast.organisation)],
        "template-0": str(cast.templates["accountant"]),
        "to-0": [f"role:{cast.roles['accountant']}", "responsible"],
        "addresses-0": "buh@firm.example",
    } | changed


@pytest.mark.one_database
def test_the_editor_redraws_its_sentence_and_saves_the_rule(owner: Signed, cast: Cast) -> None:
    drawn = owner.post("/settings/rules/draw", rule_form(cast), htmx=True, page="/settings/rules/new").text
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", drawn)).replace("\u00a0", " ")
    assert "Когда заказ покупателя переходит в «Предоплата» и сумма больше 100 000 ₽ и организация из списка: ООО «Мельников»" in text
    assert "отправить письмо «Бухгалтеру» бухгалтеру, ответственному и buh@firm.example" in text
    assert owner.post("/settings/rules/save", rule_form(cast)).status_code == 303
    rule = db.session.scalars(select(Rule).where(Rule.name == "Крупная предоплата")).one()
    version = db.session.get_one(RuleVersion, rule.version_id)
    assert version.criteria["all"][0] == {"field": "total", "op": "more", "value": 10_000_000}
    assert version.actions[0]["to"][-1] == {"kind": "address", "address": "buh@firm.example"}
    page = owner.get("/settings/rules").text
    assert "Крупная предоплата" in page and "100\u00a0000\u00a0₽" in page
    mark = owner.get("/settings/told").text
    assert f'href="/settings/rules/{rule.id}"' in mark, "a rule with criteria shows as a mark in the matrix"


@pytest.mark.one_database
def test_a_message_to_nobody_is_asked_about_and_not_left_out(owner: Signed, cast: Cast) -> None:
    second = {"channel-1": "email", "template-1": str(cast.templates["manager"])}
    answer = owner.post("/settings/rules/save", rule_form(cast) | second)
    assert answer.status_code == 422 and answer.text.count("Выберите, кому отправить, или уберите это действие.") == 2
    assert answer.text.index("Выберите, кому") < answer.text.index('id="action-1"') < answer.text.rindex("Выберите, кому")
    assert db.session.scalar(select(Rule).where(Rule.name == "Крупная предоплата")) is None


@pytest.mark.one_database
def test_buttons_of_the_editor_add_and_drop_rows_without_saving(owner: Signed, cast: Cast) -> None:
    drawn = owner.post("/settings/rules/save", rule_form(cast) | {"do": "add-criterion"}).text
    assert 'name="field-2"' in drawn
    drawn = owner.post("/settings/rules/save", rule_form(cast) | {"do": "drop-criterion:0"}).text
    assert 'name="field-1"' not in drawn and "Организация" in drawn
    assert db.session.scalar(select(Rule).where(Rule.name == "Крупная предоплата")) is None


BAD_RULES: list[dict[str, Any]] = [
    {"name": ""},
    {"name": "я" * 500},
    {"trigger": "entered", "status_id": "99999"},
    {"board_id": "99999"},
    {"value-0": "много"},
    {"value-0": ""},
    {"to-0": [], "addresses-0": ""},
    {"addresses-0": "не адрес"},
    {"addresses-0": "a@b.example\r\nBcc: c@d.example"},
    {"template-0": "99999"},
    {"template-0": ""},
    {"to-0": ["role:²"]},
    {"to-0": ["moon:1"]},
    {"value-1": ["0"]},
    {"field-0": "ship_on", "op-0": "less", "value-0": "вчера"},
]


@pytest.mark.one_database
@pytest.mark.parametrize("changed", BAD_RULES)
def test_bad_rules_come_back_with_a_reason(owner: Signed, cast: Cast, changed: dict[str, Any]) -> None:
    answer = owner.post("/settings/rules/save", rule_form(cast, **changed))
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert db.session.scalar(select(Rule).where(Rule.name.like("Крупная%"))) is None


def test_a_change_is_a_new_version_and_a_switch_is_not(owner: Signed, cast: Cast) -> None:
    owner.post("/settings/rules/save", rule_form(cast))
    rule = db.session.scalars(select(Rule).where(Rule.name == "Крупная предоплата")).one()
    db.session.expunge(rule)
    db.session.rollback()
    owner.post("/settings/rules/save", rule_form(cast) | {"rule_id": rule.id, "value-0": "200 000"})
    owner.post("/settings/rules/save", rule_form(cast) | {"rule_id": rule.id, "value-0": "200 000"})
    numbers = db.session.scalars(select(RuleVersion.number).where(RuleVersion.rule_id == rule.id).order_by(RuleVersion.number)).all()
    assert numbers == [1, 2]
    answer = owner.post(f"/settings/rules/{rule.id}/switch", {"active": "0"}, htmx=True, page="/settings/rules")
    switch = re.search(f'<input[^>]*id="switch-{rule.id}"[^>]*>', answer.text)
    assert answer.status_code == 200 and switch and "checked" not in switch[0]
    answer = owner.post(f"/settings/rules/{rule.id}/switch", {"active": "1"}, htmx=True, page="/settings/rules")
    switch = re.search(f'<input[^>]*id="switch-{rule.id}"[^>]*>', answer.text)
    assert switch and " checked" in switch[0]


def test_a_rule_with_criteria_leaves_the_matrix(owner: Signed, cast: Cast) -> None:
    rule = matrix.matrix_rule(db.session(), cast.statuses["prepaid"])
    assert rule is not None
    form = rule_form(cast) | {"rule_id": rule.id}
    db.session.rollback()
    owner.post("/settings/rules/save", form)
    assert matrix.matrix_rule(db.session(), cast.statuses["prepaid"]) is None


def test_a_removed_rule_leaves_its_messages(owner: Signed, cast: Cast) -> None:
    cast.place()
    rule_id = cast.messages()[0].rule_id
    assert owner.post(f"/settings/rules/{rule_id}/remove").status_code == 303
    messages = cast.messages()
    assert len(messages) == 2 and messages[0].rule_id is None
    assert owner.get("/settings/messages").status_code == 200


def template_form(**changed: str) -> dict[str, str]:
    return {"name": "Проба", "subject": "{{ order.number }}", "text": "Сумма: {{ order.total }}", "skip_empty": "1"} | changed


def test_a_template_is_saved_and_previewed(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    shown = owner.post("/settings/templates/preview", template_form() | {"order": str(order.id)}, htmx=True).text
    assert "К-0001" in shown and "387\u00a0000\u00a0₽" in shown
    assert owner.post("/settings/templates/save", template_form()).status_code == 303
    assert db.session.scalar(select(Template).where(Template.name == "Проба")) is not None


BAD_TEMPLATES: list[tuple[dict[str, str], str]] = [
    ({"name": ""}, "Назовите"),
    ({"subject": ""}, "пустым"),
    ({"text": "  "}, "пустым"),
    ({"text": "а\nб {{ order.prepaid }}"}, "Строка 2, знак 6"),
    ({"text": "{{ customer.name }}"}, "customer.name"),
    ({"text": "{{ order }}"}, "order"),
    ({"text": "{{ order.number.first }}"}, "order.number.first"),
    ({"text": "{% for x in (1..1000000000) %}x{% endfor %}"}, "тег"),
    ({"text": "{% include 'x' %}"}, "тег"),
    ({"text": "{{ order.number | join: 'x' }}"}, "ильтр"),
    ({"text": "{{ order.number "}, "шаблон"),
    ({"text": "{% if order.number %}"}, "шаблон"),
    ({"text": "{{ 'x' | replace: 'x', 'yy' }}"}, "ильтр"),
    ({"text": "я" * 30_000}, "20000"),
    ({"text": "{{ order.x }} " * 3}, "order.x"),
]


@pytest.mark.one_database
@pytest.mark.parametrize(("changed", "said"), BAD_TEMPLATES)
def test_bad_templates_are_refused_with_their_place(owner: Signed, cast: Cast, changed: dict[str, str], said: str) -> None:
    cast.place()
    answer = owner.post("/settings/templates/save", template_form(**changed))
    assert answer.status_code == 422 and said in answer.text
    assert owner.post("/settings/templates/preview", template_form(**changed), htmx=True).status_code == 200
    assert db.session.scalar(select(Template).where(Template.name == "Проба")) is None


def test_a_template_in_use_is_not_removed(owner: Signed, cast: Cast) -> None:
    assert owner.post(f"/settings/templates/{cast.templates['manager']}/remove").status_code == 409


def test_a_status_with_orders_and_rules_asks_where_they_go(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "prepaid")
    prepaid, paid, install = (cast.statuses[key] for key in ("prepaid", "paid", "install"))
    url = f"/settings/boards/statuses/{prepaid}/remove"
    assert "В нём 1 заказ, его называет 1 правило" in owner.get(url).text
    assert owner.post(url).status_code == 422, "orders have nowhere to go"
    messages = len(cast.messages())
    assert owner.post(url, {"orders_to": paid, "rules_to": install}).status_code == 303
    assert cast.column("paid") == ["К-0001"] and len(cast.messages()) == messages, "they go without letters"
    assert cast.head("paid") == (1, 38_700_000)
    assert "Предоплата" in owner.get(f"/orders/{order.id}").text, "history keeps the name"
    gone = db.session.scalars(select(Rule).where(Rule.trigger_key == "gone")).all()
    assert len(gone) == 1 and not gone[0].active, "«Установка» has a matrix row of its own, so the old one is switched off"
    assert "больше нет" in owner.get("/settings/rules").text


def test_statuses_are_added_changed_and_shifted(owner: Signed, cast: Cast) -> None:
    assert owner.post(f"/settings/boards/{cast.boards['orders']}/statuses/add", {"name": "Замер"}).status_code == 303
    again = owner.post(f"/settings/boards/{cast.boards['orders']}/statuses/add", {"name": "замер"})
    assert again.status_code == 422 and "уже есть" in again.text
    status = db.session.scalars(select(Status).where(Status.name == "Замер")).one()
    db.session.expunge(status)
    db.session.rollback()
    form = {
        "name": "Замер!",
        "tone": "pink",
        "phase": "waiting",
        "limit": "4",
        "norm_days": "2",
        "answering": [cast.roles["designer"]],
        "moving": [cast.roles["manager"]],
    }
    assert owner.post(f"/settings/boards/statuses/{status.id}/change", form).status_code == 303
    owner.post(f"/settings/boards/statuses/{status.id}/shift", {"by": "-1"})
    names = re.findall(r'id="name-\d+">([^<]+)<', owner.get("/boards/1").text)
    assert names[-2:] == ["Замер!", "Закрыт"]
    db.session.rollback()
    for bad in (
        {"name": ""},
        {"name": "ЗАКРЫТ"},
        {"tone": "ultraviolet"},
        {"phase": "x"},
        {"limit": "-1"},
        {"limit": "²"},
        {"norm_days": "много"},
    ):
        assert owner.post(f"/settings/boards/statuses/{status.id}/change", form | bad).status_code == 422


def test_boards_are_added_and_removed_only_while_empty(owner: Signed, cast: Cast) -> None:
    form = {"name": "Ремонты", "order_name": "Ремонт", "prefix": "Р-", "icon": "truck"}
    assert owner.post("/settings/boards/add", form).status_code == 303
    assert owner.post("/boards/3/place", {"customer_name": "Анна"}).status_code == 303
    assert owner.post("/settings/boards/3/remove").status_code == 409
    assert owner.post(f"/settings/boards/{cast.boards['orders']}/change", form | {"source_id": cast.boards["orders"]}).status_code == 422


def test_people_and_roles(owner: Signed, app: Flask, cast: Cast) -> None:
    form = {
        "name": "Анна",
        "email": "anna@firm.example",
        "access": "staff",
        "language": "en",
        "role_ids": [cast.roles["designer"]],
        "entry": "password",
        "password": "tulip-harbor-9-kite",
    }
    assert owner.post("/settings/people/add", form).status_code == 303
    for bad in (
        {"email": "anna@firm.example"},
        {"email": "нет"},
        {"name": ""},
        {"access": "king"},
        {"password": "short"},
        {"password": ""},
    ):
        assert owner.post("/settings/people/add", form | {"email": "other@firm.example"} | bad).status_code == 422, bad
    assert owner.post("/settings/people/roles/add", {"name": "Монтажник"}).status_code == 303
    assert owner.post("/settings/people/roles/add", {"name": "Монтажник"}).status_code == 422
    assert owner.post(f"/settings/people/roles/{cast.roles['designer']}/rename", {"name": "Проектировщик"}).status_code == 303
    assert "Проектировщик" in owner.get("/settings/told").text
    cast.place(people={cast.roles["manager"]: cast.people["manager"]})
    assert owner.post(f"/settings/people/roles/{cast.roles['manager']}/remove").status_code == 409


def test_a_role_removed_while_rules_name_it_breaks_no_page_and_no_move(owner: Signed, cast: Cast) -> None:
    assert owner.post(f"/settings/people/roles/{cast.roles['accountant']}/remove").status_code == 303
    for url in ("/settings/rules", "/settings/told", "/settings/people", "/settings/boards", "/boards/1"):
        assert owner.get(url).status_code == 200
    moved = cast.move(cast.place(), "prepaid")
    assert moved.event and [message.name for message in cast.messages(event_id=moved.event.id)] == ["Ольга Белова"]
    assert "Получателя письма уже нет" in owner.get("/settings/rules").text


def test_organisations(owner: Signed, cast: Cast) -> None:
    assert owner.post("/settings/company/organisations/add", {"name": "ИП Мельников"}).status_code == 303
    assert owner.post("/settings/company/organisations/add", {"name": "ИП Мельников"}).status_code == 422
    assert owner.post("/settings/company/organisations/2/change", {"name": "ИП", "active": ""}).status_code == 303
    assert owner.post("/settings/company/organisations/2/remove").status_code == 303
    cast.place()
    assert owner.post(f"/settings/company/organisations/{cast.organisation}/remove").status_code == 409
    assert owner.post("/settings/company/change", {"company": "Кухни", "language": "xx"}).status_code == 422


def test_the_log_of_messages_filters_and_sends_again(owner: Signed, cast: Cast) -> None:
    cast.move(cast.place(), "prepaid")
    assert owner.get("/settings/messages?q=accountant").text.count("cell-to") == 1
    assert owner.get("/settings/messages?state=sent").text.count("cell-to") == 0
    assert owner.get(f"/settings/messages?person={cast.people['manager']}").text.count("cell-to") == 2
    assert owner.get("/settings/messages?q=%25&state=x&rule=abc&page=-5").status_code == 200
    message = cast.messages()[0]
    assert owner.post(f"/settings/messages/{message.id}/send-again").status_code == 303
    assert len(cast.messages(address=message.address)) >= 2
    html = owner.get(f"/settings/messages/{message.id}/html")
    assert "sandbox" in html.headers["Content-Security-Policy"]


def test_removing_asks_first_and_names_the_rules(owner: Signed, cast: Cast) -> None:
    message = send_email(
        cast.templates["manager"], [recipient("role", cast.roles["accountant"]), recipient("person", cast.people["viewer"])]
    )
    fields = rule_fields("Бухгалтеру и Лебедеву", cast.boards["orders"], "entered", cast.statuses["install"], actions=[message])
    with transaction() as session:
        add_rule(session, cast.owner, fields)
    asked = owner.get(f"/settings/people?removing={cast.roles['accountant']}").text
    assert "Удалить роль «Бухгалтер»?" in asked and "«Бухгалтеру и Лебедеву»" in asked
    assert "Удалить роль" not in owner.get("/settings/people?removing=99999").text

    leaves = {"name": "Павел Лебедев", "email": cast.email("viewer"), "access": "viewer", "language": "ru"}
    answer = owner.post(f"/settings/people/{cast.people['viewer']}/change", leaves)
    assert answer.status_code == 409 and "«Бухгалтеру и Лебедеву»" in answer.text
    assert db.session.get_one(Person, cast.people["viewer"]).active
    db.session.rollback()
    assert owner.post(f"/settings/people/{cast.people['viewer']}/change", leaves | {"sure": "1"}).status_code == 303
    assert not db.session.get_one(Person, cast.people["viewer"]).active
    asked = owner.get(f"/settings/boards/statuses/{cast.statuses['install']}/remove")
    assert "«Бухгалтеру и Лебедеву»" in asked.text


@pytest.mark.parametrize("typed", ["ЁЛКА", "елка", "«е\u0308л\u00adка»"])
def test_rules_are_found_in_any_spelling(owner: Signed, cast: Cast, typed: str) -> None:
    message = send_email(cast.templates["manager"], [recipient("author")])
    with transaction() as session:
        add_rule(
            session, cast.owner, rule_fields("Заказ «Ёлка»", cast.boards["orders"], "entered", cast.statuses["install"], actions=[message])
        )
    assert "Заказ «Ёлка»" in owner.get("/settings/rules", query_string={"q": typed}).text
    assert "Заказ «Ёлка»" not in owner.get("/settings/rules", query_string={"q": "сосна"}).text


def test_a_person_chooses_how_pages_look(app: Flask, cast: Cast) -> None:
    manager = Signed(app.test_client(), cast.email("manager"))
    assert "data-theme" not in manager.get("/boards/1").text and "data-keys" not in manager.get("/boards/1").text
    for field, value in (("theme", "dark"), ("compact", "1"), ("single_keys", "0")):
        assert manager.post("/me/look", {field: value}).status_code == 303
    page = manager.get("/boards/1").text
    assert 'data-theme="dark"' in page and 'data-density="compact"' in page and 'data-keys="off"' in page
    assert "data-theme" not in Signed(app.test_client(), cast.email("designer")).get("/boards/1").text
    assert manager.post("/me/look", {"theme": "pink"}).status_code == 422
    assert 'data-theme="dark"' in manager.get("/me").text
