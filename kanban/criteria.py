"""Criteria: what a rule asks of the facts, and the verdict with its reasons. Pure; never raises on stored data.

A tree is {"all": [node, …]} or {"any": [node, …]}; a leaf is {"field": name, "op": comparison, "value": wanted}.
Facts give a field a value, None (empty), or nothing at all: then the answer is unknown, and unknown never matches.
Groups follow Kleene's three-valued logic, so the order of criteria in a group changes nothing.

Beside the order's own fields there are «role:3», who fills a role on it, and «linked.total», a field of the orders it is
linked with: it holds where it holds for any of them.

A tree is prepared before it is asked: what the facts have no part in is settled once, however many facts are judged by it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from kanban.fold import fold

Truth = bool | None  # None: unknown
Test = Callable[[Any, Any], bool]
Facts = Mapping[str, Any]
Answer = tuple[Truth, Any]  # whether a node holds, and what was seen of its field
Ask = Callable[[Facts], Answer]

MAX_DEPTH = 8
_ABSENT: Any = object()  # seen, where the facts don't say


class Prepared(NamedTuple):
    """A node that can be asked. A leaf has field, op and wanted; a group has parts."""

    ask: Ask
    field: str = ""
    op: str = ""
    wanted: Any = None
    group: str = ""
    parts: tuple["Prepared", ...] = ()

    def truth(self, facts: Facts) -> Truth:
        """The truth of its verdict, without the reasons: no more parts are asked than settle it."""
        return self.ask(facts if isinstance(facts, Mapping) else {})[0]


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
    return fold(seen).startswith(fold(wanted))


def _has(seen: list[Any], wanted: Any) -> bool:
    return wanted in seen


def _has_any(seen: list[Any], wanted: list[Any]) -> bool:
    return any(one in seen for one in wanted)


def _contains(seen: str, wanted: str) -> bool:
    return fold(wanted) in fold(seen)


def _same_text(seen: str, wanted: str) -> bool:
    return fold(seen) == fold(wanted)


def _text_in(seen: str, wanted: list[str]) -> bool:
    return fold(seen) in [fold(one) for one in wanted]


def _has_tag(seen: list[str], wanted: str) -> bool:
    return fold(wanted) in [fold(one) for one in seen]


def _has_any_tag(seen: list[str], wanted: list[str]) -> bool:
    return any(_has_tag(seen, one) for one in wanted)


def _same_tags(seen: list[str], wanted: str) -> bool:
    return [fold(one) for one in seen] == [fold(wanted)]


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
    return _verdict(prepared(tree, kinds), facts if isinstance(facts, Mapping) else {})


def prepared(tree: Mapping[str, Any], kinds: Mapping[str, str]) -> Prepared:
    """A tree, to be asked of many facts. Like all here it never raises; what can't be read is unknown."""
    return _node(tree, kinds, 0)


def _verdict(node: Prepared, facts: Facts) -> Verdict:
    if not node.group:
        truth, seen = node.ask(facts)
        return Verdict(truth, node.field, node.op, node.wanted, seen)
    parts = tuple([_verdict(part, facts) for part in node.parts])
    return Verdict(_together(node.group, [part.truth for part in parts]), group=node.group, parts=parts)


def _node(node: Any, kinds: Mapping[str, str], depth: int) -> Prepared:
    if not isinstance(node, dict) or depth > MAX_DEPTH:
        return Prepared(lambda facts: (None, None))
    if "field" in node:
        return _leaf(node, kinds)
    for group in ("all", "any"):
        if isinstance(node.get(group), list):
            return _group(group, tuple([_node(part, kinds, depth + 1) for part in node[group]]))
    return Prepared(lambda facts: (None if node else True, None))


def _group(group: str, parts: tuple[Prepared, ...]) -> Prepared:
    asks = [part.ask for part in parts]
    return Prepared(lambda facts: (_together(group, (ask(facts)[0] for ask in asks)), None), group=group, parts=parts)


def _together(group: str, truths: Iterable[Truth]) -> Truth:
    """Kleene: one false settles «all», one true settles «any»; else unknown wins. An empty group asks nothing."""
    decisive = group == "any"
    together: Truth = True
    for truth in truths:
        if truth is decisive:
            return decisive
        together = None if together is None else truth
    return together


