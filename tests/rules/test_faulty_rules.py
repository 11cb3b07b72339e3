"""Rules whose stored version can't be read: each fails by itself, in a run with its reason, and no page breaks."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kanban.db import db
from kanban.fields import BUILT_IN
from kanban.json_reader import Malformed
from kanban.models import Event, Order
from kanban.transactions import transaction
from rules.definition.content import StoredContent, read_content, read_or_broken
from rules.definition.triggers import TriggerKind
from rules.editing.verbs import add_rule, change_rule, restore_rule
from rules.models import Later, Rule, RuleVersion, Run
from rules.queries.rule_list import all_rules
from rules.queries.versions import fields_of, find_rule
from rules.running import delayed, links
from rules.running.message_builder import MessageBuilder
from rules.running.savepoint import made
from tests.cast import Cast, Signed
from tests.pages import pages
from tests.rule_json import changed, recipient, rule_fields, send_email

ACTIONS: list[Any] = [
    [{"do": "send_email"}],
    [{"do": "send_email", "template": "x", "to": [{"kind": "responsible"}]}],
    [{"do": "send_email", "template": 10**30, "to": [{"kind": "responsible"}]}],
    [{"do": "send_email", "template": 1, "to": [{"kind": "role"}]}],
    [{"do": "send_email", "template": 1, "to": [{"kind": "person", "id": "x"}]}],
    [{"do": "send_email", "template": 1, "to": [{"kind": "moon"}]}],
    [{"do": "send_email", "template": 1, "to": "all"}],
    [{"do": "send_email", "template": 1, "to": [{"kind": "responsible"}], "from": "account:x"}],
    [{"do": "fly"}],
    [{}],
    ["tag"],
    [None],
    [7],
    {},
    "x",
    None,
    [{"do": "set_status"}],
    [{"do": "set_status", "status": "x"}],
    [{"do": "todo"}],
    [{"do": "assign"}],
    [{"do": "assign", "person": "x"}],
    [{"do": "comment"}],
    [{"do": "comment", "text": 5}],
    [{"do": "set_field"}],
    [{"do": "set_field", "field": "ship_on", "value": "soon"}],
    [{"do": "tag"}],
    [{"do": "untag", "tag": None}],
    [{"do": "tag", "tag": "x", "after": {"unit": "hours"}}],
    [{"do": "tag", "tag": "x", "after": {"unit": "ages", "number": 1}}],
    [{"do": "tag", "tag": "x", "after": {"unit": "hours", "number": 1e99}}],
    [{"do": "tag", "tag": "x", "after": "soon"}],
    [{"do": "tag", "tag": "x", "after": None}],
]
CRITERIA: list[Any] = [
    [],
    "x",
    7,
    None,
    {"all": 7},
    {"all": [None]},
    {"field": 3},
    {"any": [{"field": "total", "op": "more", "value": {}}]},
]
WORDS = {
    "do",
    "send_email",
    "template",
    "to",
    "kind",
    "id",
    "after",
    "unit",
    "hours",
    "number",
    "field",
    "op",
    "value",
    "all",
    "any",
    "tag",
    "set_field",
    "ship_on",
    "days",
    "todo",
    "text",
    "due",
    "role",
    "responsible",
    "equals",
    "in_list",
    "total",
    "between",
}
OPTIONS: list[Any] = [[], "x", 7, {"roles": 7}, {"field": [], "percent": "x", "days": 1, "at": 5}]


def _add(cast: Cast, name: str, trigger: str = "entered", status: str | None = "ready", board: str = "orders", **fields: Any) -> Rule:
    actions = fields.pop("actions", [{"do": "tag", "tag": name}])
    with transaction() as session:
        return add_rule(
            session,
            cast.owner,
            rule_fields(name, cast.boards[board], trigger, cast.statuses[status] if status else None, actions=actions, **fields),
        )


def _store(rule: Rule, **values: Any) -> None:
    """Writes past the verbs, as an older version of Potok or a hand in the database would."""
    with transaction() as session:
        version = session.get_one(RuleVersion, rule.version_id)
        for name, value in values.items():
            setattr(version, name, value)


def _runs(rule: Rule) -> list[tuple[str, list[str]]]:
    rows = db.session.execute(select(Run.outcome, Run.notes).where(Run.rule_id == rule.id).order_by(Run.id)).all()
    db.session.rollback()
    return [(outcome, [note["why"] for note in notes]) for outcome, notes in rows]


def test_a_rule_that_can_not_be_read_fails_alone_and_says_so(cast: Cast, subtests: Any) -> None:
    sound = _add(cast, "Сообщить", actions=[send_email(cast.templates["author"], [recipient("role", cast.roles["accountant"])])])
    tagging = _add(cast, "в работе")
    faulty = _add(cast, "Сломанное")
    for actions in ACTIONS:
        with subtests.test(actions=actions):
            _store(faulty, actions=actions)
            order = cast.place()
            moved = cast.move(order, "ready")
            assert moved.event and moved.outcome.messages == 2  # of the preset's rule, to the manager, and of ours
            told = sorted(message.address.split("@")[0] for message in cast.messages(event_id=moved.event.id))
            assert told == ["accountant", "manager"]
            assert _runs(sound)[-1][0] == _runs(tagging)[-1][0] == "done"
            assert db.session.scalar(select(Order.tags).where(Order.id == order.id)) == ["в работе"]
            run = db.session.scalar(select(Run).where(Run.event_id == moved.event.id, Run.rule_id == faulty.id))
            assert run is not None
            assert run.outcome == "failed" and run.notes == [{"why": "unreadable"}]
            db.session.rollback()


def test_the_reproductions_of_the_audit(cast: Cast) -> None:
    faulty, late = _add(cast, "Без шаблона"), _add(cast, "Позже")
    _store(faulty, actions=[{"do": "send_email"}])
    _store(late, actions=[{"do": "tag", "tag": "да"}, {"do": "tag", "tag": "x", "after": {"unit": "hours"}}])
    order = cast.place()
    moved = cast.move(order, "ready")
    assert moved.event and len(cast.messages(event_id=moved.event.id)) == 1
    assert _runs(faulty) == _runs(late) == [("failed", ["unreadable"])]
    assert db.session.scalar(select(Order.tags).where(Order.id == order.id)) == []
    assert db.session.scalar(select(Later.id)) is None


def test_criteria_and_options_that_can_not_be_read_match_nothing_and_harm_nothing(cast: Cast) -> None:
    rules = [
        _add(cast, "Правило", trigger, None, options=options)
        for trigger, options in (
            ("paid", {"percent": 50}),
            ("hand", {"button": "Кнопка"}),
            ("stay", {"offset": 1, "unit": "days"}),
            ("date", {"field": "ship_on", "offset": 1, "unit": "days", "at": "09:00"}),
        )
    ]
    for value in OPTIONS:
        for rule in rules:
            _store(rule, options=value)
        assert cast.move(cast.place(), "ready").event
    other = _add(cast, "Прочее")
    for value in CRITERIA:
        _store(other, criteria=value)
        moved = cast.move(cast.place(), "ready")
        assert moved.event and len(cast.messages(event_id=moved.event.id)) == 1
        assert _runs(other)[-1] == ("failed", ["unreadable"])


def _poison(session: Session) -> None:
    """An error of the database itself: PostgreSQL refuses all that follows it in the transaction."""
    session.execute(text("SELECT no_such_column FROM rule"))


@pytest.mark.parametrize("place", [(links, "record"), (MessageBuilder, "load")])
def test_an_error_of_the_database_within_a_rule_leaves_the_move_standing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str]
) -> None:
    order = cast.place()
    work = cast.produce(order)
    _add(cast, "О связанном", "linked", "ready", board="production")
    own = _add(cast, "Само")
    holder, name = place
    sound: Callable[..., Any] = getattr(holder, name)

    def failing(session: Session, *arguments: Any, **more: Any) -> Any:
        if name == "record" or any(rule.id == own.id for rule in arguments[3]):
            _poison(session)
        return sound(session, *arguments, **more)

    monkeypatch.setattr(holder, name, failing)
    moved = cast.move(order, "ready")
    assert moved.event and cast.column("ready") == [order.number]
    assert len(cast.messages(event_id=moved.event.id)) == 1
    assert db.session.scalar(select(Event.id).where(Event.id == moved.event.id)) is not None
    linked = db.session.scalar(select(Event.id).where(Event.order_id == work.id, Event.kind == "order.linked"))
    assert (linked is None) == (name == "record")
    failed = db.session.execute(select(Run.rule_id, Run.notes).where(Run.outcome == "failed")).all()
    assert [notes for _rule, notes in failed] == [[{"why": "not_passed_on" if name == "record" else "rule_failed"}]]


def _is_readable(trigger: Any, options: Any, criteria: Any, actions: Any) -> bool:
    stored = StoredContent(1, trigger, None, options, criteria, actions)
    try:
        read_content(stored, BUILT_IN)
    except Malformed as malformed:
        assert str(malformed)
        content, why = read_or_broken(stored, 7, BUILT_IN)
        assert why and content.board_id == 7 and not content.actions
        return False
    return True


def test_what_has_no_shape_is_told_from_what_the_presets_and_the_cast_say(cast: Cast) -> None:
    for actions in ACTIONS:
        assert not _is_readable("changed", {}, {"all": []}, actions), actions
    for criteria in CRITERIA:
        assert not _is_readable("changed", {}, criteria, []), criteria
    for options in OPTIONS:
        assert not _is_readable("date", options, {"all": []}, []), options
    rules = all_rules(db.session())
    assert len(rules) > 8 and not any(fields_of(rule).broken for rule in rules)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(sorted(WORDS)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(WORDS)) | st.text(max_size=9), inner, max_size=5),
    max_leaves=12,
)


@given(st.sampled_from(TriggerKind) | JSON, JSON, JSON, JSON)
def test_whatever_is_stored_the_question_is_answered(trigger: Any, options: Any, criteria: Any, actions: Any) -> None:
    assert _is_readable(trigger, options, criteria, actions) in (True, False)
    _is_readable("changed", {}, {"all": []}, [actions])


def test_a_reader_of_a_rule_that_fails_alone_still_hears_of_another(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    message = send_email(cast.templates["author"], [recipient("role", cast.roles["accountant"])])
    late = _add(cast, "Позже", actions=[message, {"do": "tag", "tag": "x", "after": {"unit": "hours", "number": 2}}])
    sound = _add(cast, "Сообщить", actions=[message])
    monkeypatch.setattr(delayed, "due_at", _fail)
    moved = cast.move(cast.place(), "ready")
    assert moved.event and moved.outcome.told.names == ("Ольга Белова", "Тамара Гусева")
    assert sorted(one.address.split("@")[0] for one in cast.messages(event_id=moved.event.id)) == ["accountant", "manager"]
    assert _runs(late) == [("failed", ["rule_failed"])] and _runs(sound) == [("done", [])]


def _fail(*_arguments: Any) -> Any:
    raise ArithmeticError("no such day")


def test_what_was_counted_is_forgotten_with_its_transaction(cast: Cast) -> None:
    cast.place()
    with transaction() as session:
        assert made(session) == ()


@pytest.mark.one_database
def test_no_page_breaks_at_a_rule_that_can_not_be_read(app: Flask, cast: Cast, subtests: Any) -> None:
    faulty = _add(cast, "Сломанное")
    order = cast.place()
    cast.move(order, "ready")
    admin = Signed(app.test_client(), cast.email("owner"))
    seen = [url for url in pages(app, most=1) if any(part in url for part in ("rules", "told", "orders", "process", "templates", "people"))]
    assert len(seen) > 20
    for kind, value in (("actions", [{"do": "send_email"}]), ("actions", None), ("criteria", "x"), ("options", 7)):
        with subtests.test(kind=kind, value=value):
            _store(faulty, **{"actions": [{"do": "tag", "tag": "x"}], "criteria": {"all": []}, "options": {}} | {kind: value})
            answers = {url: admin.get(url) for url in [*seen, f"/settings/rules/{faulty.id}"]}
            assert not {url: answer.status_code for url, answer in answers.items() if answer.status_code >= 500}
            for url in ("/settings/rules", f"/settings/rules/{faulty.id}"):
                assert "Прочитать это правило не удалось" in answers[url].text


def test_a_rule_that_can_not_be_read_is_written_anew_or_restored(cast: Cast) -> None:
    faulty = _add(cast, "Сломанное")
    with transaction() as session:
        fields = changed(fields_of(find_rule(session, faulty.id)), actions=[{"do": "tag", "tag": "два"}])
        change_rule(session, cast.owner, faulty.id, fields)
    _store(db.session.get_one(Rule, faulty.id, populate_existing=True), actions=None)
    with transaction() as session:
        restore_rule(session, cast.owner, faulty.id, 1)
    cast.move(cast.place(), "ready")
    assert _runs(faulty) == [("done", ["changed"])]
