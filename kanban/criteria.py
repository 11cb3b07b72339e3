"""Criteria: what a rule asks of the facts, and the verdict with its reasons. Pure; never raises on stored data.

A tree is {"all": [node, …]} or {"any": [node, …]}; a leaf is {"field": name, "op": comparison, "value": wanted}.
Facts give a field a value, None (empty), or nothing at all: then the answer is unknown, and unknown never matches.
Groups follow Kleene's three-valued logic, so the order of criteria in a group changes nothing.

Beside the order's own fields there are «role:3», who fills a role on it, and «linked.total», a field of the orders it is
linked with: it holds where it holds for any of them.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

Truth = bool | None  # None: unknown
Test = Callable[[Any, Any], bool]
Facts = Mapping[str, Any]

MAX_DEPTH = 8


class Verdict(NamedTuple):
    """The answer of one node. A leaf has field, op, wanted and seen; a group has parts. (A tuple: made by the thousand.)"""

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


def _between(seen: Any, wanted: Any) -> bool:
    low, high = wanted
    return bool(low <= seen <= high)


def _starts(seen: str, wanted: str) -> bool:
    return seen.casefold().startswith(wanted.casefold())


def _has(seen: list[Any], wanted: Any) -> bool:
    return wanted in seen


def _has_any(seen: list[Any], wanted: list[Any]) -> bool:
    return any(one in seen for one in wanted)


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


def _at_least(seen: Any, wanted: Any) -> bool:
    return bool(seen >= wanted)


def _at_most(seen: Any, wanted: Any) -> bool:
    return bool(seen <= wanted)


def _not(test: Test) -> Test:
    return lambda seen, wanted: not test(seen, wanted)


_EQUALITY: dict[str, Test] = {"equals": _is, "not_equals": _not(_is), "in_list": _in, "not_in_list": _not(_in)}
_ORDER: dict[str, Test] = {"more": _more, "at_least": _at_least, "less": _less, "at_most": _at_most, "between": _between}
_TEXT: dict[str, Test] = {
    "equals": _same_text, "not_equals": _not(_same_text), "in_list": _text_in, "not_in_list": _not(_text_in),
    "contains": _contains, "not_contains": _not(_contains), "starts_with": _starts,
}  # fmt: skip
_TAGS: dict[str, Test] = {
    "contains": _has_tag, "not_contains": _not(_has_tag), "equals": _same_tags, "not_equals": _not(_same_tags),
    "in_list": _has_any_tag, "not_in_list": _not(_has_any_tag),
}  # fmt: skip
_SEVERAL: dict[str, Test] = {"equals": _has, "not_equals": _not(_has), "in_list": _has_any, "not_in_list": _not(_has_any)}

# One table of comparisons per type of field. Those of every type are below; references: several at once (roles).
COMPARISONS: Mapping[str, Mapping[str, Test]] = {
    "reference": _EQUALITY,
    "references": _SEVERAL,
    "text": _TEXT,
    "tags": _TAGS,
    "money": _EQUALITY | _ORDER,
    "number": _EQUALITY | _ORDER,
    "date": _EQUALITY | _ORDER,
}
DAYS = ("within_next", "within_last")  # of a date: wanted is a number of days, counted from the facts' own day
CHANGES = ("changed", "changed_from", "changed_to")  # what the event itself did to the field
EMPTINESS = ("filled", "empty")
ALWAYS = (*EMPTINESS, "changed")  # these want no value
NEGATIVE = ("not_equals", "not_in_list", "not_contains")
LISTS = ("in_list", "not_in_list")


def comparisons(kind: str) -> list[str]:
    """The comparisons that a field of this type knows, in the order they are offered."""
    return [*COMPARISONS[kind], *(DAYS if kind == "date" else ()), *EMPTINESS, *CHANGES]


def judge(tree: Mapping[str, Any], facts: Facts, kinds: Mapping[str, str]) -> Verdict:
    """Judges a tree. facts: see kanban.facts.snapshot; kinds: the type of each field by name."""
    return _node(tree, facts if isinstance(facts, Mapping) else {}, kinds, 0)


def _node(node: Any, facts: Facts, kinds: Mapping[str, str], depth: int) -> Verdict:
    if not isinstance(node, dict) or depth > MAX_DEPTH:
        return Verdict(None)
    if "field" in node:
        return _leaf(node, facts, kinds)
    for group in ("all", "any"):
        if isinstance(node.get(group), list):
            parts = tuple([_node(part, facts, kinds, depth + 1) for part in node[group]])
            return Verdict(_together(group, parts), group=group, parts=parts)
    return Verdict(None if node else True)


def _together(group: str, parts: tuple[Verdict, ...]) -> Truth:
    """Kleene: one false settles «all», one true settles «any»; else unknown wins. An empty group asks nothing."""
    if not parts:
        return True
    decisive = group == "any"
    truths = [part.truth for part in parts]
    if decisive in truths:
        return decisive
    return None if None in truths else not decisive


def _leaf(node: Mapping[str, Any], facts: Facts, kinds: Mapping[str, str]) -> Verdict:
    name, op, wanted = str(node["field"]), str(node.get("op", "")), node.get("value")
    if not name.startswith("linked."):
        return _judged(name, name, op, wanted, facts, kinds)
    field = name[7:]
    linked = facts.get("linked")
    orders = [one for one in linked if isinstance(one, dict)] if isinstance(linked, list) else []
    parts = [_judged(name, field, op, wanted, order, kinds) for order in orders]
    best = next((part for part in parts if part.truth), None)
    return best or Verdict(_together("any", tuple(parts)) if parts else None, name, op, wanted, parts[0].seen if parts else None)


def _judged(name: str, field: str, op: str, wanted: Any, facts: Facts, kinds: Mapping[str, str]) -> Verdict:
    """One comparison. name: as the criterion has it; field: the same within these facts."""
    if op in CHANGES:
        return Verdict(_changed(field, op, wanted, facts, kinds.get(name, "")), name, op, wanted, _seen(field, facts).get("value"))
    found = _seen(field, facts)
    if "value" not in found:
        return Verdict(None, name, op, wanted)
    seen = found["value"]
    kind = "reference" if field.startswith("role:") else kinds.get(name, "")
    return Verdict(_truth(kind, op, _comparable(seen), wanted, facts.get("today")), name, op, wanted, seen)


def _seen(field: str, facts: Facts) -> dict[str, Any]:
    """{"value": what stands in a field}, or {} where the facts don't say."""
    fields, people = facts.get("fields"), facts.get("people")
    if field.startswith("role:"):
        return {"value": people.get(field[5:])} if isinstance(people, dict) else {}
    return {"value": fields[field]} if isinstance(fields, dict) and field in fields else {}


