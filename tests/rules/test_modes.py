"""Modes of a rule, from the event to the run: draft, log only, on, paused until a time."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from kanban import clock
from kanban.db import db
from kanban.models import Order
from kanban.transactions import transaction
from rules.editing import matrix, verbs
from rules.models import Rule, Run
from rules.queries.versions import fields_of, find_rule
from tests.cast import Cast, Signed
from tests.rule_json import changed, recipient, rule_fields, send_email


@pytest.fixture(autouse=True)
def only_ours(cast: Cast) -> None:
    with transaction() as session:
        for rule in session.scalars(select(Rule).where(~Rule.in_matrix)):
            rule.active = False


def add(cast: Cast, *more: dict[str, Any], status: str = "prepaid", **mode: Any) -> int:
    message = send_email(
        cast.templates["manager"], [recipient("person", cast.people["designer"]), recipient("person", cast.people["owner"])]
    )
    fields = rule_fields("Проверка", cast.boards["orders"], "entered", cast.statuses[status], actions=[message, *more], **mode)
    with transaction() as session:
        return verbs.add_rule(session, cast.actors["owner"], fields).id


def runs(rule_id: int) -> list[Run]:
    db.session.rollback()
    return list(db.session.scalars(select(Run).where(Run.rule_id == rule_id).order_by(Run.id)))


def test_a_draft_is_never_evaluated(cast: Cast) -> None:
    rule = add(cast, active=False)
    cast.move(cast.place(), "prepaid")
    assert runs(rule) == [] and cast.messages(rule_id=rule) == []


def test_log_only_records_what_it_would_have_done_and_does_nothing(cast: Cast) -> None:
    rule = add(cast, {"do": "tag", "tag": "срочно"}, log_only=True)
    order = cast.place()
    cast.move(order, "prepaid")
    (run,) = runs(rule)
    assert run.outcome == "logged"
    assert [(note["why"], note["name"]) for note in run.notes] == [
        ("did_it", "Сергей Мельников"),
        ("would_send", "Марина Лисицына"),
        ("would_change", "tag"),
    ]
    assert cast.messages(rule_id=rule) == [] and db.session.get_one(Order, order.id, populate_existing=True).tags == []


def test_log_only_takes_no_message_from_a_rule_that_sends(cast: Cast) -> None:
    logging = add(cast, log_only=True)
    sending = add(cast)
    cast.move(cast.place(), "prepaid")
    assert [one.name for one in cast.messages(rule_id=sending)] == ["Марина Лисицына"]
    assert [note["why"] for note in runs(logging)[0].notes if note["name"] == "Марина Лисицына"] == ["told_already"]


def test_a_failing_rule_that_only_logs_says_so(cast: Cast) -> None:
    rule = add(cast, log_only=True)
    with transaction() as session:
        version = find_rule(session, rule).version
        version.actions = [send_email(999, [recipient("author")])]
    cast.move(cast.place(), "prepaid")
    assert runs(rule)[0].outcome == "failed"


def test_a_paused_rule_rests_and_wakes_by_itself(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = add(cast, paused_until=clock.now() + timedelta(hours=1))
    order = cast.place()
    cast.move(order, "prepaid")
    assert runs(rule) == [] and find_rule(db.session(), rule).mode == "paused"
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    cast.move(order, "design")
    cast.move(order, "prepaid")
    assert [run.outcome for run in runs(rule)] == ["done"] and find_rule(db.session(), rule).mode == "on"


def test_a_switch_keeps_what_the_rule_may_do_and_ends_a_pause(cast: Cast) -> None:
    rule = add(cast, log_only=True, paused_until=clock.now() + timedelta(hours=1))
    with transaction() as session:
        assert verbs.switch_rule(session, cast.actors["owner"], rule, False).mode == "draft"
    with transaction() as session:
        assert verbs.switch_rule(session, cast.actors["owner"], rule, True).mode == "log"


def test_modes_cost_no_version_and_a_row_of_the_matrix_that_only_logs_leaves_it(cast: Cast) -> None:
    row = matrix.matrix_rule(db.session(), cast.statuses["prepaid"])
    assert row is not None
    with transaction() as session:
        fields = replace(fields_of(find_rule(session, row.id)), log_only=True)
        changed = verbs.change_rule(session, cast.actors["owner"], row.id, fields)
        assert not changed.in_matrix and changed.version.number == 1
    assert matrix.matrix_rule(db.session(), cast.statuses["prepaid"]) is None


def test_another_board_is_another_version_and_another_trigger(cast: Cast) -> None:
    rule = add(cast)
    with transaction() as session:
        fields = changed(fields_of(find_rule(session, rule)), trigger="changed", status=None)
        verbs.change_rule(session, cast.actors["owner"], rule, fields)
        again = verbs.change_rule(session, cast.actors["owner"], rule, changed(fields, board=cast.boards["production"]))
        assert again.version.number == 3 and again.trigger_key == f"changed:{cast.boards['production']}"


def form(cast: Cast, **changed: Any) -> dict[str, Any]:
    return {
        "name": "Пауза",
        "board_id": cast.boards["orders"],
        "trigger": "entered",
        "status_id": cast.statuses["prepaid"],
        "template-0": str(cast.templates["manager"]),
        "to-0": ["responsible"],
    } | changed


def saved(cast: Cast) -> Rule:
    db.session.rollback()
    return db.session.scalars(select(Rule).where(Rule.name == "Пауза")).one()


def test_the_editor_saves_each_mode(client: FlaskClient, cast: Cast) -> None:
    owner = Signed(client, cast.email("owner"))
    day = clock.today() + timedelta(days=3)
    more = {"mode": "paused", "until": f"{day}T09:00", "then": "log"}
    assert owner.post("/settings/rules/save", form(cast, **more)).status_code == 303
    rule = saved(cast)
    assert (rule.active, rule.log_only, rule.paused_until, rule.mode) == (True, True, clock.at(day, time(9)), "paused")
    page = owner.get(f"/settings/rules/{rule.id}").text
    assert f'value="{day}T09:00"' in page and '<option value="log" selected>' in page
    assert "пауза до" in owner.get("/settings/rules").text or "paused until" in owner.get("/settings/rules").text
    for mode, (active, log_only) in {"draft": (False, False), "log": (True, True), "on": (True, False)}.items():
        assert owner.post("/settings/rules/save", form(cast, rule_id=rule.id, mode=mode)).status_code == 303
        found = saved(cast)
        assert (found.active, found.log_only, found.paused_until, found.mode) == (active, log_only, None, mode)
        assert f'value="{mode}" checked' in owner.get(f"/settings/rules/{rule.id}").text


@pytest.mark.parametrize(
    "until", ["", "вчера", "2020-01-01T09:00", "0001-01-01T00:00", "9999-12-31T23:59:59.999", "2027-01-01T09:00+99:99"]
)
def test_a_pause_without_a_sensible_end_is_refused(client: FlaskClient, cast: Cast, until: str) -> None:
    owner = Signed(client, cast.email("owner"))
    answer = owner.post("/settings/rules/save", form(cast, mode="paused", until=until))
    assert answer.status_code in (422, 303)
    assert answer.status_code == 422 or until.startswith("9999")


@pytest.mark.parametrize("mode", ["", "x", "ON", "paused\n"])
def test_an_unknown_mode_is_a_draft(client: FlaskClient, cast: Cast, mode: str) -> None:
    Signed(client, cast.email("owner")).post("/settings/rules/save", form(cast, mode=mode))
    assert not saved(cast).active
