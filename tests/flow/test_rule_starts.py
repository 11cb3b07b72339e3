"""Buttons that start rules by hand, the working calendar, and the editor of starts that name more than a status."""

import re
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from kanban.calendar import Calendar, load_calendar
from kanban.db import db
from kanban.models import Event
from kanban.transactions import transaction
from rules.editing import verbs
from rules.models import Message, Rule, RuleVersion
from tests.cast import Cast, Signed
from tests.rule_json import recipient, rule_fields, send_email


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    with transaction() as session:
        session.execute(update(Rule).values(active=False))
    return Signed(app.test_client(), cast.email("owner"))


def button(cast: Cast, *roles: str, active: bool = True) -> int:
    message = send_email(cast.templates["manager"], [recipient("person", cast.people["accountant"])])
    options = {"button": "Запросить замер", "roles": [cast.roles[role] for role in roles]}
    fields = rule_fields("Замер", cast.boards["orders"], "hand", None, {"all": []}, [message], False, active, options)
    with transaction() as session:
        return verbs.add_rule(session, cast.actors["owner"], fields).id


def test_a_button_starts_its_rule_alone_and_once(owner: Signed, cast: Cast) -> None:
    first, _other = button(cast), button(cast)
    order = cast.place()
    page = owner.get(f"/orders/{order.id}/buttons", htmx=True).text
    assert page.count("Запросить замер") == 2
    key = re.search(r'name="key" value="([^"]+)"', page)
    for _twice in range(2):
        assert owner.post(f"/orders/{order.id}/buttons/{first}", {"key": key[1] if key else ""}).status_code == 303
    db.session.rollback()
    assert db.session.scalars(select(Message.rule_id)).all() == [first]
    event = db.session.scalars(select(Event).where(Event.kind == "order.asked")).one()
    assert (event.actor_name, event.after["rule"]["name"]) == ("Сергей Мельников", "Запросить замер")
    assert "Нажато: «Запросить замер»" in owner.get(f"/orders/{order.id}").text


def test_a_button_is_for_its_roles(owner: Signed, cast: Cast, app: Flask) -> None:
    rule, off = button(cast, "designer"), button(cast, active=False)
    order = cast.place()
    manager, designer, viewer = (Signed(app.test_client(), cast.email(who)) for who in ("manager", "designer", "viewer"))
    assert "Запросить" in designer.get(f"/orders/{order.id}/buttons").text
    for who in (manager, viewer):
        assert "Запросить" not in who.get(f"/orders/{order.id}/buttons").text
        assert who.post(f"/orders/{order.id}/buttons/{rule}").status_code == 403
    assert designer.post(f"/orders/{order.id}/buttons/{rule}").status_code == 303
    assert owner.post(f"/orders/{order.id}/buttons/{off}").status_code == 403
    assert owner.post(f"/orders/{order.id}/buttons/999999").status_code == 404
    assert owner.post(f"/orders/999999/buttons/{rule}").status_code == 404


def test_the_working_calendar_is_kept(owner: Signed, cast: Cast) -> None:
    days = {"public_holidays": "yes", "days_off": "31.12.2026; 2027-01-11", "worked_days": "26.12.2026"}
    assert owner.post("/settings/company/calendar", days).status_code == 303
    calendar = load_calendar(db.session())
    assert calendar.country == "RU" and {day.isoformat() for day in calendar.days_off} == {"2026-12-31", "2027-01-11"}
    assert calendar.worked == {date(2026, 12, 26)} and calendar.is_working(date(2026, 12, 26))
    page = owner.get("/settings/company").text
    assert "31.12.2026, 11.01.2027" in page and 'value="26.12.2026"' in page and "Россия" in page
    same = {"days_off": "1.2.2027", "worked_days": "2027-02-01"}
    for bad in ({"days_off": "завтра"}, {"days_off": "31.02.2026"}, {"worked_days": "1" * 5000}, same):
        assert owner.post("/settings/company/calendar", bad).status_code == 422
    owner.post("/settings/company/calendar", {})
    db.session.rollback()
    assert load_calendar(db.session()) == Calendar()


