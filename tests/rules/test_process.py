"""The process as a file: written, read again, looked at before it changes anything, hostile content refused, on both databases."""

import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from kanban import clock, people
from kanban.db import db
from kanban.errors import Forbidden, Invalid
from kanban.i18n import force_locale
from kanban.models import Board, Role, Status
from kanban.presets import PRESETS, load_preset, parse, read
from kanban.presets.keys import minor_units
from kanban.presets.loaded import ImportedThing
from kanban.transactions import transaction
from rules.editing import verbs
from rules.editing.process_export import write_process
from rules.editing.process_import import load_rules, read_process
from rules.models import Rule, RuleVersion, Template
from rules.queries.lookup import load_rule_lookup
from rules.queries.versions import fields_of, find_rule
from rules.words.sentences import sentence_of
from tests.cast import Cast, Signed
from tests.rule_json import recipient, rule_fields, send


def bring(cast: Cast, text: str, *, keep: bool = True, who: str = "owner") -> list[ImportedThing]:
    db.session.rollback()
    return read_process(parse(text), cast.actors[who], "ru", keep=keep)


def written() -> str:
    text = write_process(db.session())
    db.session.rollback()
    return text


def changes(found: list[ImportedThing]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.name, one.what) for one in found if one.what != "same"]


def add(cast: Cast, **more: Any) -> int:
    message = send(
        "email",
        cast.templates["manager"],
        [
            recipient("role", cast.roles["accountant"], many=True),
            recipient("author"),
            recipient("person", cast.people["viewer"]),
            recipient("address", address="a@b.example"),
        ],
        cc=[recipient("responsible")],
    )
    criteria = {
        "all": [
            {"field": "total", "op": "between", "value": [100, 10_000_050]},
            {
                "any": [
                    {"field": f"role:{cast.roles['designer']}", "op": "equals", "value": cast.people["designer"]},
                    {"field": "linked.status", "op": "in_list", "value": [cast.statuses["made"], cast.statuses["making"]]},
                    {"field": "organisation", "op": "equals", "value": cast.organisation},
                    {"field": "ship_on", "op": "more", "value": "2026-12-31"},
                    {"field": "ship_on", "op": "within_next", "value": 7},
                    {"field": "actor_roles", "op": "not_in_list", "value": [cast.roles["manager"]]},
                ]
            },
        ]
    }
    actions = [
        message,
        {"do": "set_status", "status": cast.statuses["made"]},
        {"do": "set_field", "field": "total", "value": 12_345},
        {"do": "set_field", "field": "ship_on", "value": {"days": 7}},
        {"do": "set_field", "field": "organisation", "value": cast.organisation},
        {"do": "assign", "role": cast.roles["designer"], "least": cast.roles["designer"]},
        {"do": "tag", "tag": "10:00"},
        {"do": "comment", "text": "раз\nдва", "after": {"number": 2, "unit": "hours", "while_there": True}},
        {"do": "todo", "kind": "task", "text": "x", "role": cast.roles["manager"], "due": {"days": 1, "time": "10:00"}},
    ]
    fields = {"trigger": "entered", "status_id": cast.statuses["prepaid"], "criteria": criteria, "actions": actions, "tell_actor": True}
    with transaction() as session:
        return verbs.add_rule(session, cast.owner, rule_fields("Всё сразу", cast.boards["orders"], **(fields | more))).id


def test_what_is_written_changes_nothing_when_it_is_read(cast: Cast) -> None:
    add(cast)
    text = written()
    assert changes(bring(cast, text)) == [] and written() == text
    assert text.count("\n") > 50 and "&id" not in text and "Всё сразу" in text


def test_a_process_moves_to_an_empty_potok(cast: Cast) -> None:
    rule = add(cast)
    before = sentence_of(fields_of(find_rule(db.session(), rule)), load_rule_lookup(db.session()))
    text = written()
    with transaction() as session:
        for model in (Rule, RuleVersion, Template, Status, Board, Role):
            for one in session.scalars(select(model)):
                session.delete(one) if model is not Board else None
        for role in session.scalars(select(Role)):
            session.delete(role)
    found = bring(cast, text)
    assert {one.what for one in found if one.kind in ("status", "role", "template", "rule")} == {"new"}
    again = db.session.scalars(select(Rule).where(Rule.name == "Всё сразу")).one()
    after = sentence_of(fields_of(find_rule(db.session(), again.id)), load_rule_lookup(db.session()))
    assert after == before
    assert changes(bring(cast, text)) == []


