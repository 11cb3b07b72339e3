"""The editor of criteria: what stands in its rows and groups, what its buttons ask for, and the criteria these say."""

import dataclasses
import re
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from werkzeug.datastructures import MultiDict

from kanban import i18n
from kanban.criteria import ALWAYS, DAYS, LISTS, SEVERAL, Comparison, Criterion, Group, GroupKind, Scalar, comparisons
from kanban.criteria_checks import MOST_GROUPS, MOST_NESTED, MOST_ROWS, MOST_TEXT
from kanban.errors import Invalid
from kanban.field_words import read_whole
from kanban.fields import Catalogue, FieldGroup, FieldType
from kanban.forms.fields import one_line, parse_money
from kanban.i18n import N_, _
from kanban.ids import read_id
from kanban.lookup import Lookup
from kanban.words.comparisons import comparison_label

ROOT = 0  # the number of the outermost group
FIELD_GROUPS = {
    FieldGroup.ORDER: N_("From the order"),
    FieldGroup.ROLE: N_("Role on the order"),
    FieldGroup.WHO: N_("Who did it"),
    FieldGroup.LINKED: N_("Linked order"),
}
# What the editor's templates offer to choose from.
OFFERED = {
    "groups": FIELD_GROUPS,
    "days": DAYS,
    "comparisons": comparisons,
    "comparison_label": comparison_label,
    "always": ALWAYS,
    "lists": LISTS,
}


@dataclass
class CriterionRow:
    """values: what stands in the row's value fields, as typed. inside: the number of its group."""

    field: str
    op: Comparison
    values: list[str] = dataclasses.field(default_factory=list)
    error: str = ""
    inside: int = ROOT


@dataclass
class GroupRow:
    """A group within the criteria; a group within a group names its parent."""

    number: int
    group: GroupKind = GroupKind.ANY
    parent: int = ROOT


@dataclass
class CriteriaState:
    """What stands in the editor. group: of the outermost one."""

    board_id: int = 0
    group: GroupKind = GroupKind.ALL
    criteria: list[CriterionRow] = dataclasses.field(default_factory=list)
    groups: list[GroupRow] = dataclasses.field(default_factory=list)
    ticks_all_of: CriterionRow | None = None  # of its choices all are to be ticked, or none where all are

    def depth_of(self, number: int) -> int:
        """0 for the outermost group."""
        parents = {one.number: one.parent for one in self.groups}
        depth = 0
        while number != ROOT:
            number, depth = parents[number], depth + 1
        return depth

    def may_nest(self, number: int) -> bool:
        return self.depth_of(number) < MOST_NESTED and len(self.groups) < MOST_GROUPS


def read_rows(state: CriteriaState, form: MultiDict[str, str], catalogue: Catalogue) -> None:
    """The rows of a posted form; they are numbered, gaps are fine."""
    state.group = _kind(form.get("group"), GroupKind.ALL)
    for number in numbers(form, "group-")[:MOST_GROUPS]:
        _read_group(state, number, form)
    known_groups = {ROOT, *(group.number for group in state.groups)}
    for number in numbers(form, "field-"):
        field = catalogue.criterion(form[f"field-{number}"])
        if field is not None:
            known = comparisons(field.type)
            typed = form.get(f"op-{number}")
            row = CriterionRow(field.name, Comparison(typed) if typed in known else known[0], form.getlist(f"value-{number}"))
            inside = read_id(form.get(f"in-{number}")) or ROOT
            state.criteria.append(dataclasses.replace(row, inside=inside if inside in known_groups else ROOT))


def _kind(text: str | None, otherwise: GroupKind) -> GroupKind:
    return GroupKind(text) if text in tuple(GroupKind) else otherwise


