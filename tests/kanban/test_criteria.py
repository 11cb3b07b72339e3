"""Criteria: a table of comparisons, and what must hold for any tree over any facts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanban.criteria import CHANGES, COMPARISONS, DAYS, SEVERAL, Group, Verdict, comparisons, prepared, read_criteria
from kanban.criteria import judge as judge_group
from kanban.facts import read_facts
from kanban.fields import Catalogue, Field, FieldType
from kanban.json_reader import Malformed, Value

KINDS = {
    "organisation": "reference",
    "customer": "text",
    "tags": "tags",
    "total": "money",
    "ship_on": "date",
    "absent": "text",
    "actor_roles": "references",
    "paid_percent": "number",
    "linked.status": "reference",
    "linked.total": "money",
}
CATALOGUE = Catalogue({name: Field(name, FieldType(kind), name) for name, kind in KINDS.items()})
FACTS = {
    "today": "2026-12-20",
    "people": {"3": 5},
    "was": {"total": 30_000_000, "organisation": {"id": 8, "name": "ИП"}, "role:3": None},
    "linked": [
        {"fields": {"status": {"id": 21, "name": "Сборка"}, "total": 100}},
        {"fields": {"status": {"id": 22, "name": "Готов"}, "total": 200}},
    ],
    "fields": {
        "actor_roles": [{"id": 1, "name": "Менеджер"}, {"id": 2, "name": "Дизайнер"}],
        "paid_percent": 50,
        "organisation": {"id": 7, "name": "ООО «Мельников»"},
        "customer": "Хасанова Гузель",
        "tags": ["Камень", "повторный"],
        "total": 38_700_000,
        "ship_on": "2026-12-26",
    },
}

TABLE = [
    ("organisation", "equals", 7, True),
    ("organisation", "equals", 8, False),
    ("organisation", "not_equals", 8, True),
    ("organisation", "in_list", [1, 7], True),
    ("organisation", "not_in_list", [1, 7], False),
    ("organisation", "filled", None, True),
    ("organisation", "empty", None, False),
    ("customer", "equals", "хасанова гузель", True),
    ("customer", "not_equals", "Ли Анна", True),
    ("customer", "contains", "ГУЗЕЛЬ", True),
    ("customer", "in_list", ["Ли Анна", "Хасанова ГУЗЕЛЬ"], True),
    ("customer", "not_in_list", ["Ли Анна"], True),
    ("tags", "contains", "камень", True),
    ("tags", "contains", "кам", False),
    ("tags", "in_list", ["дерево", "КАМЕНЬ"], True),
    ("tags", "not_in_list", ["дерево"], True),
    ("tags", "equals", "камень", False),
    ("total", "more", 10_000_000, True),
    ("total", "more", 38_700_000, False),
    ("total", "less", 40_000_000, True),
    ("total", "equals", 38_700_000, True),
    ("total", "in_list", [1, 38_700_000], True),
    ("ship_on", "more", "2026-12-01", True),
    ("ship_on", "less", "2026-12-01", False),
    ("ship_on", "equals", "2026-12-26", True),
    ("customer", "not_contains", "ГУЗ", False),
    ("customer", "not_contains", "анна", True),
    ("customer", "starts_with", "хасан", True),
    ("customer", "starts_with", "гузель", False),
    ("tags", "not_contains", "камень", False),
    ("tags", "not_equals", "камень", True),
    ("total", "at_least", 38_700_000, True),
    ("total", "at_least", 38_700_001, False),
    ("total", "at_most", 38_700_000, True),
    ("total", "at_most", 1, False),
    ("total", "between", [38_700_000, 40_000_000], True),
    ("total", "between", [1, 2], False),
    ("total", "not_equals", 1, True),
    ("total", "not_in_list", [1], True),
    ("paid_percent", "equals", 50, True),
    ("paid_percent", "not_equals", 50, False),
    ("paid_percent", "in_list", [50, 100], True),
    ("paid_percent", "not_in_list", [50, 100], False),
    ("paid_percent", "more", 50, False),
    ("paid_percent", "at_least", 50, True),
    ("paid_percent", "less", 50, False),
    ("paid_percent", "at_most", 50, True),
    ("paid_percent", "between", [50, 99], True),
    ("ship_on", "between", ["2026-12-01", "2026-12-26"], True),
    ("ship_on", "at_least", "2026-12-27", False),
    ("ship_on", "at_most", "2026-12-26", True),
    ("ship_on", "not_equals", "2026-12-26", False),
    ("ship_on", "in_list", ["2026-12-26"], True),
    ("ship_on", "not_in_list", ["2026-12-26"], False),
    ("ship_on", "within_next", 6, True),
    ("ship_on", "within_next", 5, False),
    ("ship_on", "within_last", 30, False),
    ("actor_roles", "equals", 2, True),
    ("actor_roles", "not_equals", 2, False),
    ("actor_roles", "in_list", [7, 1], True),
    ("actor_roles", "not_in_list", [7, 1], False),
    ("role:3", "equals", 5, True),
    ("role:3", "in_list", [4], False),
    ("role:4", "empty", None, True),
    ("role:4", "equals", 5, False),
    ("linked.status", "equals", 22, True),
    ("linked.status", "equals", 23, False),
    ("linked.total", "at_least", 200, True),
    ("linked.total", "more", 200, False),
    ("linked.ship_on", "empty", None, None),
    ("total", "changed", None, True),
    ("customer", "changed", None, False),
    ("total", "changed_from", 30_000_000, True),
    ("total", "changed_from", 1, False),
    ("total", "changed_to", 38_700_000, True),
    ("customer", "changed_to", "Хасанова Гузель", False),
    ("organisation", "changed_from", 8, True),
    ("organisation", "changed_to", 7, True),
    ("role:3", "changed", None, True),
    ("role:3", "changed_to", 5, True),
    ("absent", "equals", "x", None),
    ("absent", "filled", None, None),
]


def read(tree: Any) -> Group:
    return read_criteria(Value(tree), CATALOGUE)


def judge(tree: Any, facts: Any) -> Verdict:
    return judge_group(read(tree), read_facts(facts))


@pytest.mark.parametrize(("field", "op", "value", "truth"), TABLE)
def test_comparison(field: str, op: str, value: Any, truth: bool | None) -> None:
    verdict = judge({"all": [{"field": field, "op": op, "value": value}]}, FACTS)
    assert verdict.truth is truth
    assert verdict.parts[0].criterion and verdict.parts[0].criterion.name == field


def test_every_comparison_of_every_type_is_in_the_table() -> None:
    tried = {(KINDS.get(field, "reference"), op) for field, op, _, _ in TABLE}
    known = {(kind.value, op.value) for kind, ops in COMPARISONS.items() for op in ops}
    assert known <= tried
    assert set(CHANGES) | {"filled", "empty", "within_next", "within_last"} <= {op for _, op, _, _ in TABLE}


def test_the_day_counts_both_ways_and_an_old_fact_without_it_is_unknown() -> None:
    facts = {"today": "2026-12-20", "fields": {"ship_on": "2026-12-20"}}
    for op in ("within_next", "within_last"):
        assert judge({"field": "ship_on", "op": op, "value": 0}, facts).truth is True
        assert judge({"field": "ship_on", "op": op, "value": 3}, {"fields": facts["fields"]}).truth is None


def test_without_linked_orders_nothing_is_known_of_them() -> None:
    for linked in ([], None, "x", [1]):
        assert judge({"field": "linked.total", "op": "more", "value": 0}, {"linked": linked}).truth is None


def test_empty_matches_only_what_asks_for_it_or_against_a_value() -> None:
    facts = {"fields": {"customer": None, "tags": [], "organisation": None}}
    asked = [
        judge({"field": "customer", "op": op, "value": ["x"] if op in SEVERAL else "x"}, facts).truth for op in comparisons(FieldType.TEXT)
    ]
    assert dict(zip(comparisons(FieldType.TEXT), asked, strict=True)) == {
        "equals": False,
        "not_equals": True,
        "in_list": False,
        "not_in_list": True,
        "contains": False,
        "not_contains": True,
        "starts_with": False,
        "filled": False,
        "empty": True,
        "changed": None,
        "changed_from": None,
        "changed_to": None,
    }


def test_zero_money_is_a_value_not_empty() -> None:
    assert judge({"field": "total", "op": "empty"}, {"fields": {"total": 0}}).truth is False


def test_a_verdict_carries_what_was_seen_and_wanted() -> None:
    part = judge({"all": [{"field": "total", "op": "more", "value": 50_000_000}]}, FACTS).parts[0]
    assert part.criterion and (part.seen, part.criterion.value, part.truth) == (38_700_000, 50_000_000, False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = [*KINDS, "role:3", "role:x", "linked.", "linked.role:3", "linked.linked.total"]
SCALARS = {
    "money": st.integers(-(10**15), 10**15),
    "number": st.integers(-9, 9),
    "reference": st.integers(1, 50),
    "references": st.integers(1, 50),
    "date": st.dates().map(str),
    "text": st.text(max_size=8),
    "tags": st.text(max_size=8),
}


def leaf_of(name: str) -> Any:
    """A criterion that can be read."""
    kind = KINDS.get(name, "reference" if name == "role:3" else "text")

    def with_value(op: str) -> Any:
        one = st.integers(0, 99) if op in DAYS else SCALARS[kind]
        value = st.lists(one, min_size=2, max_size=2) if op in SEVERAL else one
        return st.fixed_dictionaries({"field": st.just(name), "op": st.just(op), "value": value})

    return st.sampled_from([op.value for op in comparisons(FieldType(kind))]).flatmap(with_value)


LEAF = st.sampled_from([name for name in NAMES if name != "role:x"]).flatmap(leaf_of)
TREE = st.recursive(
    LEAF,
    lambda inner: st.builds(lambda key, parts: {key: parts}, st.sampled_from(["all", "any"]), st.lists(inner, max_size=4)),
    max_leaves=10,
)
FIELDS = st.dictionaries(st.sampled_from(list(KINDS)), JSON, max_size=6)
WHOLE = st.fixed_dictionaries(
    {"fields": FIELDS | JSON},
    optional={
        "today": JSON | st.just("2026-12-20"),
        "was": FIELDS | JSON,
        "people": JSON,
        "linked": st.lists(st.builds(dict, fields=FIELDS)) | JSON,
    },
)


@given(JSON | st.fixed_dictionaries({"field": st.sampled_from(NAMES), "op": JSON | st.just("more"), "value": JSON}), JSON)
def test_what_is_stored_can_be_asked_or_says_where_it_is_wrong(tree: Any, facts: Any) -> None:
    try:
        group = read(tree)
    except Malformed as malformed:
        assert str(malformed)
    else:
        assert prepared(group).truth(read_facts(facts)) is judge(tree, facts).truth


@given(TREE)
def test_what_is_read_is_written_the_same(tree: Any) -> None:
    assert read(read(tree).to_json()) == read(tree)


@given(TREE, WHOLE)
def test_never_raises_on_trees(tree: Any, facts: Any) -> None:
    assert judge(tree, facts).truth in (True, False, None)


@given(st.sampled_from(["all", "any"]), st.lists(TREE, max_size=5), WHOLE, st.randoms())
def test_the_order_of_criteria_in_a_group_changes_nothing(group: str, parts: list[Any], facts: Any, random: Any) -> None:
    shuffled = parts[:]
    random.shuffle(shuffled)
    assert judge({group: parts}, facts).truth is judge({group: shuffled}, facts).truth


@given(TREE, st.lists(WHOLE, max_size=3))
def test_a_tree_prepared_once_answers_as_its_verdicts_do(tree: Any, several: list[Any]) -> None:
    asked = prepared(read(tree))
    assert [asked.truth(read_facts(facts)) for facts in several] == [judge(tree, facts).truth for facts in several]


@given(LEAF)
def test_unknown_never_matches(leaf: Any) -> None:
    assert judge({"all": [leaf]}, {"fields": {}}).truth is None
