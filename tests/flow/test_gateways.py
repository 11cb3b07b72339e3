"""Settings of SMS and messengers over HTTP, short templates, the rule editor's channels, and one's own phone."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from kanban.config import Config
from kanban.db import db
from kanban.models import Person
from rules.models import Gateway, Rule, RuleVersion, Template
from rules.transports.gateways import fields_of
from tests.cast import Cast, Signed
from tests.fakegateways import FakeHttp

pytestmark = pytest.mark.one_database


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


@pytest.fixture
def http() -> Iterator[FakeHttp]:
    with FakeHttp() as fake:
        yield fake


SMSC = {"service": "smsc", "login": "firma", "password": "тайна-1", "sender": "Kuhni", "per_hour": "100", "per_day": ""}


def stored(channel: str = "sms") -> Gateway | None:
    found = db.session.get(Gateway, channel, populate_existing=True)
    db.session.rollback()
    return found


def test_only_an_administrator_sets_gateways_up(app: Flask, cast: Cast) -> None:
    for who in ("manager", "viewer"):
        signed = Signed(app.test_client(), cast.email(who))
        assert signed.get("/settings/gateways").status_code == 403
        for url in ("save", "test", "remove"):
            assert signed.post(f"/settings/gateways/sms/{url}", SMSC | {"address": "+79001234567"}).status_code == 403
    assert stored() is None


def test_what_is_saved_is_sealed_and_never_shown_again(owner: Signed, config: Config) -> None:
    assert owner.post("/settings/gateways/sms/save", SMSC).status_code == 303
    gateway = stored()
    assert gateway and gateway.service == "smsc" and (gateway.per_hour, gateway.per_day) == (100, 0)
    assert "тайна" not in gateway.sealed_fields and fields_of(gateway, config)["password"] == "тайна-1"
    page = owner.get("/settings/gateways").text
    assert "тайна-1" not in page and "•••••• сохранён" in page and 'value="firma"' in page
    owner.post("/settings/gateways/sms/save", SMSC | {"password": "", "login": "firma2"})
    gateway = stored()
    assert gateway and fields_of(gateway, config) == {"login": "firma2", "password": "тайна-1", "sender": "Kuhni"}


def test_another_service_takes_no_secret_of_the_old_one(owner: Signed) -> None:
    owner.post("/settings/gateways/sms/save", SMSC)
    smpp = {"service": "smpp", "host": "smpp.operator.ru", "port": "2775", "login": "firma", "password": "", "sender": "Kuhni"}
    answer = owner.post("/settings/gateways/sms/save", smpp)
    gateway = stored()
    assert answer.status_code == 422 and 'value="smpp.operator.ru"' in answer.text and gateway and gateway.service == "smsc"


SMPP = {"service": "smpp", "host": "smpp.operator.ru", "port": "2775", "login": "firma", "password": "тайна-1", "sender": "Kuhni"}
HOOK = {"service": "webhook", "url": "https://hooks.firma.example/one", "token": "тайна-1"}


@pytest.mark.parametrize(
    ("first", "changed", "is_kept"),
    [
        (SMPP, {"host": "evil.example"}, False),
        (SMPP, {"port": "2776"}, False),
        (SMPP | {"tls": "1"}, {"tls": ""}, False),
        (SMPP | {"tls": "1"}, {"port": "2776"}, True),
        (SMPP, {"login": "other"}, True),
        (HOOK, {"url": "https://evil.example/one"}, False),
        (HOOK, {"url": "http://hooks.firma.example/one"}, False),
        (HOOK, {"url": "https://hooks.firma.example/two"}, True),
        (HOOK, {"url": ""}, True),
    ],
)
def test_a_secret_goes_to_another_server_only_once_it_is_typed_again(
    owner: Signed, config: Config, first: dict[str, str], changed: dict[str, str], is_kept: bool
) -> None:
    assert owner.post("/settings/gateways/sms/save", first).status_code == 303
    secret = "token" if first is HOOK else "password"
    nothing = "\x01" if not is_kept else ""  # a sign that nobody sees is nothing typed either
    answer = owner.post("/settings/gateways/sms/save", first | {secret: nothing} | changed)
    assert answer.status_code == (303 if is_kept else 422) and ("введите пароль ещё раз" in answer.text) is not is_kept
    gateway = stored()
    assert gateway and fields_of(gateway, config)[secret] == "тайна-1"
    assert owner.post("/settings/gateways/sms/save", first | changed | {secret: "тайна-2"}).status_code == 303


@pytest.mark.parametrize(
    ("channel", "fields"),
    [
        ("sms", {"login": ""}),
        ("sms", {"login": "x" * 501}),
        ("sms", {"per_hour": "много"}),
        ("sms", {"per_day": "-1"}),
        ("sms", {"per_day": "9999999999"}),
        ("sms", {"service": "telegram"}),
        ("sms", {"service": ""}),
        ("sms", {"service": "smpp", "host": "http://x/", "port": "2775"}),
        ("sms", {"service": "smpp", "host": "x", "port": "99999"}),
        ("sms", {"service": "smpp", "host": "x", "port": "1", "sender": "Кухни"}),
        ("sms", {"service": "smpp", "host": "a b", "port": "1"}),
        ("chat", {"service": "telegram", "token": "abc"}),
        ("chat", {"service": "telegram", "token": "1:a/../b"}),
        ("chat", {"service": "webhook", "url": "file:///etc/passwd"}),
        ("chat", {"service": "webhook", "url": "http://"}),
        ("chat", {"service": "webhook", "url": "http://a:x/"}),
        ("chat", {"service": "webhook", "url": "http://[::1"}),
        ("chat", {"service": "webhook", "url": "https://a.example/ b"}),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(owner: Signed, channel: str, fields: dict[str, str]) -> None:
    answer = owner.post(f"/settings/gateways/{channel}/save", SMSC | fields)
    assert answer.status_code == 422 and stored(channel) is None


@pytest.mark.parametrize("channel", ["email", "notice", "x", "../sms"])
def test_channels_there_are_not(owner: Signed, channel: str) -> None:
    assert owner.post(f"/settings/gateways/{channel}/save", SMSC).status_code == 404


def test_nothing_is_tested_or_removed_before_it_is_saved(owner: Signed) -> None:
    assert owner.post("/settings/gateways/sms/test", {"address": "+79001234567"}).status_code == 404
    assert owner.post("/settings/gateways/sms/remove").status_code == 404


def test_the_test_button_sends_really(owner: Signed, http: FakeHttp) -> None:
    owner.post("/settings/gateways/sms/save", {"service": "webhook", "url": http.url + "/hook/very-secret", "token": ""})
    answer = owner.post("/settings/gateways/sms/test", {"address": "8 900 123-45-67"})
    assert answer.status_code == 200 and http.posted[0]["to"] == "+79001234567"
    gateway = stored()
    assert gateway and gateway.last_sent_at
    http.answers = [(401, "wrong key very-secret")]
    answer = owner.post("/settings/gateways/sms/test", {"address": "8 900 123-45-67"})
    assert answer.status_code == 422 and "error=401" in answer.text and "very-secret" not in answer.text
    gateway = stored()
    assert gateway and "error=401" in gateway.last_error
    assert "error=401" in owner.get("/settings/gateways").text


@pytest.mark.parametrize("address", ["", "12", "позвонить", "+7 900 123-45-67\r\nX: y", "9" * 300])
def test_the_test_needs_a_number(owner: Signed, http: FakeHttp, address: str) -> None:
    owner.post("/settings/gateways/sms/save", {"service": "webhook", "url": http.url})
    assert owner.post("/settings/gateways/sms/test", {"address": address}).status_code == 422 and not http.requests


def test_a_removed_gateway_is_gone(owner: Signed) -> None:
    owner.post("/settings/gateways/sms/save", SMSC)
    assert owner.post("/settings/gateways/sms/remove").status_code == 303 and stored() is None


def test_a_short_template_has_no_subject_and_is_counted(owner: Signed, cast: Cast) -> None:
    cast.place()
    assert 'name="subject"' not in owner.get("/settings/templates/new?kind=short").text
    typed = {"kind": "short", "name": "SMS", "text": "Заказ {{ order.number }} готов", "skip_empty": "1"}
    assert "1 SMS · 18 " in owner.post("/settings/templates/preview", typed, htmx=True).text
    preview = owner.post("/settings/templates/preview", typed | {"text": "Ready " * 30}, htmx=True).text
    assert re.search(r"2 SMS · 179 \S+ 306", preview)
    assert owner.post("/settings/templates/save", typed).status_code == 303
    template = db.session.scalars(select(Template).where(Template.name == "SMS")).one()
    assert (template.kind, template.subject) == ("short", "")
    db.session.rollback()
    owner.post("/settings/templates/save", typed | {"template_id": str(template.id), "kind": "letter", "subject": "x"})
    assert db.session.get_one(Template, template.id, populate_existing=True).kind == "short", "the kind stays"


@pytest.mark.parametrize("text", ["", "{{ order.nonsense }}", "{% for a in b %}", "x" * 1001, "{{ order.number | upcase: 1..9 }}"])
def test_bad_short_templates_are_refused(owner: Signed, text: str) -> None:
    assert owner.post("/settings/templates/save", {"kind": "short", "name": "SMS", "text": text}).status_code == 422


def rule_form(cast: Cast, **changed: Any) -> dict[str, Any]:
    return {
        "name": "Коротко",
        "board_id": cast.boards["orders"],
        "trigger": "changed",
        "group": "all",
        "active": "1",
        "channel-0": "sms",
        "template-0": str(cast.templates["short"]),
        "to-0": ["customer"],
        "addresses-0": "8 900 123-45-67",
    } | changed


def test_the_editor_saves_an_sms_and_shows_its_templates(owner: Signed, cast: Cast) -> None:
    drawn = owner.post("/settings/rules/draw", rule_form(cast), htmx=True, page="/settings/rules/new").text
    drawn = drawn.split('id="rule-aside"')[0]
    assert f'<option value="{cast.templates["short"]}" selected>' in drawn and f'<option value="{cast.templates["manager"]}">' not in drawn
    assert owner.post("/settings/rules/save", rule_form(cast)).status_code == 303
    rule = db.session.scalars(select(Rule).where(Rule.name == "Коротко")).one()
    action = db.session.get_one(RuleVersion, rule.version_id).actions[0]
    assert action["do"] == "send_sms" and action["to"][-1] == {"kind": "address", "address": "8 900 123-45-67"}
    assert 'value="8 900 123-45-67"' in owner.get(f"/settings/rules/{rule.id}").text


def test_another_channel_brings_another_list(owner: Signed, cast: Cast) -> None:
    form = rule_form(cast, **{"channel-0": "sms", "template-0": str(cast.templates["manager"])})
    drawn = owner.post("/settings/rules/draw", form, htmx=True, page="/settings/rules/new").text
    assert f'<option value="{cast.templates["short"]}" selected>' in drawn
    notice = owner.post("/settings/rules/draw", rule_form(cast, **{"channel-0": "notice"}), htmx=True, page="/settings/rules/new").text
    assert 'value="customer"' not in notice and "addresses-0" not in notice


@pytest.mark.parametrize(
    "changed",
    [{"addresses-0": "a@b.example"}, {"channel-0": "chat"}, {"channel-0": "notice"}, {"channel-0": "email"}, {"template-0": "99999"}],
)
def test_bad_actions_come_back_with_a_reason(owner: Signed, cast: Cast, changed: dict[str, Any]) -> None:
    assert owner.post("/settings/rules/save", rule_form(cast, **changed)).status_code == 422


def test_everyone_keeps_the_own_phone_and_messenger(app: Flask, cast: Cast) -> None:
    viewer = Signed(app.test_client(), cast.email("viewer"))
    assert viewer.post("/me/contacts", {"phone": "8 900 123-45-67", "chat": "123456"}).status_code == 303
    person = db.session.get_one(Person, cast.people["viewer"], populate_existing=True)
    assert (person.phone, person.chat) == ("8 900 123-45-67", "123456")
    db.session.rollback()
    for bad in ({"phone": "нет"}, {"chat": "a b"}, {"phone": "9" * 41}, {"chat": "x" * 81}):
        answer = viewer.post("/me/contacts", {"phone": "", "chat": ""} | bad)
        assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text


def test_an_administrator_writes_them_for_everyone(owner: Signed, cast: Cast) -> None:
    form = {"name": "Павел Лебедев", "email": cast.email("viewer"), "access": "viewer", "language": "ru", "active": "1"}
    url = f"/settings/people/{cast.people['viewer']}/change"
    assert owner.post(url, form | {"phone": "+7 900 123-45-67", "chat": "@pavel"}).status_code == 303
    assert db.session.get_one(Person, cast.people["viewer"], populate_existing=True).chat == "@pavel"
    db.session.rollback()
    assert owner.post(url, form | {"phone": "звоните", "chat": ""}).status_code == 422