def _read_group(state: CriteriaState, number: int, form: MultiDict[str, str]) -> None:
    """A parent has a smaller number, so groups never stand within each other in a ring."""
    parent = read_id(form.get(f"parent-{number}")) or ROOT
    is_known = parent in {one.number for one in state.groups} and state.depth_of(parent) < MOST_NESTED
    if number != ROOT:
        state.groups.append(GroupRow(number, _kind(form[f"group-{number}"], GroupKind.ANY), parent if is_known else ROOT))


def numbers(form: MultiDict[str, str], prefix: str) -> list[int]:
    """Of the rows whose fields begin so."""
    rows = (re.fullmatch(re.escape(prefix) + "([0-9]{1,4})", name) for name in form)
    return sorted({int(row[1]) for row in rows if row})[:MOST_ROWS]


def do_wish(state: CriteriaState, wish: str) -> None:
    """What a button of the editor asks for: another row or group, or one less."""
    verb, number = read_wish(wish)
    groups = {ROOT, *(one.number for one in state.groups)}
    if verb == "add-criterion":
        state.criteria.append(CriterionRow("total", Comparison.MORE, [""], inside=number if number in groups else ROOT))
    elif verb == "add-group" and number in groups and state.may_nest(number):
        made = GroupRow(max(groups) + 1, _other(_kind_of(state, number)), number)
        state.groups.append(made)
        state.criteria.append(CriterionRow("total", Comparison.MORE, [""], inside=made.number))
    elif verb == "drop-group" and number in groups - {ROOT}:
        _drop_group(state, number)
    elif verb == "drop-criterion" and 0 <= number < len(state.criteria):
        del state.criteria[number]
    elif verb == "tick-all" and 0 <= number < len(state.criteria):
        state.ticks_all_of = state.criteria[number]


def read_wish(wish: str) -> tuple[str, int]:
    """«drop-criterion:3»: what, and of which row; -1 where it names none."""
    verb, _colon, number = wish.partition(":")
    return verb, int(number) if re.fullmatch("[0-9]{1,4}", number) else -1


def _other(kind: GroupKind) -> GroupKind:
    return GroupKind.ALL if kind is GroupKind.ANY else GroupKind.ANY


def _kind_of(state: CriteriaState, number: int) -> GroupKind:
    return next((one.group for one in state.groups if one.number == number), state.group)


def _drop_group(state: CriteriaState, number: int) -> None:
    """With all that stands in it."""
    gone = {number}
    for one in state.groups:  # a parent comes before its children
        if one.parent in gone:
            gone.add(one.number)
    state.groups = [one for one in state.groups if one.number not in gone]
    state.criteria = [row for row in state.criteria if row.inside not in gone]


def tick_all(state: CriteriaState, lookup: Lookup) -> None:
    """All choices of a list, or none where all are ticked."""
    row = state.ticks_all_of
    if row is not None:
        field = lookup.field(row.field, state.board_id)
        every = [str(id_) for id_, _name in lookup.choices(field.choices, state.board_id)] if field else []
        row.values = [] if set(every) <= set(row.values) else every


def take_criteria(state: CriteriaState, group: Group) -> None:
    """Puts criteria into an empty editor."""
    state.group = group.kind
    _take_group(state, group, ROOT)


def _take_group(state: CriteriaState, group: Group, number: int) -> None:
    """A group's criteria come before the groups within it."""
    state.criteria += [dataclasses.replace(_row_of(part), inside=number) for part in group.parts if isinstance(part, Criterion)]
    for part in group.parts:
        if isinstance(part, Group):
            made = GroupRow(len(state.groups) + 1, part.kind, number)
            state.groups.append(made)
            _take_group(state, part, made.number)


def _row_of(criterion: Criterion) -> CriterionRow:
    kind = criterion.field.type if criterion.field else FieldType.TEXT
    shown = [i18n.money(one) if kind is FieldType.MONEY and isinstance(one, int) else str(one) for one in criterion.values]
    if kind in (FieldType.TEXT, FieldType.TAGS) and criterion.op in LISTS:
        shown = [", ".join(shown)]
    return CriterionRow(criterion.name, criterion.op, shown)


