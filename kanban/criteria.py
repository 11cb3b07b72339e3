"""Criteria: what a rule asks of the facts, and the verdict with its reasons. Pure; never raises on the facts it is given.

Facts give a field a value, None (empty), or nothing at all: then the answer is unknown, and unknown never matches.
Groups follow Kleene's three-valued logic, so the order of criteria in a group changes nothing.

Beside the order's own fields there are «role:3», who fills a role on it, and «linked.total», a field of the orders it is
linked with: it holds where it holds for any of them.

A tree is prepared before it is asked: what the facts have no part in is settled once, however many facts are judged by it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import contains, eq, ge, gt, le, lt, ne
from typing import Any, NamedTuple, assert_never

from kanban.facts import Facts, LinkedOrder
from kanban.fields import Catalogue, Field, FieldType
from kanban.fold import fold
from kanban.json_reader import JsonObject, Value
from kanban.references import STORED, Keys, Noting, Reference, ReferenceKind, Replacing
from kanban.translation import N_

Truth = bool | None  # None: unknown
Test = Callable[[Any, Any], bool]
Asked = Facts | LinkedOrder
Answer = tuple[Truth, object]  # whether a node holds, and what was seen of its field
Ask = Callable[[Asked], Answer]
Scalar = str | int | None

MAX_DEPTH = 8
_ABSENT = object()  # seen, where the facts don't say


class Comparison(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN_LIST = "in_list"
    NOT_IN_LIST = "not_in_list"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    MORE = "more"
    AT_LEAST = "at_least"
    LESS = "less"
    AT_MOST = "at_most"
    BETWEEN = "between"
    WITHIN_NEXT = "within_next"
    WITHIN_LAST = "within_last"
    FILLED = "filled"
    EMPTY = "empty"
    CHANGED = "changed"
    CHANGED_FROM = "changed_from"
    CHANGED_TO = "changed_to"


C = Comparison
DAYS = (C.WITHIN_NEXT, C.WITHIN_LAST)  # of a date: compared with a number of days, counted from the facts' own day
CHANGES = (C.CHANGED, C.CHANGED_FROM, C.CHANGED_TO)  # what the event itself did to the field
EMPTINESS = (C.FILLED, C.EMPTY)
ALWAYS = (*EMPTINESS, C.CHANGED)  # these want no value
NEGATIVE = (C.NOT_EQUALS, C.NOT_IN_LIST, C.NOT_CONTAINS)
LISTS = (C.IN_LIST, C.NOT_IN_LIST)
SEVERAL = (*LISTS, C.BETWEEN)  # these want a list of values


class GroupKind(StrEnum):
    ALL = "all"
    ANY = "any"


@dataclass(frozen=True)
class Criterion:
    """name: of the field. field: None where the catalogue has no such field (any more): then the answer is unknown.

    value: what it is compared with, as facts have it, a reference by its id; several of them in a tuple; None for none.
    """

    name: str
    field: Field | None
    op: Comparison
    value: Scalar | tuple[Scalar, ...] = None

    @property
    def values(self) -> tuple[Scalar, ...]:
        """One value or several."""
        return self.value if isinstance(self.value, tuple) else () if self.value is None else (self.value,)

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        made: JsonObject = {"field": _name_out(self.name, keys), "op": self.op.value}
        if self.op in ALWAYS:
            return made
        write = _writer(self.field, self.op, keys)
        return made | {"value": [write(one) for one in self.value] if isinstance(self.value, tuple) else write(self.value)}


@dataclass(frozen=True)
class Group:
    kind: GroupKind
    parts: "tuple[Criterion | Group, ...]" = ()

    def to_json(self, keys: Keys = STORED) -> JsonObject:
        return {self.kind.value: [part.to_json(keys) for part in self.parts]}

    @property
    def criteria(self) -> Iterator[Criterion]:
        """All of them, whatever groups they stand in."""
        for part in self.parts:
            if isinstance(part, Group):
                yield from part.criteria
            else:
                yield part

    def without(self, is_gone: "Callable[[Criterion], bool]") -> "Group":
        """Without some of its criteria, and groups that are empty then."""
        kept = [part.without(is_gone) if isinstance(part, Group) else part for part in self.parts]
        return Group(self.kind, tuple([part for part in kept if (bool(part.parts) if isinstance(part, Group) else not is_gone(part))]))

    @property
    def references(self) -> set[Reference]:
        """Everything its criteria point at."""
        noting = Noting()
        self.to_json(noting)
        return noting.found

    def replaced(self, old: Reference, new_id: int, catalogue: Catalogue) -> "Group":
        """With one thing pointed at in the place of another."""
        return read_criteria(Value(self.to_json(Replacing(old, new_id))), catalogue)


Node = Criterion | Group
NO_CRITERIA = Group(GroupKind.ALL)


def read_criteria(value: Value, catalogue: Catalogue, keys: Keys = STORED) -> Group:
    """From {"all": [node, …]} or {"any": [node, …]}; a leaf is {"field": name, "op": comparison, "value": wanted}. Raises Malformed."""
    node = _read_node(value, catalogue, keys, 0)
    return node if isinstance(node, Group) else Group(GroupKind.ALL, (node,))


def _read_node(value: Value, catalogue: Catalogue, keys: Keys, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise value.malformed(N_("fewer groups within each other"))
    if value.has("field"):
        return _read_criterion(value, catalogue, keys)
    for kind in GroupKind:
        if isinstance(value[kind.value].raw, list):
            return Group(kind, value[kind.value].several(lambda part: _read_node(part, catalogue, keys, depth + 1)))
    if value.members():
        raise value.malformed(N_("a criterion or a group of them"))
    return NO_CRITERIA


def _read_criterion(value: Value, catalogue: Catalogue, keys: Keys) -> Criterion:
    name, op = _name_in(value["field"], keys), value["op"].member(Comparison)
    field = catalogue.criterion(name)
    if op in ALWAYS:
        return Criterion(name, field, op)
    read = _reader(field, op, keys)
    return Criterion(name, field, op, value["value"].several(read) if op in SEVERAL else read(value["value"]))


def _name_in(value: Value, keys: Keys) -> str:
    """«role:3» is a field, and names a role."""
    start, colon, which = value.text().partition(":")
    if start != "role" or not colon:
        return value.text()
    key = int(which) if which.isascii() and which.isdecimal() and len(which) <= 10 else which
    return f"role:{keys.read(ReferenceKind.ROLE, Value(key, value.place))}"


def _name_out(name: str, keys: Keys) -> str:
    start, colon, which = name.partition(":")
    return f"role:{keys.write(ReferenceKind.ROLE, int(which))}" if start == "role" and colon else name


def _reader(field: Field | None, op: Comparison, keys: Keys) -> Callable[[Value], Scalar]:
    """How a value of this field is read."""
    read = _read_by_type(field, keys) if op not in DAYS else Value.whole
    return lambda value: value.optional(read)


def _read_by_type(field: Field | None, keys: Keys) -> Callable[[Value], Scalar]:
    """One of a field that is gone may be of any type."""
    if field is None:
        return _any_scalar
    kind = field.reference
    match field.type:
        case FieldType.MONEY:
            return keys.read_money
        case FieldType.NUMBER | FieldType.REFERENCE | FieldType.REFERENCES:
            return lambda value: keys.read(kind, value) if kind else value.whole()
        case FieldType.DATE:
            return Value.day
        case FieldType.TEXT | FieldType.TAGS:
            return Value.text
        case _:
            assert_never(field.type)


def _any_scalar(value: Value) -> Scalar:
    if value.raw is not None and not isinstance(value.raw, str | int):
        raise value.malformed(N_("a text or a number"))
    return value.raw


def _writer(field: Field | None, op: Comparison, keys: Keys) -> Callable[[Scalar], object]:
    if field is None or op in DAYS:
        return lambda value: value
    kind = field.reference
    if kind is not None:
        return lambda value: keys.write(kind, value) if isinstance(value, int) else value
    if field.type is FieldType.MONEY:
        return lambda value: keys.write_money(value) if isinstance(value, int) else value
    return lambda value: value


class Prepared(NamedTuple):
    """A node that can be asked: a criterion, or a group with its parts."""

    ask: Ask
    criterion: Criterion | None = None
    group: GroupKind | None = None
    parts: tuple["Prepared", ...] = ()

    def truth(self, facts: Facts) -> Truth:
        """The truth of its verdict, without the reasons: no more parts are asked than settle it."""
        return self.ask(facts)[0]


class Verdict(NamedTuple):
    """The answer of one node: of a criterion with what was seen, or of a group with its parts. (A tuple: made by the thousand.)"""

    truth: Truth
    criterion: Criterion | None = None
    seen: object = None
    group: GroupKind | None = None
    parts: tuple["Verdict", ...] = ()

    @property
    def leaves(self) -> "Iterator[Verdict]":
        """Those of criteria."""
        if self.criterion is not None:
            yield self
        for part in self.parts:
            yield from part.leaves


def _among(seen: object, wanted: list[object]) -> bool:
    return seen in wanted


def _shares(seen: list[object], wanted: list[object]) -> bool:
    return any(value in seen for value in wanted)


def _starts(seen: str, wanted: str) -> bool:
    return fold(seen).startswith(fold(wanted))


def _contains(seen: str, wanted: str) -> bool:
    return fold(wanted) in fold(seen)


def _same_text(seen: str, wanted: str) -> bool:
    return fold(seen) == fold(wanted)


def _text_in(seen: str, wanted: list[str]) -> bool:
    return fold(seen) in [fold(text) for text in wanted]


def _has_tag(seen: list[str], wanted: str) -> bool:
    return fold(wanted) in [fold(tag) for tag in seen]


def _has_any_tag(seen: list[str], wanted: list[str]) -> bool:
    return any(_has_tag(seen, tag) for tag in wanted)


def _same_tags(seen: list[str], wanted: str) -> bool:
    return [fold(tag) for tag in seen] == [fold(wanted)]


def _not(test: Test) -> Test:
    return lambda seen, wanted: not test(seen, wanted)


_EQUALITY: dict[Comparison, Test] = {C.EQUALS: eq, C.NOT_EQUALS: ne, C.IN_LIST: _among, C.NOT_IN_LIST: _not(_among)}
_ORDER: dict[Comparison, Test] = {
    C.MORE: gt,
    C.AT_LEAST: ge,
    C.LESS: lt,
    C.AT_MOST: le,
    C.BETWEEN: lambda seen, wanted: wanted[0] <= seen <= wanted[1],
}
_TEXT: dict[Comparison, Test] = {
    C.EQUALS: _same_text,
    C.NOT_EQUALS: _not(_same_text),
    C.IN_LIST: _text_in,
    C.NOT_IN_LIST: _not(_text_in),
    C.CONTAINS: _contains,
    C.NOT_CONTAINS: _not(_contains),
    C.STARTS_WITH: _starts,
}
_TAGS: dict[Comparison, Test] = {
    C.CONTAINS: _has_tag,
    C.NOT_CONTAINS: _not(_has_tag),
    C.EQUALS: _same_tags,
    C.NOT_EQUALS: _not(_same_tags),
    C.IN_LIST: _has_any_tag,
    C.NOT_IN_LIST: _not(_has_any_tag),
}
_SEVERAL: dict[Comparison, Test] = {C.EQUALS: contains, C.NOT_EQUALS: _not(contains), C.IN_LIST: _shares, C.NOT_IN_LIST: _not(_shares)}

# One table of comparisons per type of field. Those of every type are below; references: several at once (roles).
COMPARISONS: Mapping[FieldType, Mapping[Comparison, Test]] = {
    FieldType.REFERENCE: _EQUALITY,
    FieldType.REFERENCES: _SEVERAL,
    FieldType.TEXT: _TEXT,
    FieldType.TAGS: _TAGS,
    FieldType.MONEY: _EQUALITY | _ORDER,
    FieldType.NUMBER: _EQUALITY | _ORDER,
    FieldType.DATE: _EQUALITY | _ORDER,
}


def comparisons(kind: FieldType) -> list[Comparison]:
    """The comparisons that a field of this type knows, in the order they are offered."""
    return [*COMPARISONS[kind], *(DAYS if kind is FieldType.DATE else ()), *EMPTINESS, *CHANGES]


def judge(tree: Group, facts: Facts) -> Verdict:
    return _verdict(prepared(tree), facts)


def prepared(node: Node) -> Prepared:
    """A tree, to be asked of many facts."""
    if isinstance(node, Group):
        parts = tuple([prepared(part) for part in node.parts])
        asks, kind = [part.ask for part in parts], node.kind
        return Prepared(lambda facts: (_together(kind, (ask(facts)[0] for ask in asks)), None), None, kind, parts)
    return Prepared(_asked(node), node)


def _verdict(node: Prepared, facts: Facts) -> Verdict:
    if node.group is None:
        truth, seen = node.ask(facts)
        return Verdict(truth, node.criterion, seen)
    parts = tuple([_verdict(part, facts) for part in node.parts])
    return Verdict(_together(node.group, [part.truth for part in parts]), group=node.group, parts=parts)


def _together(group: GroupKind, truths: Iterable[Truth]) -> Truth:
    """Kleene: one false settles «all», one true settles «any»; else unknown wins. An empty group asks nothing."""
    decisive = group is GroupKind.ANY
    together: Truth = True
    for truth in truths:
        if truth is decisive:
            return decisive
        together = None if together is None else truth
    return together


def _asked(criterion: Criterion) -> Ask:
    """Within the facts of a linked order the field has a name without its «linked.»."""
    name = criterion.name.removeprefix("linked.")
    ask = _of_change(name, criterion) if criterion.op in CHANGES else _of_value(name, criterion)
    return ask if name == criterion.name else _of_any_linked(ask)


def _of_any_linked(ask: Ask) -> Ask:
    def ask_each(facts: Asked) -> Answer:
        answers = [ask(order) for order in facts.linked or ()] if isinstance(facts, Facts) else []
        if not answers:
            return None, None
        seen = next((seen for truth, seen in answers if truth), answers[0][1])
        return _together(GroupKind.ANY, [truth for truth, _seen in answers]), seen

    return ask_each


def _of_value(name: str, criterion: Criterion) -> Ask:
    look, compare = _look(name), _compare(criterion.field, criterion.op, criterion.value)

    def ask(facts: Asked) -> Answer:
        seen = look(facts)
        return (None, None) if seen is _ABSENT else (compare(seen, facts), seen)

    return ask


def _of_change(name: str, criterion: Criterion) -> Ask:
    """Unknown in facts that don't say what the event changed."""
    look, compare = _look(name), _compare(criterion.field, Comparison.EQUALS, criterion.value)

    def truth(seen: object, facts: Asked) -> Truth:
        was = facts.was if isinstance(facts, Facts) else None
        if was is None:
            return None
        if criterion.op is Comparison.CHANGED or name not in was:
            return name in was
        side = was[name] if criterion.op is Comparison.CHANGED_FROM else seen
        return None if side is _ABSENT else compare(side, facts)

    def ask(facts: Asked) -> Answer:
        seen = look(facts)
        return truth(seen, facts), None if seen is _ABSENT else seen

    return ask


