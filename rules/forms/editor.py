"""The rule editor's state: what stands in its fields, and what its buttons ask for."""

import dataclasses
import re
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from kanban.criteria import Comparison, GroupKind, comparisons
from kanban.fields import catalogue_of
from kanban.forms.fields import one_line
from kanban.ids import read_id
from rules.definition.actions import ChangeKind
from rules.definition.channels import Channel
from rules.definition.triggers import TriggerKind
from rules.editing.validation import MOST_GROUPS, MOST_NESTED, MOST_ROWS
from rules.forms.change import CHANGE_VALUES
from rules.forms.trigger import read_options
from rules.models import MODES

ROOT = 0  # the number of the outermost group
PLACES = ("to", "cc", "bcc")


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
class ActionRow:
    """kind: the channel of a message, or what a change does. to, cc, bcc: «role:3», «person:5», «responsible»…; addresses:
    other addresses of the channel, as typed, and those of copies; many: roles of which
    all are told however many there are; from_, reply_to: see rules.definition.message_action. values: of a change, as typed."""

    template: str
    to: list[str] = dataclasses.field(default_factory=list)
    addresses: str = ""
    kind: str = "email"
    from_: str = ""
    reply_to: str = ""
    values: dict[str, str] = dataclasses.field(default_factory=dict)
    later: dict[str, str] = dataclasses.field(default_factory=dict)
    cc: list[str] = dataclasses.field(default_factory=list)
    bcc: list[str] = dataclasses.field(default_factory=list)
    cc_addresses: str = ""
    bcc_addresses: str = ""
    many: list[str] = dataclasses.field(default_factory=list)
    error: str = ""

    @property
    def has_copies(self) -> bool:
        return bool(self.cc or self.bcc or self.cc_addresses or self.bcc_addresses)

    def chosen(self, place: str) -> list[str]:
        """place: to, cc or bcc"""
        chosen: list[str] = getattr(self, place)
        return chosen

    def typed(self, place: str) -> str:
        """Other addresses, between commas."""
        return {"to": self.addresses, "cc": self.cc_addresses, "bcc": self.bcc_addresses}[place]

    @property
    def is_change(self) -> bool:
        return self.kind in tuple(ChangeKind)

    def names_people(self, place: str) -> bool:
        return any(one.startswith("person:") for one in self.chosen(place))


@dataclass
class EditorState:
    """mode: one of rules.models.MODES. until, then_log: of a pause, until when and whether only the log is written after it."""

    name: str = ""
    board_id: int = 0
    trigger: TriggerKind = TriggerKind.ENTERED
    status_id: int | None = None
    group: GroupKind = GroupKind.ALL
    criteria: list[CriterionRow] = dataclasses.field(default_factory=list)
    actions: list[ActionRow] = dataclasses.field(default_factory=list)
    tell_actor: bool = False
    mode: str = "on"
    then_log: bool = False
    until: str = ""
    options: dict[str, str] = dataclasses.field(default_factory=dict)
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


def read_state(form: MultiDict[str, str]) -> EditorState:
    """The state of a posted form; rows are numbered, gaps are fine."""
    state = EditorState(
        name=one_line(form.get("name", "")) or "",
        board_id=read_id(form.get("board_id")) or 0,
        trigger=TriggerKind(form["trigger"]) if form.get("trigger") in tuple(TriggerKind) else TriggerKind.ENTERED,
        status_id=read_id(form.get("status_id")),
        group=_group(form.get("group")),
        tell_actor=form.get("tell_actor") == "1",
        mode=_mode(form),
        then_log=form.get("then") == "log",
        until=form.get("until", "")[:20],
        options=read_options(form),
    )
    for number in _numbers(form, "group-")[:MOST_GROUPS]:
        _read_group(state, number, form)
    known_groups = {ROOT, *(group.number for group in state.groups)}
    catalogue = catalogue_of(state.board_id)
    for number in _numbers(form, "field-"):
        field = catalogue.criterion(form[f"field-{number}"])
        if field is not None:
            known = comparisons(field.type)
            typed = form.get(f"op-{number}")
            row = CriterionRow(field.name, Comparison(typed) if typed in known else known[0], form.getlist(f"value-{number}"))
            inside = read_id(form.get(f"in-{number}")) or ROOT
            state.criteria.append(dataclasses.replace(row, inside=inside if inside in known_groups else ROOT))
    for number in sorted({*_numbers(form, "template-"), *_numbers(form, "channel-")}):
        kind = form.get(f"channel-{number}", "email")
        state.actions.append(
            ActionRow(
                form.get(f"template-{number}", ""),
                form.getlist(f"to-{number}"),
                form.get(f"addresses-{number}", ""),
                kind if kind in (*Channel, *ChangeKind) else "email",
                form.get(f"from-{number}", ""),
                form.get(f"reply_to-{number}", ""),
                {name: form.get(f"{name}-{number}", "") for name in CHANGE_VALUES},
                {name: form.get(f"later-{name}-{number}", "") for name in ("number", "unit", "ask_again", "while_there")},
                form.getlist(f"cc-{number}"),
                form.getlist(f"bcc-{number}"),
                form.get(f"cc-addresses-{number}", ""),
                form.get(f"bcc-addresses-{number}", ""),
                _many(form, number),
            )
        )
    _do(state, form.get("do", ""))
    return state


