"""Criteria: what a rule asks of the facts, and the verdict with its reasons. Pure; never raises on stored data.

A tree is {"all": [node, …]} or {"any": [node, …]}; a leaf is {"field": name, "op": comparison, "value": wanted}.
Facts give a field a value, None (empty), or nothing at all: then the answer is unknown, and unknown never matches.
Groups follow Kleene's three-valued logic, so the order of criteria in a group changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Truth = bool | None  # None: unknown
Test = Callable[[Any, Any], bool]

MAX_DEPTH = 8


@dataclass(frozen=True)
class Verdict:
    """The answer of one node. A leaf has field, op, wanted and seen; a group has parts."""

    truth: Truth
    field: str = ""
    op: str = ""
    wanted: Any = None
    seen: Any = None
    group: str = ""
    parts: tuple["Verdict", ...] = ()


def _is(seen: Any, wanted: Any) -> bool:
    return bool(seen == wanted)


def _in(seen: Any, wanted: Any) -> bool:
    return seen in wanted


def _contains(seen: str, wanted: str) -> bool:
    return wanted.casefold() in seen.casefold()


def _same_text(seen: str, wanted: str) -> bool:
    return seen.casefold() == wanted.casefold()


def _text_in(seen: str, wanted: list[str]) -> bool:
    return seen.casefold() in [one.casefold() for one in wanted]


def _has_tag(seen: list[str], wanted: str) -> bool:
    return wanted.casefold() in [one.casefold() for one in seen]


def _has_any_tag(seen: list[str], wanted: list[str]) -> bool:
    return any(_has_tag(seen, one) for one in wanted)


def _same_tags(seen: list[str], wanted: str) -> bool:
    return [one.casefold() for one in seen] == [wanted.casefold()]


def _more(seen: Any, wanted: Any) -> bool:
    return bool(seen > wanted)


def _less(seen: Any, wanted: Any) -> bool:
    return bool(seen < wanted)


def _not(test: Test) -> Test:
    return lambda seen, wanted: not test(seen, wanted)


_EQUALITY: dict[str, Test] = {"equals": _is, "not_equals": _not(_is), "in_list": _in, "not_in_list": _not(_in)}
_ORDER: dict[str, Test] = {"more": _more, "less": _less}
_TEXT: dict[str, Test] = {
    "equals": _same_text, "not_equals": _not(_same_text), "in_list": _text_in, "not_in_list": _not(_text_in),
    "contains": _contains,
}  # fmt: skip
_TAGS: dict[str, Test] = {
    "contains": _has_tag, "equals": _same_tags, "not_equals": _not(_same_tags), "in_list": _has_any_tag,
    "not_in_list": _not(_has_any_tag),
}  # fmt: skip

# One table of comparisons per type of field. filled and empty exist for all of them.
COMPARISONS: Mapping[str, Mapping[str, Test]] = {
    "reference": _EQUALITY,
    "text": _TEXT,
    "tags": _TAGS,
    "money": _EQUALITY | _ORDER,
    "date": _EQUALITY | _ORDER,
}
ALWAYS = ("filled", "empty")
NEGATIVE = ("not_equals", "not_in_list")
LISTS = ("in_list", "not_in_list")


def comparisons(kind: str) -> list[str]:
    """The comparisons that a field of this type knows, in the order they are offered."""
    return [*COMPARISONS[kind], *ALWAYS]


def judge(tree: Mapping[str, Any], facts: Mapping[str, Any], kinds: Mapping[str, str]) -> Verdict:
    """Judges a tree. facts: {"fields": {name: value}}; kinds: the type of each field by name."""
    fields = facts.get("fields", {}) if isinstance(facts, Mapping) else {}
    return _node(tree, fields if isinstance(fields, Mapping) else {}, kinds, 0)


def _node(node: Any, fields: Mapping[str, Any], kinds: Mapping[str, str], depth: int) -> Verdict:
    if not isinstance(node, Mapping) or depth > MAX_DEPTH:
        return Verdict(None)
    for group in ("all", "any"):
        if isinstance(node.get(group), list):
            parts = tuple(_node(part, fields, kinds, depth + 1) for part in node[group])
            return Verdict(_together(group, parts), group=group, parts=parts)
    return _leaf(node, fields, kinds) if "field" in node else Verdict(True if not node else None)


def _together(group: str, parts: tuple[Verdict, ...]) -> Truth:
    """Kleene: one false settles «all», one true settles «any»; else unknown wins. An empty group asks nothing."""
    if not parts:
        return True
    decisive = group == "any"
    truths = [part.truth for part in parts]
    if decisive in truths:
        return decisive
    return None if None in truths else not decisive


def _leaf(node: Mapping[str, Any], fields: Mapping[str, Any], kinds: Mapping[str, str]) -> Verdict:
    name, op, wanted = str(node["field"]), str(node.get("op", "")), node.get("value")
    if name not in fields:
        return Verdict(None, name, op, wanted)
    seen = fields[name]
    return Verdict(_truth(kinds.get(name, ""), op, _comparable(seen), wanted), name, op, wanted, seen)


def _comparable(seen: Any) -> Any:
    """A reference is kept with its name of that time; rules compare its id."""
    return seen.get("id") if isinstance(seen, Mapping) else seen


def _truth(kind: str, op: str, seen: Any, wanted: Any) -> Truth:
    is_empty = seen is None or (isinstance(seen, str | list) and not seen)
    if op in ALWAYS:
        return is_empty == (op == "empty")
    test = COMPARISONS.get(kind, {}).get(op)
    if test is None:
        return None
    if is_empty:
        return op in NEGATIVE
    try:
        return bool(test(seen, wanted))
    except Exception:  # stored data of another shape: unknown, never an error
        return None