def _look(name: str) -> Callable[[Asked], object]:
    """What stands in a field, or _ABSENT. Where people are known at all, nobody fills a role that isn't among them."""
    if name.startswith("role:"):
        role = name[5:]
        return lambda facts: facts.people.get(role) if isinstance(facts, Facts) and facts.people is not None else _ABSENT
    return lambda facts: facts.fields.get(name, _ABSENT) if facts.fields is not None else _ABSENT


def _compare(field: Field | None, op: Comparison, wanted: Scalar | tuple[Scalar, ...]) -> Callable[[object, Asked], Truth]:
    if op in EMPTINESS:
        return lambda seen, facts: _is_empty(_comparable(seen)) == (op is Comparison.EMPTY)
    test = COMPARISONS[field.type].get(op) if field is not None else None
    is_near = field is not None and field.type is FieldType.DATE and op in DAYS
    if test is None and not is_near:
        return lambda seen, facts: None
    of_empty = op in NEGATIVE

    def compare(seen: object, facts: Asked) -> Truth:
        seen = _comparable(seen)
        if not seen and _is_empty(seen):
            return of_empty
        try:
            return bool(test(seen, wanted)) if test else _is_near(op, seen, wanted, facts)
        except Exception:  # facts of another shape: unknown, never an error
            return None

    return compare


def _comparable(seen: object) -> object:
    """A reference is kept with its name of that time; rules compare its id."""
    if isinstance(seen, dict):
        return seen.get("id")
    return [_comparable(one) for one in seen] if isinstance(seen, list) else seen


def _is_empty(seen: object) -> bool:
    return seen is None or (isinstance(seen, str | list) and not seen)


def _is_near(op: Comparison, seen: object, days: Scalar | tuple[Scalar, ...], facts: Asked) -> bool:
    """Within the next N days: today counts, and the Nth day too."""
    if not isinstance(seen, str) or not isinstance(days, int) or not isinstance(facts, Facts):
        raise TypeError(seen)
    distance = (date.fromisoformat(seen) - date.fromisoformat(facts.today)).days
    return 0 <= distance <= days if op is Comparison.WITHIN_NEXT else -days <= distance <= 0