def test_a_preview_keeps_nothing_and_says_what_would_change(cast: Cast) -> None:
    add(cast)
    content = yaml.safe_load(written())
    content["roles"]["Замерщик"] = "Замерщик"
    status = content["boards"][0]["statuses"][0]
    status["norm"], status["answer"] = 3, [*status["answer"], "Замерщик"]
    content["rules"]["list"][-1]["do"][0]["to"] = ["Замерщик"]
    content["rules"]["matrix"]["Установка"]["author"] = "Автору — статус изменён"
    text = yaml.safe_dump(content, allow_unicode=True)
    with force_locale("ru"):
        found = {(one.kind, one.name): one for one in bring(cast, text, keep=False) if one.what != "same"}
    assert found["role", "Замерщик"].what == "new" and found["status", "Заказы покупателей: Разработка проекта"].what == "changed"
    assert any("10 → 3" in detail for detail in found["status", "Заказы покупателей: Разработка проекта"].details)
    assert any("замерщик" in detail for detail in found["rule", "Всё сразу"].details)
    assert ("matrix", "Установка") in found and len(found) == 4
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Role).where(Role.name == "Замерщик")) == 0
    assert len(changes(bring(cast, text))) == 4 and changes(bring(cast, text)) == []


def test_a_rule_that_makes_no_sense_here_is_left_out_and_says_why(cast: Cast) -> None:
    add(cast)
    text = written().replace("viewer@melnikov.example", "nobody@else.example")
    with force_locale("ru"):
        found = bring(cast, text)
    assert [(one.what, one.details) for one in found if one.name == "Всё сразу"] == [
        ("skipped", ("nobody@else.example: здесь такого нет.",))
    ]


MANY = "{all: [" + ", ".join(["{field: paid, op: filled}"] * 20) + "]}"
LONG, LONGER = "x" * 50, "x" * 300
RULE = "rules: {list: [{board: o, name: x, trigger: %s, do: [%s]%s}]}"
STATUS = "{key: s, name: Закрыт, tone: slate, phase: done}"
BOARD = f"boards: [{{key: o, name: Заказы покупателей, order_name: Заказ покупателя, prefix: К-, statuses: [{STATUS}]}}]\n"
TAG = "{do: tag, tag: x}"


