"""Versions of a rule: what changed from one to the next, in sentences, and an old one restored."""

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from kanban import boards
from kanban.db import db
from kanban.errors import Invalid, NotFound
from kanban.fields import BUILT_IN
from kanban.i18n import force_locale
from kanban.models import Status
from kanban.references import Reference, ReferenceKind
from kanban.transactions import transaction
from rules.definition.content import RuleFields
from rules.editing import verbs
from rules.models import Rule, RuleVersion
from rules.queries.lookup import RuleLookup, load_rule_lookup
from rules.queries.versions import fields_of, find_rule
from rules.words.differences import differences
from tests.cast import Cast, Signed
from tests.rule_json import actions_of, changed, recipient, rule_content, rule_fields, send_email


@pytest.fixture
def lookup(cast: Cast) -> RuleLookup:
    return load_rule_lookup(db.session())


def base(cast: Cast) -> RuleFields:
    message = send_email(cast.templates["manager"], [recipient("role", cast.roles["designer"])])
    return rule_fields("Проба", cast.boards["orders"], "entered", cast.statuses["prepaid"], actions=[message])


def total(value: int) -> dict[str, Any]:
    return {"field": "total", "op": "at_least", "value": value}


def said(old: RuleFields, new: RuleFields, lookup: RuleLookup) -> list[str]:
    with force_locale("ru"):
        return [words.replace("\u00a0", " ") for words in differences(old, new, lookup)]


def test_each_difference_is_a_sentence(cast: Cast, lookup: RuleLookup) -> None:
    rule = base(cast)
    tag = {"do": "tag", "tag": "срочно"}
    other = send_email(cast.templates["accountant"], [recipient("role", cast.roles["technologist"])])
    moved = send_email(cast.templates["manager"], [recipient("role", cast.roles["technologist"])])
    made = {
        "to": changed(rule, actions=[moved]),
        "added": changed(rule, criteria={"all": [total(10_000_000)]}),
        "action": changed(rule, actions=[*actions_of(rule), tag]),
        "both": changed(rule, actions=[other]),
        "when": changed(rule, trigger="changed", status=None),
        "actor": changed(rule, tell_actor=True),
        "group": changed(rule, criteria={"any": [total(1), {"field": "title", "op": "filled"}]}),
    }
    words = {name: said(rule, new, lookup) for name, new in made.items()}
    assert "дизайнер → главный технолог" in words["to"][0] and len(words["to"]) == 1
    assert "100 000 ₽" in words["added"][0] and len(words["added"]) == 1
    assert "срочно" in words["action"][0] and len(words["action"]) == 1
    assert len(words["both"]) == 2 and "→" in words["both"][0]
    assert "→" in words["when"][0] and "Предоплата" in words["when"][0]
    assert len(words["actor"]) == 1 and len(words["group"]) == 3
    for name, new in made.items():
        assert said(new, rule, lookup) and said(new, new, lookup) == [], name


def test_a_criterion_that_changed_is_one_sentence(cast: Cast, lookup: RuleLookup) -> None:
    old, new = (changed(base(cast), criteria={"all": [total(value), {"field": "title", "op": "filled"}]}) for value in (100_000, 200_000))
    (words,) = said(old, new, lookup)
    assert "1 000 ₽" in words and "2 000 ₽" in words and "→" in words
    assert len(said(new, changed(new, criteria={"all": [total(200_000)]}), lookup)) == 1


def test_what_is_gone_is_said_as_gone(cast: Cast, lookup: RuleLookup) -> None:
    old = changed(base(cast), status=999, criteria={"all": [{"field": "organisation", "op": "equals", "value": 999}]})
    assert len(said(old, base(cast), lookup)) >= 2


def add(cast: Cast) -> int:
    with transaction() as session:
        return verbs.add_rule(session, cast.actors["owner"], base(cast)).id


def write(cast: Cast, rule_id: int, **parts: Any) -> None:
    with transaction() as session:
        verbs.change_rule(session, cast.actors["owner"], rule_id, changed(fields_of(find_rule(session, rule_id)), **parts))


def test_an_old_version_is_restored_as_a_new_one(cast: Cast) -> None:
    rule_id = add(cast)
    write(cast, rule_id, trigger="changed", status=None, criteria={"all": [total(1)]}, name="Иначе", log_only=True)
    write(cast, rule_id, board=cast.boards["production"])
    with transaction() as session:
        rule = verbs.restore_rule(session, cast.actors["owner"], rule_id, 1)
        now = fields_of(rule)
    assert now == replace(base(cast), name="Иначе", log_only=True) and rule.version.number == 4
    assert rule.trigger_key == f"entered:{cast.statuses['prepaid']}"
    with transaction() as session:
        assert verbs.restore_rule(session, cast.actors["owner"], rule_id, 4).version.number == 4, "the same again is no version"
    with pytest.raises(NotFound), transaction() as session:
        verbs.restore_rule(session, cast.actors["owner"], rule_id, 99)


def test_a_version_that_makes_no_sense_any_more_is_refused_with_a_sentence(client: FlaskClient, cast: Cast) -> None:
    owner = Signed(client, cast.email("owner"))
    rule_id = add(cast)
    write(cast, rule_id, status=cast.statuses["paid"])
    with transaction() as session:
        status = session.get_one(Status, cast.statuses["prepaid"])
        verbs.reassign_status(session, status, None)
        session.delete(status)
    answer = owner.post(f"/settings/rules/{rule_id}/restore", {"number": "1"})
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    with pytest.raises(Invalid), transaction() as session:
        verbs.restore_rule(session, cast.actors["owner"], rule_id, 1)
    assert owner.get(f"/settings/rules/{rule_id}").status_code == 200


