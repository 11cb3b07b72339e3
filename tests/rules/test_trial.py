"""Trying a rule that is not saved, on an imagined event: what it judges, whom it would tell, and that nothing is stored."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from kanban import clock
from kanban.db import db
from kanban.errors import Invalid
from kanban.models import Event, Order
from kanban.transactions import transaction
from rules.models import Message, Rule, RuleVersion, Run
from rules.queries.lookup import load_rule_lookup
from rules.trying.imagined import Imagined
from rules.trying.trial import Trial, try_rule
from tests.cast import Cast, Signed
from tests.conftest import make_config
from tests.rule_json import recipient, rule_fields, send_email

TRY, SEND = "/settings/rules/try", "/settings/rules/send-to-me"


@pytest.fixture(autouse=True)
def quiet(cast: Cast) -> None:
    with transaction() as session:
        for rule in session.scalars(select(Rule)):
            rule.active = False


@pytest.fixture
def owner(client: FlaskClient, cast: Cast) -> Signed:
    return Signed(client, cast.email("owner"))


def tried(cast: Cast, trigger: str, *, number: str = "", imagined: Imagined | None = None, actions: Any = (), **more: Any) -> Trial:
    status = more.pop("status", None)
    criteria = more.pop("criteria", {"all": []})
    message = send_email(cast.templates["manager"], [recipient("responsible"), recipient("role", cast.roles["designer"])])
    fields = rule_fields(
        "Проба", cast.boards["orders"], trigger, cast.statuses[status] if status else None, criteria, [message, *actions], options=more
    )
    config = make_config("sqlite://")
    session = db.session()
    found = try_rule(session, 0, fields, number, imagined or Imagined(), cast.actors["owner"], config, load_rule_lookup(session))
    db.session.rollback()
    return found


def stored() -> list[int]:
    counts = [db.session.scalar(select(func.count()).select_from(model)) or 0 for model in (Event, Run, Message, RuleVersion)]
    db.session.rollback()
    return counts


def test_criteria_recipients_message_and_changes_of_a_move(cast: Cast) -> None:
    cast.place(responsible_id=cast.people["owner"])
    before = stored()
    criteria = {
        "all": [{"field": "total", "op": "at_least", "value": 10_000_000}, {"field": "paid_percent", "op": "at_least", "value": 60}]
    }
    trial = tried(cast, "entered", status="prepaid", criteria=criteria, actions=[{"do": "tag", "tag": "срочно"}])
    assert trial.starts and trial.truth is False and not trial.matched
    assert [(one.truth, one.compared.seen.replace("\u00a0", " ")) for one in trial.asked] == [(True, "387,000 ₽"), (False, "50 %")]
    assert [(one.name, one.channel) for one in trial.told] == [("Марина Лисицына", "email")]
    assert [note.name for note in trial.notes] == ["Сергей Мельников"], "whoever did it is skipped, with a reason"
    assert [clause.text for clause in trial.changes] == ["срочно"]
    assert trial.event.before["status"]["id"] == cast.statuses["design"] and trial.event.after["status"]["id"] == cast.statuses["prepaid"]
    assert trial.messages[0].subject and stored() == before


def test_other_sides_of_a_move(cast: Cast) -> None:
    cast.place()
    new = tried(cast, "entered", status="prepaid", imagined=Imagined(other=0))
    assert new.matched and new.event.kind == "order.placed" and not new.event.before
    from_paid = tried(cast, "entered", status="prepaid", imagined=Imagined(other=cast.statuses["paid"]))
    assert from_paid.event.before["status"]["id"] == cast.statuses["paid"]
    for trigger, status in (("left", "prepaid"), ("changed", None), ("placed", None), ("commented", None)):
        assert tried(cast, trigger, status=status).matched, trigger


def test_fields_and_payments_before(cast: Cast) -> None:
    cast.place(total=100, paid=60)
    assert tried(cast, "paid", percent=50, imagined=Imagined(was=10)).matched
    again = tried(cast, "paid", percent=50, imagined=Imagined(was=55))
    assert not again.starts and again.start is not None and "60" in again.start.seen
    criteria = {"all": [{"field": "ship_on", "op": "changed_from", "value": "2026-12-01"}]}
    assert tried(cast, "field", field="ship_on", criteria=criteria, imagined=Imagined(was="2026-12-01")).matched
    assert not tried(cast, "field", field="ship_on", criteria=criteria, imagined=Imagined(was="2026-12-02")).matched


def test_linked_orders(cast: Cast) -> None:
    order = cast.place()
    assert not tried(cast, "linked", status="made").starts, "there is no linked order"
    cast.produce(order)
    made = {"all": [{"field": "linked.status", "op": "equals", "value": cast.statuses["made"]}]}
    assert tried(cast, "linked", status="made", criteria=made).matched
    assert not tried(cast, "all_linked", phase="done").starts


def test_the_newest_fitting_order_and_one_by_its_number(cast: Cast) -> None:
    first, _second = cast.place(), cast.place()
    cast.move(first, "prepaid")
    assert tried(cast, "left", status="prepaid").order.id == first.id
    assert tried(cast, "changed", number=first.number.lower()).order.id == first.id
    with pytest.raises(Invalid):
        tried(cast, "changed", number="нет такого")
    with pytest.raises(Invalid):
        tried(cast, "changed", number="%")


def test_a_template_that_is_gone_is_said(cast: Cast) -> None:
    cast.place()
    trial = tried(cast, "changed", actions=[send_email(999, [recipient("author")])])
    assert [note.failed for note in trial.notes if note.failed] == [True]


def form(cast: Cast, **changed: Any) -> dict[str, Any]:
    return {
        "name": "",
        "board_id": cast.boards["orders"],
        "trigger": "entered",
        "status_id": cast.statuses["prepaid"],
        "group": "all",
        "mode": "paused",
        "field-0": "total",
        "op-0": "at_least",
        "value-0": "100 000",
        "template-0": str(cast.templates["accountant"]),
        "to-0": [f"role:{cast.roles['accountant']}"],
    } | changed


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html)).replace("\u00a0", " ")


@pytest.mark.parametrize("htmx", [True, False])
def test_the_editor_tries_what_stands_in_its_form(owner: Signed, cast: Cast, htmx: bool) -> None:
    order = cast.place()
    before = stored()
    page = owner.post(TRY, form(cast), htmx=htmx, page="/settings/rules/new")
    assert page.status_code == 200
    assert order.number in text(page.text) and "Тамара Гусева" in text(page.text) and 'data-outcome="yes"' in page.text
    assert ('id="rule-editor"' in page.text) != htmx, "htmx gets the panel alone"
    assert stored() == before and db.session.scalar(select(func.count()).select_from(Rule).where(Rule.name == "—")) == 0


def test_send_it_to_me_sends_that_message_to_the_admin_alone(owner: Signed, cast: Cast) -> None:
    cast.place()
    rules_before = stored()[1]
    assert owner.post(SEND, form(cast), htmx=True, page="/settings/rules/new").status_code == 200
    (message,) = cast.messages()
    assert (message.kind, message.address, message.event_id, message.rule_id) == ("test", cast.email("owner"), None, None)
    assert message.template_id == cast.templates["accountant"] and message.due_at <= clock.now() and message.reply_to == ""
    assert stored()[1] == rules_before
    nobody = owner.post(SEND, form(cast, **{"to-0": ["author"]}), htmx=True, page="/settings/rules/new")
    assert nobody.status_code == 200 and len(cast.messages()) == 1


HOSTILE: list[dict[str, Any]] = [
    {"trigger": "field", "option-field": "ship_on", "try-was": "вчера"},
    {"trigger": "paid", "option-paid": "50", "option-of": "percent", "try-was": "много"},
    {"try-order": "<script>alert(1)</script>"},
    {"try-order": "'; DROP TABLE rule; --"},
    {"board_id": "99999999999999999999"},
    {"status_id": "0"},
    {"template-0": "99999"},
    {"to-0": []},
    {"value-0": "много"},
]
HARMLESS: list[dict[str, Any]] = [
    {"try-other": "-1"},
    {"try-other": "99999999999999999999"},
    {"try-who": "x" * 5000},
    {"try-who": "99999"},
    {"name": "я" * 9000},
    {"trigger": "field", "option-field": "organisation", "try-was": "99999"},
    {"try-other": "placed"},
    {"mode": "х"},
    {"trigger": "field", "option-field": "paid_percent", "try-was": "5"},
]


@pytest.mark.one_database
@pytest.mark.parametrize("changed", HOSTILE)
@pytest.mark.parametrize("url", [TRY, "/settings/rules/backtest"])
def test_what_makes_no_sense_is_said_in_the_panel(owner: Signed, cast: Cast, url: str, changed: dict[str, Any]) -> None:
    cast.place()
    answer = owner.post(url, form(cast, **changed), htmx=True, page="/settings/rules/new")
    of_trial = all(name.startswith(("try-", "trigger", "option")) for name in changed)
    assert answer.status_code == (200 if of_trial and url != TRY else 422)
    assert "<script>alert" not in answer.text and (answer.status_code == 200 or 'role="alert"' in answer.text)


@pytest.mark.one_database
@pytest.mark.parametrize("changed", HARMLESS)
def test_odd_wishes_are_taken_as_the_usual(owner: Signed, cast: Cast, changed: dict[str, Any]) -> None:
    cast.place()
    assert owner.post(TRY, form(cast, **changed), htmx=True, page="/settings/rules/new").status_code == 200


def test_only_administrators_try(client: FlaskClient, cast: Cast) -> None:
    manager = Signed(client, cast.email("manager"))
    for url in (TRY, SEND, "/settings/rules/backtest", "/settings/rules/1/restore"):
        assert manager.post(url, form(cast)).status_code == 403


def test_without_orders_and_with_an_unknown_rule(owner: Signed, cast: Cast) -> None:
    assert owner.post(TRY, form(cast), htmx=True, page="/settings/rules/new").status_code == 422
    assert owner.post(TRY, form(cast, rule_id="99999"), htmx=True, page="/settings/rules/new").status_code == 404
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Order)) == 0