@pytest.mark.one_database
@pytest.mark.parametrize(
    "rule",
    [
        RULE % ("nonsense", TAG, ""),
        RULE % ("changed", "{do: nonsense}", ""),
        RULE % ("changed", "{do: set_status}", ""),
        RULE % ("changed", "{do: set_field, field: total, value: many}", ""),
        RULE % ("changed", "{do: set_field, field: ship_on, value: soon}", ""),
        RULE % ("changed", "{do: send_email, template: none, to: [author]}", ""),
        RULE % ("changed", "{do: todo, kind: 1, text: x}", ""),
        RULE % ("changed", TAG, ", when: [{field: nonsense, op: equals, value: 1}]"),
        RULE % ("changed", TAG, ", when: [{field: total, op: nonsense, value: 1}]"),
        RULE % ("changed", TAG, ", when: [{field: total, op: more, value: much}]"),
        RULE % ("changed", TAG, ", when: [{field: total, op: between, value: [1]}]"),
        RULE % ("changed", TAG, ", when: [{field: ship_on, op: more, value: tomorrow}]"),
        RULE % ("changed", TAG, ", when: [{field: 'role:99', op: filled}]"),
        RULE % ("changed", TAG, ", when: [{field: customer, op: in_list, value: x}]"),
        RULE % ("date", TAG, ", options: {field: ship_on, offset: 1, unit: weeks, at: '09:00'}"),
        RULE % ("stay", TAG, ", options: {}"),
        RULE % ("weekdays", TAG, ", options: {days: [1], at: '09:00'}"),
        RULE % ("hand", TAG, ", options: {button: ''}"),
        RULE % ("entered", TAG, ""),
        RULE % ("changed", TAG, ", mode: paused, until: never"),
        RULE % ("paid", TAG, ", options: {percent: 101}"),
        RULE % ("changed", TAG, ", when: [{field: total, op: more, value: inf}]"),
        RULE % ("changed", "{do: set_field, field: total, value: inf}", ""),
        RULE % ("changed", TAG, ", when: [{field: total, op: more, value: 99999999999999}]"),
        RULE % ("changed", "{do: set_field, field: total, value: -5}", ""),
        RULE % ("changed", "{do: set_field, field: ship_on, value: {days: 1.5}}", ""),
        RULE % ("changed", f"{{do: tag, tag: {LONG}}}", ""),
        RULE % ("changed", f"{{do: set_field, field: title, value: {LONGER}}}", ""),
        RULE % ("changed", TAG, ", mode: paused"),
        RULE % ("changed", TAG, ", mode: paused, until: '0001-01-01'"),
        RULE % ("changed", TAG, ", mode: paused, until: '9999-12-31T23:59:59-14:00'"),
        RULE % ("changed", TAG, f", when: {{any: [{MANY}, {MANY}]}}"),
        RULE % ("changed", TAG, ", when: {all: [{any: [{all: [{any: [{all: [{field: paid, op: filled}]}]}]}]}]}"),
        RULE % ("changed", TAG, ", when: [{field: customer, op: in_list, value: ['Ли, Ко']}]"),
        RULE % ("changed", "{do: assign, least: none}", ""),
        RULE % ("changed", "{do: tag, tag: x, after: {number: -1, unit: hours}}", ""),
        RULE % ("changed", "{do: comment, text: '{{ order.nonsense }}'}", ""),
    ],
)
def test_rules_that_make_no_sense_are_never_saved(cast: Cast, rule: str) -> None:
    found = bring(cast, BOARD + rule)
    assert [one.what for one in found if one.kind == "rule"] == ["skipped"]
    assert all(one.details for one in found if one.what == "skipped")
    assert db.session.scalar(select(func.count()).select_from(Rule).where(Rule.name == "x")) == 0


@pytest.mark.one_database
@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "a: [",
        "roles: {a: 1}",
        "boards: x",
        "nonsense: 1",
        "rules: {list: [{}]}",
        "roles: &a {b: c}\nname: *a",
        "[" * 5000,
        "boards: [{key: o, name: x, order_name: x, statuses: [{key: s, name: x, tone: plaid}]}]",
        "!!python/object:os.system {}",
        "boards: [{key: o, name: x, order_name: x, source: none, statuses: []}]",
        "x: " + "y" * 600_000,
        "roles: {a: ''}",
        "\x00",
        "name: !!timestamp x",
        'name: !!int ""',
        "name: !!bool x",
        "roles: {1: [], a: []}",
        'roles: {a: "x\\ud800y"}',
        "roles: {a: One, a: Two}",
        "roles: {author: Author}",
        "boards: [" + "a," * 200_000 + "]",
        'roles: {a: "x\\0y"}',
        "name: !!binary aGk=",
        "name: !!set {a}",
        "boards: [{key: o, name: x, order_name: x, statuses: [{key: s, name: a}, {key: s, name: b}]}]",
        "name: &a x\nabout: *a",
        "rules: {list: [{board: " + "[" * 80_000 + "]" * 80_000 + "}]}",
        "a: " + "[" * 70_000 + "]" * 70_000,
        "rules: {matrix: {none: {author: none}}}",
        "rules: {templates: {t: {name: x, subject: x, text: '{{ order.nonsense }}'}}}",
        "boards: [{key: o, name: x, order_name: x, statuses: [{key: s, name: x, answer: [none]}]}]",
    ],
)
def test_a_file_of_another_shape_is_refused_with_a_sentence(cast: Cast, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        bring(cast, text)
    assert str(refused.value.reason)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("trigger: changed, when: [{field: status_after, op: equals, value: [s, s]}], do: [{do: tag, tag: x}]", "здесь должен быть текст"),
        ("trigger: stay, options: {offset: 1, unit: weeks}, do: [{do: tag, tag: x}]", "одно из: days, working_days, hours"),
        (
            "trigger: changed, do: [{do: todo, kind: task, text: x, responsible: true, due: {time: '09:00'}}]",
            "здесь должно быть целое число",
        ),
    ],
)
def test_a_rule_that_can_not_be_read_is_skipped_with_its_place_in_words(cast: Cast, rule: str, said: str) -> None:
    with force_locale("ru"):
        found = bring(cast, BOARD + "rules: {list: [{board: o, name: x, " + rule + "}]}")
    [skipped] = [one for one in found if one.kind == "rule"]
    assert skipped.what == "skipped" and said in skipped.details[0] and re.match(r"(when|criteria|options|actions|do)", skipped.details[0])