def _leaf(node: Mapping[str, Any], kinds: Mapping[str, str]) -> Prepared:
    """Within the facts of a linked order the field has a name without its «linked.»."""
    name, op, wanted = str(node["field"]), str(node.get("op", "")), node.get("value")
    field = name.removeprefix("linked.")
    kind = "reference" if field.startswith("role:") else kinds.get(name, "")
    ask = _of_change(field, op, wanted, kind) if op in CHANGES else _of_value(field, op, wanted, kind)
    return Prepared(ask if field == name else _of_any_linked(ask), name, op, wanted)


def _of_any_linked(ask: Ask) -> Ask:
    def ask_each(facts: Facts) -> Answer:
        linked = facts.get("linked")
        answers = [ask(one) for one in linked if isinstance(one, dict)] if isinstance(linked, list) else []
        if not answers:
            return None, None
        seen = next((seen for truth, seen in answers if truth), answers[0][1])
        return _together("any", [truth for truth, _seen in answers]), seen

    return ask_each


def _of_value(field: str, op: str, wanted: Any, kind: str) -> Ask:
    look, compare = _look(field), _compare(kind, op, wanted)

    def ask(facts: Facts) -> Answer:
        seen = look(facts)
        return (None, None) if seen is _ABSENT else (compare(seen, facts), seen)

    return ask


def _of_change(field: str, op: str, wanted: Any, kind: str) -> Ask:
    """was: {field: its value before the event}, of the fields that the event changed; unknown in facts without it."""
    look, compare = _look(field), _compare(kind, "equals", wanted)

    def truth(seen: Any, facts: Facts) -> Truth:
        was = facts.get("was")
        if not isinstance(was, dict):
            return None
        if op == "changed" or field not in was:
            return field in was
        side = was[field] if op == "changed_from" else seen
        return None if side is _ABSENT else compare(side, facts)

    def ask(facts: Facts) -> Answer:
        seen = look(facts)
        return truth(seen, facts), None if seen is _ABSENT else seen

    return ask


def _look(field: str) -> Callable[[Facts], Any]:
    """What stands in a field, or _ABSENT. Where people are known at all, nobody fills a role that isn't among them."""
    place, name, absent = ("people", field[5:], None) if field.startswith("role:") else ("fields", field, _ABSENT)

    def look(facts: Facts) -> Any:
        values = facts.get(place)
        return values.get(name, absent) if isinstance(values, dict) else _ABSENT

    return look


def _compare(kind: str, op: str, wanted: Any) -> Callable[[Any, Facts], Truth]:
    if op in EMPTINESS:
        return lambda seen, facts: _is_empty(_comparable(seen)) == (op == "empty")
    test = COMPARISONS.get(kind, {}).get(op)
    if test is None and not (kind == "date" and op in DAYS):
        return lambda seen, facts: None
    of_empty = op in NEGATIVE

    def compare(seen: Any, facts: Facts) -> Truth:
        seen = _comparable(seen)
        if not seen and _is_empty(seen):
            return of_empty
        try:
            return bool(test(seen, wanted)) if test else _is_near(op, seen, wanted, facts["today"])
        except Exception:  # stored data of another shape: unknown, never an error
            return None

    return compare


def _comparable(seen: Any) -> Any:
    """A reference is kept with its name of that time; rules compare its id."""
    if isinstance(seen, dict):
        return seen.get("id")
    return [_comparable(one) for one in seen] if isinstance(seen, list) else seen


def _is_empty(seen: Any) -> bool:
    return seen is None or (isinstance(seen, str | list) and not seen)


def _is_near(op: str, seen: str, days: int, today: str) -> bool:
    """Within the next N days: today counts, and the Nth day too."""
    distance = (date.fromisoformat(seen) - date.fromisoformat(today)).days
    return 0 <= distance <= days if op == "within_next" else -days <= distance <= 0


def leaves_of(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The criteria of a tree, whatever groups they stand in."""
    if "field" in node:
        yield node
    for group in ("all", "any"):
        for part in node.get(group, ()):
            yield from leaves_of(part)