def _changed(field: str, op: str, wanted: Any, facts: Facts, kind: str) -> Truth:
    """was: {field: its value before the event}, of the fields that the event changed; unknown in facts without it."""
    was = facts.get("was")
    if not isinstance(was, dict):
        return None
    if op == "changed" or field not in was:
        return field in was
    side = {"value": was[field]} if op == "changed_from" else _seen(field, facts)
    kind = "reference" if field.startswith("role:") else kind
    return _truth(kind, "equals", _comparable(side.get("value")), wanted, None) if "value" in side else None


def _comparable(seen: Any) -> Any:
    """A reference is kept with its name of that time; rules compare its id."""
    if isinstance(seen, list):
        return [_comparable(one) for one in seen]
    return seen.get("id") if isinstance(seen, dict) else seen


def _truth(kind: str, op: str, seen: Any, wanted: Any, today: Any) -> Truth:
    is_empty = seen is None or (isinstance(seen, str | list) and not seen)
    if op in EMPTINESS:
        return is_empty == (op == "empty")
    test = COMPARISONS.get(kind, {}).get(op)
    if test is None and not (kind == "date" and op in DAYS):
        return None
    if is_empty:
        return op in NEGATIVE
    try:
        return bool(test(seen, wanted)) if test else _is_near(op, seen, wanted, today)
    except Exception:  # stored data of another shape: unknown, never an error
        return None


def _is_near(op: str, seen: str, days: int, today: str) -> bool:
    """Within the next N days: today counts, and the Nth day too."""
    distance = (date.fromisoformat(seen) - date.fromisoformat(today)).days
    return 0 <= distance <= days if op == "within_next" else -days <= distance <= 0