MESSAGES = """
roles: {r: Менеджер}
rules:
  templates: {t: {name: Письмо, subject: x, text: y}}
  list: [{board: o, name: x, trigger: changed, do: [{do: send_email, template: t, to: [%s]%s}]}]
"""


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("to", "more"),
    [
        ("{address: 'a@b.example, c@d.example'}", ""),
        ("{address: ' '}", ""),
        ("{address: no address}", ""),
        ("author", ", from: 5"),
        ("author", ", cc: [{address: 'X <e@f.example>'}]"),
        ("author", ", from: {a: b}"),
        ("author", ", reply_to: {a: b}"),
        ("author", ", reply_to: nonsense"),
        ("author", ", from: 'account:none'"),
        ("r, {person: nobody@x.example}", ""),
        (", ".join(f"{{address: a{n}@b.example}}" for n in range(25)), ""),
    ],
)
def test_messages_to_nowhere_are_never_saved(cast: Cast, to: str, more: str) -> None:
    found = bring(cast, BOARD + MESSAGES % (to, more))
    assert [one.what for one in found if one.kind == "rule"] == ["skipped"]


def test_things_of_one_name_stay_two(cast: Cast) -> None:
    for tag in ("один", "два"):
        with transaction() as session:
            fields = rule_fields("Близнец", cast.boards["orders"], "changed", actions=[{"do": "tag", "tag": tag}])
            verbs.add_rule(session, cast.owner, fields)
    with transaction() as session:
        for name in ("08", "author", "Мастер\u00a0смены", "on", "1.50"):
            session.add(Role(name=name, position=50))
        session.add_all([Template(kind="letter", name="Дважды", subject=subject, text="x", position=90) for subject in ("раз", "два")])
    text = written()
    assert changes(bring(cast, text)) == [] and written() == text


def test_log_only_stays_log_only(cast: Cast) -> None:
    with transaction() as session:
        soon = clock.now() + timedelta(days=1)
        for name, mode in {"пауза": {"paused_until": soon}, "черновик": {"active": False}, "журнал": {}}.items():
            fields = rule_fields(name, cast.boards["orders"], "changed", actions=[{"do": "tag", "tag": "x"}], log_only=True)
            verbs.add_rule(session, cast.owner, replace(fields, **mode))
    text = written()
    assert changes(bring(cast, text)) == []
    assert all(rule.log_only for rule in db.session.scalars(select(Rule).where(Rule.name.in_(["пауза", "черновик", "журнал"]))))


def test_a_cell_of_a_role_that_is_gone_is_left_out_of_the_file(cast: Cast) -> None:
    with transaction() as session:
        people.remove_role(session, cast.owner, cast.roles["designer"])
    assert changes(bring(cast, written())) == [("matrix", "Разработка проекта", "changed")]  # it is cleared away
    assert changes(bring(cast, written())) == []


def test_words_are_read_as_they_are_written() -> None:
    content = parse("name: on\nroles: {no: yes, '1': 2026-12-31}\nabout: 10:00")
    assert content == {"name": "on", "roles": {"no": "yes", "1": "2026-12-31"}, "about": "10:00"}


