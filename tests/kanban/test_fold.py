"""What counts as the same text, and what a search box looks for."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanban.criteria import Comparison, Criterion, Group, GroupKind, judge
from kanban.facts import Facts
from kanban.fields import BUILT_IN
from kanban.fold import fold
from kanban.queries.sought import occurs, read_sought


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ЁЛКА", "елка"),
        ("Семёнов", "СЕМЕНОВ"),
        ("и\u0306од", "ЙОД"),
        ("е\u0308ж", "ёж"),
        ("стол\u00adярный", "столярный"),
        ("\u200eИвано\u200dв\ufeff", "иванов"),
        ("Straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("É", "e\u0301"),
    ],
)
def test_the_same_to_a_person(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_what_differs_stays_different() -> None:
    assert fold("йод") != fold("иод") and fold("a b") != fold("ab") and fold("мир") != fold("мор")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    once = fold(text)
    assert fold(once) == once and not any(unicodedata.category(sign) == "Cf" for sign in once)


@pytest.mark.parametrize("op", ["equals", "contains", "starts_with"])
def test_criteria_compare_folded_texts(op: str) -> None:
    criterion = Criterion("customer", BUILT_IN.find("customer"), Comparison(op), "семенова")
    assert judge(Group(GroupKind.ALL, (criterion,)), Facts({"customer": "Семён\u00adова"})).truth is True


ORDER = "о-0128 хасанова гузель угловая кухня 8 (912) 345-67-89 89123456789 guzel@mail.example"


@pytest.mark.parametrize(
    "typed",
    [
        "+79123456789",
        "8 912 345-67-89",
        "345-67-89",
        "9123456789",
        "+7 912 345",
        "8(912)3456789",
        "912 345 67 89",
        "67‑89",
        "6789",
        "Хасанова 8 912 345-67-89",
        "89123456789 КУХНЯ",
        "0128",
        "о-0128",
        "гузель хасанова",
        "",
    ],
)
def test_an_order_is_found(typed: str) -> None:
    assert occurs(read_sought(typed, "RU"), ORDER)


@pytest.mark.parametrize("typed", ["+79123456788", "345-67-88", "хасанова 999-99-99", "8 912 345-67-89 шкаф", "кухня 12 99"])
def test_another_is_not(typed: str) -> None:
    assert not occurs(read_sought(typed, "RU"), ORDER)