def test_the_editor_lists_versions_and_restores(client: FlaskClient, cast: Cast) -> None:
    owner = Signed(client, cast.email("owner"))
    rule_id = add(cast)
    write(cast, rule_id, criteria={"all": [total(10_000_000)]})
    page = owner.get(f"/settings/rules/{rule_id}").text
    assert "100\u00a0000\u00a0₽" in page and "Сергей Мельников" in page and page.count('name="number"') == 1
    assert owner.post(f"/settings/rules/{rule_id}/restore", {"number": "1"}).status_code == 303
    db.session.rollback()
    assert db.session.scalars(select(RuleVersion.number).where(RuleVersion.rule_id == rule_id).order_by(RuleVersion.id)).all() == [1, 2, 3]
    for number in ("", "x", "-1", "99999999999999999999", "77"):
        assert owner.post(f"/settings/rules/{rule_id}/restore", {"number": number}).status_code == 404
    assert owner.post("/settings/rules/99999/restore", {"number": "1"}).status_code == 404


def test_rules_of_the_preset_have_a_version_without_an_author(client: FlaskClient, cast: Cast) -> None:
    rule = db.session.scalars(select(Rule)).first()
    assert rule is not None
    assert Signed(client, cast.email("owner")).get(f"/settings/rules/{rule.id}").status_code == 200


def test_every_reference_of_a_rule_is_found_and_can_be_replaced(cast: Cast) -> None:
    fields = rule_fields(
        "x",
        1,
        "entered",
        2,
        criteria={
            "all": [
                {"field": "role:6", "op": "equals", "value": 7},
                {
                    "any": [
                        {"field": "status_before", "op": "in_list", "value": [8, 9]},
                        {"field": "organisation", "op": "equals", "value": 10},
                        {"field": "actor_roles", "op": "in_list", "value": [11]},
                        {"field": "total", "op": "more", "value": 12},
                        {"field": "responsible", "op": "filled"},
                    ]
                },
            ]
        },
        actions=[
            {
                "do": "send_email",
                "template": 13,
                "to": [{"kind": "role", "id": 14}, {"kind": "author"}],
                "from": "account:16",
                "cc": [{"kind": "person", "id": 15}],
            },
            {"do": "set_status", "status": 17},
            {"do": "set_field", "field": "organisation", "value": 18},
            {"do": "assign", "role": None, "least": 19},
            {"do": "todo", "kind": "task", "text": "x", "responsible": True},
            {"do": "set_field", "field": "total", "value": 20},
        ],
    )
    expected = {
        ("board", 1),
        ("status", 2),
        ("role", 6),
        ("person", 7),
        ("status", 8),
        ("status", 9),
        ("organisation", 10),
        ("role", 11),
        ("template", 13),
        ("role", 14),
        ("person", 15),
        ("account", 16),
        ("status", 17),
        ("organisation", 18),
        ("role", 19),
    }
    content = fields.content
    assert content.references == expected
    stays = rule_content(1, "stay", options={"offset": 1, "unit": "days", "status": 3})
    button = rule_content(1, "hand", options={"button": "x", "roles": [4]})
    field = rule_content(1, "field", options={"field": "role:5"})
    found = [content.references - {("board", 1)} for content in (stays, button, field)]
    assert found == [{("status", 3)}, {("role", 4)}, {("role", 5)}]
    for kind, id_ in content.references:
        replaced = content.replaced(Reference(kind, id_), 99, BUILT_IN)
        assert replaced.references == expected - {(kind, id_)} | {(kind, 99)}
    assert content.replaced(Reference(ReferenceKind.STATUS, 77), 99, BUILT_IN) == content


def test_a_status_that_goes_is_replaced_in_actions_too_or_the_rule_is_off(cast: Cast) -> None:
    def add(name: str) -> int:
        with transaction() as session:
            actions = [{"do": "set_status", "status": cast.statuses["install"]}]
            return verbs.add_rule(session, cast.owner, rule_fields(name, cast.boards["orders"], "changed", actions=actions)).id

    rule = add("двигает")
    with transaction() as session:
        boards.remove_status(session, cast.owner, cast.statuses["install"], orders_to=None, rules_to=cast.statuses["closed"])
    found = find_rule(db.session(), rule)
    assert found.active and found.version.actions == [{"do": "set_status", "status": cast.statuses["closed"]}]
    db.session.rollback()
    with transaction() as session:
        boards.remove_status(session, cast.owner, cast.statuses["closed"], orders_to=None, rules_to=None)
    assert not find_rule(db.session(), rule).active


def test_a_rule_whose_start_is_gone_stays_so_whatever_goes_next(cast: Cast) -> None:
    """Its version still names the status that was removed; the database may give that number to another one."""
    asks = {"all": [{"field": "status_before", "op": "equals", "value": cast.statuses["prepaid"]}]}
    with transaction() as session:
        fields = rule_fields("Без старта", cast.boards["orders"], "entered", cast.statuses["install"], asks, [{"do": "tag", "tag": "x"}])
        rule_id = verbs.add_rule(session, cast.owner, fields).id
    for gone, to in (("install", None), ("prepaid", cast.statuses["closed"])):
        with transaction() as session:
            boards.remove_status(session, cast.owner, cast.statuses[gone], orders_to=None, rules_to=to)
        rule = find_rule(db.session(), rule_id)
        assert (rule.status_id, rule.trigger_key, rule.active) == (None, "gone", False)
        assert Reference(ReferenceKind.STATUS, cast.statuses["install"]) not in fields_of(rule).content.references
        db.session.rollback()
    assert Reference(ReferenceKind.STATUS, cast.statuses["closed"]) in fields_of(find_rule(db.session(), rule_id)).content.references