@pytest.mark.one_database
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_presets_are_such_files_and_leave_nothing_out(cast: Cast, name: str, language: str) -> None:
    content = read(name)
    parse(yaml.safe_dump(content, allow_unicode=True))
    found = read_process(content, cast.owner, language, keep=False)
    assert [one for one in found if one.what == "skipped"] == []
    assert {one.kind for one in found} == {"role", "board", "status", "template", "matrix", "rule"}


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("language", ["ru", "en"])
def test_each_preset_sets_up_an_empty_potok(bare_app: Flask, name: str, language: str) -> None:
    with bare_app.test_request_context(), force_locale(language):
        with transaction() as session:
            loaded = load_preset(session, name, language)
            load_rules(session, loaded, language)
        assert {one.what for one in loaded.found} == {"new"}
        db.session.rollback()
        lookup = load_rule_lookup(db.session())
        found = [find_rule(db.session(), rule.id) for rule in db.session.scalars(select(Rule))]
        assert found and [sentence_of(fields_of(rule), lookup).gone for rule in found] == [()] * len(found)


def test_only_administrators_bring_a_file(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        bring(cast, written(), who="manager")


def test_the_page_shows_first_and_brings_then(cast: Cast, client: FlaskClient) -> None:
    owner = Signed(client, cast.email("owner"))
    text = owner.get("/settings/process/potok.yaml")
    assert text.status_code == 200 and text.headers["Content-Disposition"].startswith("attachment; filename=potok-")
    changed = text.text.replace("Установка", "Монтаж")
    looked = owner.post("/settings/process/look", {"text": "", "file": (io.BytesIO(changed.encode()), "p.yaml")})
    assert looked.status_code == 200 and "Монтаж" in looked.text and "/settings/process/bring" in looked.text
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Status).where(Status.name == "Монтаж")) == 0
    assert owner.post("/settings/process/bring", {"text": changed}).status_code == 303
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Status).where(Status.name == "Монтаж")) == 1
    assert owner.post("/settings/process/look", {"text": "a: ["}).status_code == 422
    assert owner.post("/settings/process/look", {"file": (io.BytesIO(b"\xff\xfe"), "p.yaml")}).status_code == 422
    manager = Signed(client.application.test_client(), cast.email("manager"))
    assert manager.get("/settings/process").status_code == 403
    assert manager.post("/settings/process/bring", {"text": changed}).status_code == 403


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: 007\n", 'Строка 1, name: 007 читается как число. Если это текст, возьмите его в кавычки: "007".'),
        ("roles:\n  a: true\n", "Строка 2, roles.a: true читается как «да» или «нет»."),
        ("boards:\n- {key: a, order_name: x, statuses: []}\n", "Строка 2, boards.0: не хватает «name»."),
        ("boards: {}\n", "Строка 1, boards: здесь должен быть список."),
        ("заказы: 1\n", "Строка 1: слово «заказы» здесь неизвестно."),
        ("boards:\n- {key: a, name: x, order_name: x, icon: boo, statuses: []}\n", "«boo» здесь не подходит"),
        ("roles:\n  a: ~\n", "здесь ничего нет, а должен быть текст"),
        ("roles: {a: " + "x" * 30_000 + "}", "слишком длинный"),
        ("", "Файл пуст"),
        ("rules: {list: [{board: a, name: b, trigger: hand, do: [], options: {sum: .nan}}]}", "Строка 1"),
    ],
)
@pytest.mark.one_database
def test_what_is_wrong_with_a_file_is_said_in_words(app: Flask, text: str, said: str) -> None:
    with force_locale("ru"), pytest.raises(Invalid) as refusal:
        parse(text)
    assert said in str(refusal.value.reason)


FILE = "roles:\n  measurer: Замерщик Ёлкин\n"


