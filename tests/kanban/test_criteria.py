"""Criteria: a table of comparisons, and what must hold for any tree over any facts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanban.criteria import ALWAYS, COMPARISONS, comparisons, judge

KINDS = {"organisation": "reference", "customer": "text", "tags": "tags", "total": "money", "ship_on": "date", "absent": "text"}
FACTS = {
    "fields": {
        "organisation": {"id": 7, "name": "ООО «Мельников»"},
        "customer": "Хасанова Гузель",
        "tags": ["Камень", "повторный"],
        "total": 38_700_000,
        "ship_on": "2026-12-26",
    }
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
    ("absent", "equals", "x", None),
    ("absent", "filled", None, None),
]


@pytest.mark.parametrize(("field", "op", "value", "truth"), TABLE)
def test_comparison(field: str, op: str, value: Any, truth: bool | None) -> None:
    verdict = judge({"all": [{"field": field, "op": op, "value": value}]}, FACTS, KINDS)
    assert verdict.truth is truth
    assert verdict.parts[0].field == field


def test_every_comparison_of_every_type_is_in_the_table() -> None:
    tried = {(KINDS[field], op) for field, op, _, _ in TABLE}
    known = {(kind, op) for kind, ops in COMPARISONS.items() for op in ops}
    by_inheritance = {
        ("money", "not_equals"),
        ("money", "not_in_list"),
        ("date", "not_equals"),
        ("date", "in_list"),
        ("date", "not_in_list"),
    }
    assert known - tried <= by_inheritance | {("tags", "not_equals")}


def test_empty_matches_only_what_asks_for_it_or_against_a_value() -> None:
    facts = {"fields": {"customer": None, "tags": [], "organisation": None}}
    asked = [judge({"field": "customer", "op": op, "value": "x"}, facts, KINDS).truth for op in comparisons("text")]
    assert dict(zip(comparisons("text"), asked, strict=True)) == {
        "equals": False, "not_equals": True, "in_list": False, "not_in_list": True, "contains": False, "filled": False, "empty": True,
    }  # fmt: skip


def test_zero_money_is_a_value_not_empty() -> None:
    assert judge({"field": "total", "op": "empty"}, {"fields": {"total": 0}}, KINDS).truth is False


def test_a_verdict_carries_what_was_seen_and_wanted() -> None:
    part = judge({"all": [{"field": "total", "op": "more", "value": 50_000_000}]}, FACTS, KINDS).parts[0]
    assert (part.seen, part.wanted, part.truth) == (38_700_000, 50_000_000, False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
LEAF = st.fixed_dictionaries(
    {"field": st.sampled_from(list(KINDS)), "op": st.sampled_from(sorted({op for ops in COMPARISONS.values() for op in ops} | set(ALWAYS))),
     "value": JSON}
)  # fmt: skip
TREE = st.recursive(
    LEAF,
    lambda inner: st.builds(lambda key, parts: {key: parts}, st.sampled_from(["all", "any"]), st.lists(inner, max_size=4)),
    max_leaves=10,
)
FIELDS = st.dictionaries(st.sampled_from(list(KINDS)), JSON, max_size=6)


@given(JSON, JSON)
def test_never_raises_whatever_is_stored(tree: Any, facts: Any) -> None:
    judge(tree, facts, KINDS)


@given(TREE, FIELDS)
def test_never_raises_on_trees(tree: Any, fields: Any) -> None:
    assert judge(tree, {"fields": fields}, KINDS).truth in (True, False, None)


@given(st.sampled_from(["all", "any"]), st.lists(TREE, max_size=5), FIELDS, st.randoms())
def test_the_order_of_criteria_in_a_group_changes_nothing(group: str, parts: list[Any], fields: Any, random: Any) -> None:
    shuffled = parts[:]
    random.shuffle(shuffled)
    facts = {"fields": fields}
    assert judge({group: parts}, facts, KINDS).truth is judge({group: shuffled}, facts, KINDS).truth


@given(LEAF)
def test_unknown_never_matches(leaf: Any) -> None:
    assert judge({"all": [leaf]}, {"fields": {}}, KINDS).truth is None
