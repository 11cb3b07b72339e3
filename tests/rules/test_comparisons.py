"""Every comparison of every type of field, through the real path: an order changes, and the rule has a run or it has none."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from kanban import clock
from kanban.criteria import COMPARISONS, comparisons
from kanban.db import db
from kanban.fields import BUILT_IN, FieldType
from kanban.models import Order
from kanban.transactions import transaction
from rules.editing import verbs
from rules.editing.verbs import switch_rule
from rules.models import Rule, Run
from rules.queries.versions import find_rule
from tests.cast import Cast, Signed
from tests.rule_json import rule_fields
from tests.rules.test_changes import add, change, fired, now, only_ours
from tests.soak import size

__all__ = ["only_ours"]
TAG = {"do": "tag", "tag": "сработало"}
MANY = size(100, 1_000, 1_000)  # rules
SOON, BEFORE = 3, -2  # days from today: the ship date, and the order date

# Type → the field that stands for it, and for each comparison what holds and what doesn't. What a change wrote: responsible
# manager → designer, title, total 1 → 2 thousand (so the share paid 100 → 50), tags, ship date; nobody writes roles.
CASES: dict[str, tuple[str, dict[str, tuple[Any, Any]]]] = {
    "reference": (
        "responsible",
        {
            "equals": ("designer", "manager"),
            "not_equals": ("manager", "designer"),
            "in_list": (["designer", "viewer"], ["manager"]),
            "not_in_list": (["manager"], ["designer"]),
            "changed_from": ("manager", "designer"),
            "changed_to": ("designer", "manager"),
        },
    ),
    "references": (
        "actor_roles",
        {
            "equals": ("role:manager", "role:designer"),
            "not_equals": ("role:designer", "role:manager"),
            "in_list": (["role:designer", "role:manager"], ["role:designer"]),
            "not_in_list": (["role:designer"], ["role:manager"]),
            "changed_from": (None, "role:manager"),
            "changed_to": (None, "role:manager"),
        },
    ),
    "text": (
        "title",
        {
            "equals": ("КУХНЯ с островом", "Кухня"),
            "not_equals": ("Кухня", "Кухня с островом"),
            "in_list": (["x", "кухня с островом"], ["x"]),
            "not_in_list": (["x"], ["кухня с островом"]),
            "contains": ("ОСТРОВ", "мойка"),
            "not_contains": ("мойка", "остров"),
            "starts_with": ("кухня", "остров"),
            "changed_from": ("Угловая кухня", "Кухня"),
            "changed_to": ("Кухня с островом", "Кухня"),
        },
    ),
    "tags": (
        "tags",
        {
            "equals": ("Камень", "дуб"),
            "not_equals": ("дуб", "камень"),
            "in_list": (["дуб", "КАМЕНЬ"], ["дуб"]),
            "not_in_list": (["дуб"], ["камень"]),
            "contains": ("КАМЕНЬ", "дуб"),
            "not_contains": ("дуб", "камень"),
            "changed_from": ("срочно", "дуб"),
            "changed_to": ("камень", "дуб"),
        },
    ),
    "money": (
        "total",
        {
            "equals": (200_000, 100_000),
            "not_equals": (100_000, 200_000),
            "in_list": ([1, 200_000], [1]),
            "not_in_list": ([1], [200_000]),
            "more": (199_999, 200_000),
            "at_least": (200_000, 200_001),
            "less": (200_001, 200_000),
            "at_most": (200_000, 199_999),
            "between": ([200_000, 300_000], [1, 199_999]),
            "changed_from": (100_000, 200_000),
            "changed_to": (200_000, 100_000),
        },
    ),
    "number": (
        "paid_percent",
        {
            "equals": (50, 100),
            "not_equals": (100, 50),
            "in_list": ([50, 60], [60]),
            "not_in_list": ([60], [50]),
            "more": (49, 50),
            "at_least": (50, 51),
            "less": (51, 50),
            "at_most": (50, 49),
            "between": ([50, 50], [51, 100]),
            "changed_from": (100, 50),
            "changed_to": (50, 100),
        },
    ),
    "date": (
        "ship_on",
        {
            "equals": (SOON, 4),
            "not_equals": (4, SOON),
            "in_list": ([SOON], [4]),
            "not_in_list": ([4], [SOON]),
            "more": (2, SOON),
            "at_least": (SOON, 4),
            "less": (4, SOON),
            "at_most": (SOON, 2),
            "between": ([1, 5], [4, 9]),
            "within_next": (3, 2),
            "within_last": (None, 30),
            "changed_from": (30, SOON),
            "changed_to": (SOON, 30),
        },
    ),
}


def test_every_comparison_of_every_type_has_its_case() -> None:
    for kind in COMPARISONS:
        field, ops = CASES[kind]
        assert BUILT_IN.fields[field].type is kind
        assert set(ops) | {"filled", "empty", "changed"} == set(comparisons(kind))


def _value(cast: Cast, kind: str, op: str, given: Any) -> Any:
    """Names and days of the table as facts keep them."""
    if isinstance(given, list):
        return [_value(cast, kind, op, one) for one in given]
    if kind == "date" and not op.startswith("within"):
        return (clock.today() + timedelta(days=given)).isoformat()
    if kind == "references":
        return cast.roles[given.removeprefix("role:")]
    return cast.people[given] if kind == "reference" else given


def _changed(cast: Cast) -> Order:
    """An order that the manager changes in every type of field at once."""
    today = clock.today()
    order = cast.place(
        responsible_id=cast.people["manager"],
        title="Угловая кухня",
        total=100_000,
        paid=100_000,
        tags=["срочно"],
        ship_on=today + timedelta(days=30),
        order_on=today + timedelta(days=BEFORE),
    )
    change(
        cast,
        order,
        actor=cast.manager,
        responsible_id=cast.people["designer"],
        title="Кухня с островом",
        total=200_000,
        tags=["камень"],
        ship_on=today + timedelta(days=SOON),
    )
    return order


def _watch(cast: Cast, field: str, op: str, value: Any = None, tag: str = "сработало") -> int:
    """A rule with this criterion alone."""
    node = {"field": field, "op": op} | ({} if value is None else {"value": value})
    return add(cast, "field", {"do": "tag", "tag": tag}, criteria={"all": [node]}, field="title")


@pytest.mark.parametrize("kind", CASES)
def test_a_comparison_decides_whether_there_is_a_run(cast: Cast, kind: str) -> None:
    field, ops = CASES[kind]
    given = [(op, place) for op in comparisons(FieldType(kind)) if op in ops for place in (0, 1) if ops[op][place] is not None]
    watched = {(op, at): _watch(cast, field, op, _value(cast, kind, op, ops[op][at]), f"{op} {at}") for op, at in given}
    order = _changed(cast)
    expected = {(op, place): ["done"] if place == 0 else [] for op, place in given}
    assert {case: fired(rule) for case, rule in watched.items()} == expected
    assert set(now(order).tags) - {"камень"} == {f"{op} {at}" for op, at in given if at == 0}


def test_comparisons_without_a_value(cast: Cast) -> None:
    expected = {
        **{(CASES[kind][0], "filled"): True for kind in CASES},
        **{(CASES[kind][0], "empty"): False for kind in CASES},
        **{(CASES[kind][0], "changed"): kind != "references" for kind in CASES},
        ("organisation", "changed"): False,
        ("installation_on", "empty"): True,
        ("installation_on", "filled"): False,
        ("linked.number", "filled"): False,
    }
    watched = {(field, op): _watch(cast, field, op) for field, op in expected}
    _changed(cast)
    assert {case: fired(rule) == ["done"] for case, rule in watched.items()} == expected


def test_within_the_last_days(cast: Cast) -> None:
    watched = {days: _watch(cast, "order_on", "within_last", days) for days in (1, 2)}
    _changed(cast)
    assert {days: fired(rule) for days, rule in watched.items()} == {1: [], 2: ["done"]}


@pytest.mark.soak
def test_many_matching_rules_and_the_move_stands(cast: Cast) -> None:
    with transaction() as session:
        for number in range(MANY):
            verbs.add_rule(
                session,
                cast.owner,
                rule_fields(
                    f"Правило {number}",
                    cast.boards["orders"],
                    "entered",
                    cast.statuses["ready"],
                    actions=[{"do": "comment", "text": "x"}],
                    log_only=True,
                ),
            )
    moved = cast.move(cast.place(), "ready")
    assert moved.event and cast.column("ready") == ["К-0001"]
    db.session.rollback()
    assert len(db.session.scalars(select(Run.id).where(Run.event_id == moved.event.id)).all()) == MANY


def test_a_rule_whose_status_is_gone_fails_as_a_run_and_the_list_shows_it(cast: Cast, client: Any) -> None:
    rule = add(cast, "entered", {"do": "set_status", "status": cast.statuses["install"]}, status="ready", name="Сломается")
    with transaction() as session:
        version = find_rule(session, rule).version_id
        session.execute(update(Rule).where(Rule.id == rule).values(version_id=version))
        find_rule(session, rule).version.actions = [{"do": "set_status", "status": 99_999}]
    order = cast.place()
    moved = cast.move(order, "ready")
    assert moved.event and cast.column("ready") == [order.number] and fired(rule) == ["failed"]
    page = Signed(client, cast.email("owner")).get("/settings/rules").text
    assert "data-broken" in page and "Сломается" in page and "переводит" in page
    with transaction() as session:
        switch_rule(session, cast.owner, rule, False)