@pytest.mark.parametrize(
    ("codec", "guess"),
    [("cp1251", "windows-1251"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16")],
)
def test_a_file_in_another_encoding_is_read_when_it_is_named(cast: Cast, client: FlaskClient, codec: str, guess: str) -> None:
    signed = Signed(client, cast.email("owner"))
    upload = {"file": (io.BytesIO(FILE.encode(codec)), "p.yaml"), "text": "name: набрано"}
    page = signed.post("/settings/process/look", upload)
    assert page.status_code == 422 and f"Он не в UTF-8. Похоже на {guess}." in page.text
    assert "Замерщик Ёлкин" in page.text and "name: набрано" in page.text
    raw = re.search(r'name="raw" value="([^"]*)"', page.text)[1]  # type: ignore[index]
    chosen = re.search(r'<option value="([^"]+)" selected', page.text)[1]  # type: ignore[index]
    looked = signed.post("/settings/process/look", {"raw": raw, "encoding": chosen})
    assert looked.status_code == 200 and "Замерщик Ёлкин" in looked.text
    assert signed.post("/settings/process/look", {"raw": raw + "!", "encoding": chosen}).status_code == 422
    assert signed.post("/settings/process/look", {"raw": "mA==", "encoding": "windows-1251"}).status_code == 422


@pytest.mark.parametrize("number", [0.125, float("nan"), float("inf"), -1, True, "5", 1e300])
def test_a_sum_of_a_file_is_never_another(number: Any) -> None:
    with pytest.raises(Invalid):
        minor_units(number)


def test_sums_of_a_file_are_exact() -> None:
    assert [minor_units(number) for number in (0, 1, 0.1, 0.29, 1_000_000_000_000.01, 4.35)] == [0, 100, 10, 29, 100_000_000_000_001, 435]


def test_gates_and_limits_go_along_and_a_file_that_names_none_leaves_them(cast: Cast) -> None:
    gate = {
        "all": [
            {"field": "paid_percent", "op": "at_least", "value": 50},
            {
                "any": [
                    {"field": f"role:{cast.roles['designer']}", "op": "filled"},
                    {"field": "linked.status", "op": "equals", "value": cast.statuses["made"]},
                    {"field": "total", "op": "less", "value": 100_050},
                ]
            },
        ]
    }
    with transaction() as session:
        status = session.get_one(Status, cast.statuses["prepaid"])
        status.gate, status.limit, status.limit_refuses = gate, 7, True
    text = write_process(db.session())
    written = next(one for one in parse(text)["boards"][0]["statuses"] if one["name"] == "Предоплата")
    assert written["limit_refuses"] and written["gate"]["all"][1]["any"][0]["field"] == "role:Дизайнер"
    assert written["gate"]["all"][1]["any"][2]["value"] == 1000.5
    with transaction() as session:
        status = session.get_one(Status, cast.statuses["prepaid"])
        status.gate, status.limit_refuses = {}, False
    found = read_process(parse(text), cast.owner, "ru", keep=True)
    assert [one.what for one in found if one.kind == "gate"] == ["new"]
    db.session.rollback()
    status = db.session.get_one(Status, cast.statuses["prepaid"], populate_existing=True)
    assert (status.gate, status.limit, status.limit_refuses) == (gate, 7, True)
    assert all(one.what == "same" for one in read_process(parse(text), cast.owner, "ru", keep=True))
    without = parse(text)
    for board in without["boards"]:
        for one in board["statuses"]:
            one.pop("gate", None)
    read_process(without, cast.owner, "ru", keep=True)
    db.session.rollback()
    assert db.session.get_one(Status, cast.statuses["prepaid"], populate_existing=True).gate == gate


def test_a_gate_that_makes_no_sense_here_is_left_out_and_says_why(cast: Cast) -> None:
    content = parse(write_process(db.session()))
    statuses = content["boards"][0]["statuses"]
    statuses[1]["gate"] = {"all": [{"field": "total", "op": "changed"}]}
    statuses[2]["gate"] = {"all": [{"field": "responsible", "op": "equals", "value": "nobody@elsewhere.example"}]}
    statuses[3]["gate"] = {"all": [{"field": "total", "op": "no_such"}]}
    found = [one for one in read_process(content, cast.owner, "ru", keep=True) if one.kind == "gate"]
    assert [one.what for one in found] == ["skipped"] * 3