STARTS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("field", {"option-field": "ship_on"}, {"field": "ship_on"}, "Когда у заказа покупателя меняется поле «Дата отгрузки»"),
    ("paid", {"option-paid": "50", "option-of": "percent"}, {"percent": 50}, "Когда по заказу покупателя оплачено 50"),
    ("paid", {"option-paid": "100 000", "option-of": "sum"}, {"sum": 10_000_000}, "Когда по заказу покупателя оплачено 100"),
    ("commented", {}, {}, "получает комментарий"),
    ("all_linked", {"option-phase": "done"}, {"phase": "done"}, "Когда у заказа покупателя все связанные заказы в фазе"),
    (
        "date",
        {"option-field": "ship_on", "option-when": "before", "option-number": "3", "option-unit": "working_days", "option-at": "09:00"},
        {"field": "ship_on", "offset": -3, "unit": "working_days", "at": "09:00", "late": "catch_up"},
        "За 3 рабочих дня до даты отгрузки заказа покупателя, в 09:00",
    ),
    ("stay", {"option-number": "2", "option-unit": "days"}, {"offset": 2, "unit": "days"}, "стоит в одном статусе дольше чем 2 дня"),
    (
        "idle",
        {"option-number": "5", "option-unit": "hours"},
        {"offset": 5, "unit": "hours"},
        "5 часов ничего не происходит",
    ),
    ("hand", {"option-button": "Замер"}, {"button": "Замер", "roles": []}, "Когда у заказа покупателя нажимают кнопку «Замер»"),
]


@pytest.mark.one_database
@pytest.mark.parametrize(("trigger", "typed", "options", "sentence"), STARTS)
def test_the_editor_keeps_every_start(
    owner: Signed, cast: Cast, trigger: str, typed: dict[str, str], options: dict[str, Any], sentence: str
) -> None:
    form = {
        "name": "Начало",
        "board_id": str(cast.boards["orders"]),
        "trigger": trigger,
        "active": "1",
        "mode": "on",
        "group": "all",
        "template-0": str(cast.templates["manager"]),
        "channel-0": "email",
        "to-0": "responsible",
    } | typed
    page = owner.post("/settings/rules/draw", form, htmx=True).text
    assert sentence in re.sub(r"<[^>]+>|\s+", " ", page.replace("\xa0", " ")).replace("  ", " ") or sentence in page
    assert owner.post("/settings/rules/save", form).status_code == 303
    saved = db.session.scalars(select(RuleVersion).order_by(RuleVersion.id.desc())).first()
    assert saved and (saved.trigger, saved.options) == (trigger, options)
    page = owner.get(f"/settings/rules/{saved.rule_id}").text
    for name, value in typed.items():
        assert f'name="{name}"' in page
        assert value.replace(" ", "\xa0") in page or value in page


CHANGES: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"channel-0": "set_field", "setfield-0": "ship_on", "setvalue-0": "+7"}, {"field": "ship_on", "value": {"days": 7}}),
    ({"channel-0": "set_field", "setfield-0": "total", "setvalue-0": "1 500"}, {"field": "total", "value": 150_000}),
    ({"channel-0": "set_field", "setfield-0": "ship_on", "setvalue-0": ""}, {"field": "ship_on", "value": None}),
    ({"channel-0": "tag", "tag-0": " срочно "}, {"tag": "срочно"}),
    ({"channel-0": "make_production"}, {}),
    ({"channel-0": "comment", "text-0": "Привет"}, {"text": "Привет"}),
]


@pytest.mark.one_database
@pytest.mark.parametrize(("typed", "action"), CHANGES)
def test_the_editor_keeps_every_change(owner: Signed, cast: Cast, typed: dict[str, str], action: dict[str, Any]) -> None:
    form = {"name": "Изменение", "board_id": str(cast.boards["orders"]), "trigger": "placed", "active": "1", "mode": "on", "group": "all"}
    assert owner.post("/settings/rules/save", form | typed).status_code == 303
    saved = db.session.scalars(select(RuleVersion).order_by(RuleVersion.id.desc())).first()
    assert saved and saved.actions == [{"do": typed["channel-0"]} | action]
    assert owner.get(f"/settings/rules/{saved.rule_id}").status_code == 200
    assert owner.get("/settings/rules").status_code == 200


@pytest.mark.one_database
@pytest.mark.parametrize(
    "typed",
    [
        {"channel-0": "set_field", "setfield-0": "ship_on", "setvalue-0": "завтра"},
        {"channel-0": "set_status"},
        {"channel-0": "assign", "who-0": "everybody"},
        {"channel-0": "tag", "tag-0": ""},
        {"channel-0": "magic"},
    ],
)
def test_changes_that_cannot_be_read_are_refused(owner: Signed, cast: Cast, typed: dict[str, str]) -> None:
    form = {"name": "Изменение", "board_id": str(cast.boards["orders"]), "trigger": "placed", "active": "1", "mode": "on", "group": "all"}
    assert owner.post("/settings/rules/save", form | typed).status_code == 422