def criteria_of(state: CriteriaState, catalogue: Catalogue) -> Group:
    """What the rows say. Raises Invalid; the row at fault says why."""
    return _grouped(state, [(row.inside, _typed_row(row, catalogue)) for row in state.criteria])


def sketched_criteria(state: CriteriaState, catalogue: Catalogue) -> Group:
    """As much as can be read of rows that are still being filled in."""
    parts: list[tuple[int, Criterion]] = []
    for row in state.criteria:
        try:
            parts.append((row.inside, _typed_row(row, catalogue)))
        except Invalid:
            row.error = ""
    return _grouped(state, parts)


def _grouped(state: CriteriaState, parts: list[tuple[int, Criterion]]) -> Group:
    found = _tree(state, parts, ROOT)
    return Group(state.group if found else GroupKind.ALL, found)


def _tree(state: CriteriaState, parts: list[tuple[int, Criterion]], number: int) -> tuple[Criterion | Group, ...]:
    """What stands in a group; empty groups are left out."""
    found: list[Criterion | Group] = [part for inside, part in parts if inside == number]
    for group in state.groups:
        if group.parent == number and (within := _tree(state, parts, group.number)):
            found.append(Group(group.group, within))
    return tuple(found)


def _typed_row(row: CriterionRow, catalogue: Catalogue) -> Criterion:
    field = catalogue.criterion(row.field)
    if row.op in ALWAYS:
        return Criterion(row.field, field, row.op)
    kind = FieldType.NUMBER if row.op in DAYS else field.type if field else FieldType.TEXT
    try:
        values = tuple([_typed(kind, raw) for raw in _raw_values(kind, row) if raw.strip()])
    except ValueError as error:
        row.error = str(error) or _("This value can't be used here.")
        raise Invalid(row.error, "criteria") from error
    if not values:
        row.error = _("Enter a value to compare with.")
        raise Invalid(row.error, "criteria")
    if row.op is Comparison.BETWEEN and not _is_span(values):
        row.error = _("Enter the smaller value first, then the larger one.")
        raise Invalid(row.error, "criteria")
    return Criterion(row.field, field, row.op, values if row.op in SEVERAL else values[0])


def _is_span(values: tuple[Scalar, ...]) -> bool:
    """Two values of one type, the smaller one first."""
    if len(values) != 2:
        return False
    low, high = values
    if isinstance(low, int) and isinstance(high, int):
        return low <= high
    return isinstance(low, str) and isinstance(high, str) and low <= high


def _raw_values(kind: FieldType, row: CriterionRow) -> list[str]:
    """A list of texts or sums is typed between commas (sums: semicolons); a list of things is chosen."""
    if row.op in LISTS and kind in (FieldType.TEXT, FieldType.TAGS):
        return [part for raw in row.values for part in raw.split(",")]
    if row.op in LISTS and kind in (FieldType.MONEY, FieldType.DATE, FieldType.NUMBER):
        return [part for raw in row.values for part in raw.split(";")]
    return row.values


def _typed(kind: FieldType, raw: str) -> Scalar:
    """Raises ValueError with a sentence."""
    raw = raw.strip()
    match kind:
        case FieldType.REFERENCE | FieldType.REFERENCES:
            id_ = read_id(raw)
            if id_ is None:
                raise ValueError(_("This choice no longer exists."))
            return id_
        case FieldType.MONEY:
            return parse_money(raw)
        case FieldType.NUMBER:
            return read_whole(raw)
        case FieldType.DATE:
            try:
                return date.fromisoformat(raw).isoformat()
            except ValueError:
                raise ValueError(_("Choose a day.")) from None
        case FieldType.TEXT | FieldType.TAGS:
            if len(raw) > MOST_TEXT:
                raise ValueError(_("This is too long: at most %(most)s characters.", most=MOST_TEXT))
            return one_line(raw)
        case _:
            assert_never(kind)