def _group(text: str | None) -> GroupKind:
    return GroupKind.ANY if text == "any" else GroupKind.ALL


def _many(form: MultiDict[str, str], number: int) -> list[str]:
    """Roles of this action of which all are told: those that its question, or the one beside the rule, was answered for."""
    chosen = {one for place in PLACES for one in form.getlist(f"{place}-{number}")}
    said = form.getlist(f"many-{number}") + form.getlist("many-any")
    return [one for one in dict.fromkeys(said) if one in chosen]


def _read_group(state: EditorState, number: int, form: MultiDict[str, str]) -> None:
    """A parent has a smaller number, so groups never stand within each other in a ring."""
    parent = read_id(form.get(f"parent-{number}")) or ROOT
    is_known = parent in {one.number for one in state.groups} and state.depth_of(parent) < MOST_NESTED
    if number != ROOT:
        state.groups.append(
            GroupRow(number, GroupKind.ALL if form[f"group-{number}"] == "all" else GroupKind.ANY, parent if is_known else ROOT)
        )


def _mode(form: MultiDict[str, str]) -> str:
    mode = form.get("mode", "on" if form.get("active") == "1" else "draft")
    return mode if mode in MODES else "draft"


def _numbers(form: MultiDict[str, str], prefix: str) -> list[int]:
    rows = (re.fullmatch(re.escape(prefix) + "([0-9]{1,4})", name) for name in form)
    return sorted({int(row[1]) for row in rows if row})[:MOST_ROWS]


def _do(state: EditorState, wish: str) -> None:
    """What a button of the editor asks for: another row, or one less."""
    verb, _colon, number = wish.partition(":")
    place = int(number) if re.fullmatch("[0-9]{1,4}", number) else -1
    groups = {ROOT, *(one.number for one in state.groups)}
    if verb == "add-criterion":
        state.criteria.append(CriterionRow("total", Comparison.MORE, [""], inside=place if place in groups else ROOT))
    elif verb == "add-group" and place in groups and state.may_nest(place):
        made = GroupRow(max(groups) + 1, _other(_kind_of(state, place)), place)
        state.groups.append(made)
        state.criteria.append(CriterionRow("total", Comparison.MORE, [""], inside=made.number))
    elif verb == "drop-group" and place in groups - {ROOT}:
        _drop_group(state, place)
    elif verb == "drop-criterion" and 0 <= place < len(state.criteria):
        del state.criteria[place]
    elif verb == "tick-all" and 0 <= place < len(state.criteria):
        state.ticks_all_of = state.criteria[place]
    elif verb == "add-action":
        state.actions.append(ActionRow(""))
    elif verb == "drop-action" and 0 <= place < len(state.actions):
        del state.actions[place]


def _other(kind: GroupKind) -> GroupKind:
    return GroupKind.ALL if kind is GroupKind.ANY else GroupKind.ANY


def _kind_of(state: EditorState, number: int) -> GroupKind:
    return next((one.group for one in state.groups if one.number == number), state.group)


def _drop_group(state: EditorState, number: int) -> None:
    """With all that stands in it."""
    gone = {number}
    for one in state.groups:  # a parent comes before its children
        if one.parent in gone:
            gone.add(one.number)
    state.groups = [one for one in state.groups if one.number not in gone]
    state.criteria = [row for row in state.criteria if row.inside not in gone]