def nested(cast: Cast) -> dict[str, Any]:
    """paid and (ship date empty, or (customer contains x and total more than 1))"""
    return {
        "name": "Группы",
        "board_id": cast.boards["orders"],
        "trigger": "entered",
        "status_id": cast.statuses["prepaid"],
        "mode": "on",
        "channel-0": "email",
        "template-0": cast.templates["manager"],
        "to-0": "responsible",
        "group": "all",
        "group-1": "any",
        "parent-1": "0",
        "group-2": "all",
        "parent-2": "1",
        "field-0": "paid",
        "op-0": "filled",
        "field-1": "ship_on",
        "op-1": "empty",
        "in-1": "1",
        "field-2": "customer",
        "op-2": "contains",
        "value-2": "x",
        "in-2": "2",
        "field-3": "total",
        "op-3": "more",
        "value-3": "1",
        "in-3": "2",
    }


TREE = {
    "all": [
        {"field": "paid", "op": "filled"},
        {
            "any": [
                {"field": "ship_on", "op": "empty"},
                {"all": [{"field": "customer", "op": "contains", "value": "x"}, {"field": "total", "op": "more", "value": 100}]},
            ]
        },
    ]
}


@pytest.mark.one_database
def test_groups_within_groups_are_saved_and_drawn_again(owner: Signed, cast: Cast) -> None:
    assert owner.post("/settings/rules/save", nested(cast)).status_code == 303
    rule = db.session.scalars(select(Rule).where(Rule.name == "Группы")).one()
    assert db.session.get_one(RuleVersion, rule.version_id).criteria == TREE
    page = owner.get(f"/settings/rules/{rule.id}").text
    assert page.count('class="criteria-group"') == 2
    again = {
        name: value for name, value in _form(page).items() if name.partition("-")[0] in ("group", "parent", "in", "field", "op", "value")
    }
    given = {name: str(value) for name, value in nested(cast).items()}
    assert again.items() <= (given | {"value-3": again["value-3"]}).items() and "value-3" in again


@pytest.mark.one_database
def test_groups_come_and_go_by_buttons(owner: Signed, cast: Cast) -> None:
    drawn = owner.post("/settings/rules/draw", nested(cast) | {"do": "add-group:2"}).text
    assert drawn.count('class="criteria-group"') == 3 and 'name="group-3"' in drawn
    drawn = owner.post("/settings/rules/draw", nested(cast) | {"do": "add-group:0"}).text
    assert 'name="parent-3" value="0"' in drawn
    drawn = owner.post("/settings/rules/draw", nested(cast) | {"do": "drop-group:1"}).text
    assert 'class="criteria-group"' not in drawn and 'name="field-1"' not in drawn and 'name="field-0"' in drawn
    drawn = owner.post("/settings/rules/draw", nested(cast) | {"do": "add-criterion:2"}).text
    assert 'name="in-4" value="2"' in drawn


HOSTILE: list[dict[str, str]] = [
    {"parent-1": "1"},
    {"parent-1": "2", "parent-2": "1"},
    {"in-1": "77"},
    {"group-1": "none"},
    {"do": "drop-group:0"},
    {"do": "add-group:99"},
    {"parent-2": "999999999999"},
]


@pytest.mark.one_database
@pytest.mark.parametrize("hostile", HOSTILE)
def test_groups_that_make_no_sense_are_no_error(owner: Signed, cast: Cast, hostile: dict[str, str]) -> None:
    assert owner.post("/settings/rules/draw", nested(cast) | hostile).status_code == 200
    many = {f"group-{number}": "any" for number in range(1, 200)} | {f"parent-{number}": str(number - 1) for number in range(1, 200)}
    assert owner.post("/settings/rules/draw", nested(cast) | many | hostile).status_code == 200


def _form(page: str) -> dict[str, str]:
    """What the editor's fields hold."""
    part = page.partition('id="rule-editor"')[2]
    found = dict(re.findall(r'<input[^>]*name="([a-z]+(?:-[0-9]+)?)"[^>]*value="([^"]*)"', part))
    for name, options in re.findall(r'<select[^>]*name="([a-z]+(?:-[0-9]+)?)"[^>]*>(.*?)</select>', part, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found
