"""The rule editor's state: what stands in its fields, from a rule or from a form, and the rule it says."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from werkzeug.datastructures import MultiDict

from kanban import clock, i18n
from kanban.criteria import ALWAYS, DAYS, LISTS, comparisons
from kanban.errors import Invalid
from kanban.facts import find_field
from kanban.forms.fields import one_line, parse_money
from kanban.i18n import _
from kanban.ids import read_id
from kanban.people import clean_chat, clean_email, clean_phone
from rules.actions import COPIES, addressed, channel_of, recipient, send
from rules.evaluator import WITH_STATUS
from rules.fields import RuleFields
from rules.forms.change import CHANGE_VALUES, typed_change, values_of
from rules.forms.trigger import read_options, shown_options, typed_options
from rules.models import CHANNELS, MODES, TRIGGERS
from rules.running.changes import CHANGES
from rules.running.senders import REPLY_TO, account_id

MOST_ROWS = 30
MOST_GROUPS, MOST_NESTED = 10, 3
ROOT = 0  # the number of the outermost group
PLACES = ("to", *COPIES)
CLEAN = {"email": clean_email, "sms": clean_phone, "chat": clean_chat}


@dataclass
class CriterionRow:
    """values: what stands in the row's value fields, as typed. inside: the number of its group."""

    field: str
    op: str
    values: list[str] = dataclasses.field(default_factory=list)
    error: str = ""
    inside: int = ROOT


@dataclass
class GroupRow:
    """A group within the criteria; a group within a group names its parent."""

    number: int
    group: str = "any"
    parent: int = ROOT


@dataclass
class ActionRow:
    """channel: of a message, or what a change does (rules.running.changes). to, cc, bcc: «role:3», «person:5», «responsible»…; addresses:
    other addresses of the channel, as typed, and those of copies; many: roles of which
    all are told however many there are; from_, reply_to: see rules.running.senders. values: of a change, as typed."""

    template: str
    to: list[str] = dataclasses.field(default_factory=list)
    addresses: str = ""
    channel: str = "email"
    from_: str = ""
    reply_to: str = ""
    values: dict[str, str] = dataclasses.field(default_factory=dict)
    later: dict[str, str] = dataclasses.field(default_factory=dict)
    cc: list[str] = dataclasses.field(default_factory=list)
    bcc: list[str] = dataclasses.field(default_factory=list)
    cc_addresses: str = ""
    bcc_addresses: str = ""
    many: list[str] = dataclasses.field(default_factory=list)

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
        return self.channel in CHANGES

    def names_people(self, place: str) -> bool:
        return any(one.startswith("person:") for one in self.chosen(place))


@dataclass
class EditorState:
    """mode: one of rules.models.MODES. until, then_log: of a pause, until when and whether only the log is written after it."""

    name: str = ""
    board_id: int = 0
    trigger: str = "entered"
    status_id: int | None = None
    group: str = "all"
    criteria: list[CriterionRow] = dataclasses.field(default_factory=list)
    actions: list[ActionRow] = dataclasses.field(default_factory=list)
    tell_actor: bool = False
    mode: str = "on"
    then_log: bool = False
    until: str = ""
    options: dict[str, str] = dataclasses.field(default_factory=dict)
    groups: list[GroupRow] = dataclasses.field(default_factory=list)

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
        name=one_line(form.get("name", "")) or "", board_id=read_id(form.get("board_id")) or 0,
        trigger=form.get("trigger", "") if form.get("trigger") in TRIGGERS else "entered",
        status_id=read_id(form.get("status_id")), group="any" if form.get("group") == "any" else "all",
        tell_actor=form.get("tell_actor") == "1", mode=_mode(form), then_log=form.get("then") == "log", until=form.get("until", "")[:20],
        options=read_options(form),
    )  # fmt: skip
    for number in _numbers(form, "group-")[:MOST_GROUPS]:
        _read_group(state, number, form)
    known_groups = {ROOT, *(one.number for one in state.groups)}
    for number in _numbers(form, "field-"):
        name = form[f"field-{number}"]
        field = find_field(name)
        if field is not None:
            known = comparisons(field.kind)
            op = form.get(f"op-{number}", known[0])
            state.criteria.append(CriterionRow(name, op if op in known else known[0], form.getlist(f"value-{number}")))
            inside = read_id(form.get(f"in-{number}")) or ROOT
            state.criteria[-1].inside = inside if inside in known_groups else ROOT
    for number in sorted({*_numbers(form, "template-"), *_numbers(form, "channel-")}):
        channel = form.get(f"channel-{number}", "email")
        state.actions.append(
            ActionRow(
                form.get(f"template-{number}", ""), form.getlist(f"to-{number}"), form.get(f"addresses-{number}", ""),
                channel if channel in CHANNELS or channel in CHANGES else "email",
                form.get(f"from-{number}", ""), form.get(f"reply_to-{number}", ""),
                {name: form.get(f"{name}-{number}", "") for name in CHANGE_VALUES},
                {name: form.get(f"later-{name}-{number}", "") for name in ("number", "unit", "ask_again", "while_there")},
                form.getlist(f"cc-{number}"), form.getlist(f"bcc-{number}"), form.get(f"cc-addresses-{number}", ""),
                form.get(f"bcc-addresses-{number}", ""), form.getlist(f"many-{number}"),
            )
        )  # fmt: skip
    _do(state, form.get("do", ""))
    return state


def _read_group(state: EditorState, number: int, form: MultiDict[str, str]) -> None:
    """A parent has a smaller number, so groups never stand within each other in a ring."""
    parent = read_id(form.get(f"parent-{number}")) or ROOT
    is_known = parent in {one.number for one in state.groups} and state.depth_of(parent) < MOST_NESTED
    if number != ROOT:
        state.groups.append(GroupRow(number, "all" if form[f"group-{number}"] == "all" else "any", parent if is_known else ROOT))


def _mode(form: MultiDict[str, str]) -> str:
    mode = form.get("mode", "on" if form.get("active") == "1" else "draft")
    return mode if mode in MODES else "draft"


def _mode_of(fields: RuleFields) -> str:
    if not fields.active:
        return "draft"
    if fields.paused_until is not None and fields.paused_until > clock.now():
        return "paused"
    return "log" if fields.log_only else "on"


def _local(at: datetime | None) -> str:
    """As a field of type datetime-local has it."""
    return f"{clock.local(at):%Y-%m-%dT%H:%M}" if at is not None and at > clock.now() else ""


def _numbers(form: MultiDict[str, str], prefix: str) -> list[int]:
    rows = (re.fullmatch(re.escape(prefix) + "([0-9]{1,4})", name) for name in form)
    return sorted({int(row[1]) for row in rows if row})[:MOST_ROWS]


def _do(state: EditorState, wish: str) -> None:
    """What a button of the editor asks for: another row, or one less."""
    verb, _colon, number = wish.partition(":")
    place = int(number) if re.fullmatch("[0-9]{1,4}", number) else -1
    groups = {ROOT, *(one.number for one in state.groups)}
    if verb == "add-criterion":
        state.criteria.append(CriterionRow("total", "more", [""], inside=place if place in groups else ROOT))
    elif verb == "add-group" and place in groups and state.may_nest(place):
        made = GroupRow(max(groups) + 1, "all" if _kind_of(state, place) == "any" else "any", place)
        state.groups.append(made)
        state.criteria.append(CriterionRow("total", "more", [""], inside=made.number))
    elif verb == "drop-group" and place in groups - {ROOT}:
        _drop_group(state, place)
    elif verb == "drop-criterion" and 0 <= place < len(state.criteria):
        del state.criteria[place]
    elif verb == "add-action":
        state.actions.append(ActionRow(""))
    elif verb == "drop-action" and 0 <= place < len(state.actions):
        del state.actions[place]


def _kind_of(state: EditorState, number: int) -> str:
    return next((one.group for one in state.groups if one.number == number), state.group)


def _drop_group(state: EditorState, number: int) -> None:
    """With all that stands in it."""
    gone = {number}
    for one in state.groups:  # a parent comes before its children
        if one.parent in gone:
            gone.add(one.number)
    state.groups = [one for one in state.groups if one.number not in gone]
    state.criteria = [row for row in state.criteria if row.inside not in gone]


def state_of(fields: RuleFields) -> EditorState:
    group = "any" if "any" in fields.criteria else "all"
    state = EditorState(
        fields.name, fields.board_id, fields.trigger, fields.status_id, group, [],
        [_later_action_of(action) for action in fields.actions], fields.tell_actor, _mode_of(fields), fields.log_only,
        _local(fields.paused_until), shown_options(fields.options),
    )  # fmt: skip
    _take_group(state, fields.criteria.get(group, []), ROOT)
    return state


def _take_group(state: EditorState, nodes: list[Any], number: int) -> None:
    """A group's criteria come before the groups within it."""
    state.criteria += [dataclasses.replace(_row_of(node), inside=number) for node in nodes if "field" in node]
    for node in nodes:
        kind = next((kind for kind in ("all", "any") if kind in node), None)
        if kind is not None and "field" not in node:
            made = GroupRow(len(state.groups) + 1, kind, number)
            state.groups.append(made)
            _take_group(state, node[kind], made.number)


def _row_of(node: Mapping[str, Any]) -> CriterionRow:
    field = find_field(node["field"])
    kind = field.kind if field else "text"
    value = node.get("value")
    values = value if isinstance(value, list) else [] if value is None else [value]
    shown = [i18n.money(one) if kind == "money" else str(one) for one in values]
    if kind in ("text", "tags") and node["op"] in LISTS:
        shown = [", ".join(shown)]
    return CriterionRow(node["field"], node["op"], shown)


def _action_of(action: Mapping[str, Any]) -> ActionRow:
    if action["do"] in CHANGES:
        return ActionRow("", channel=action["do"], values=values_of(action))
    chosen = {place: [_ticked(one) for one in action.get(place, []) if one["kind"] != "address"] for place in PLACES}
    typed = {place: ", ".join(one["address"] for one in action.get(place, []) if one["kind"] == "address") for place in PLACES}
    return ActionRow(
        str(action["template"]), chosen["to"], typed["to"], channel_of(action), action.get("from", ""), action.get("reply_to", ""),
        cc=chosen["cc"], bcc=chosen["bcc"], cc_addresses=typed["cc"], bcc_addresses=typed["bcc"],
        many=[_ticked(one) for one in addressed(action) if one.get("many")],
    )  # fmt: skip


def _ticked(one: Mapping[str, Any]) -> str:
    return f"{one['kind']}:{one['id']}" if "id" in one else str(one["kind"])


def _later_action_of(action: Mapping[str, Any]) -> ActionRow:
    after = action.get("after", {})
    shown = {name: "1" if value is True else str(value) for name, value in after.items() if value}
    return dataclasses.replace(_action_of(action), later=shown)


def _with_later(action: dict[str, Any], later: Mapping[str, str]) -> dict[str, Any]:
    """An action that waits; without a number it doesn't."""
    if not later.get("number"):
        return action
    number = int(later["number"]) if re.fullmatch("[0-9]{1,5}", later["number"]) else 0
    ticks = {name: True for name in ("ask_again", "while_there") if later.get(name) == "1"}
    return action | {"after": {"number": number, "unit": later.get("unit") or "hours"} | ticks}


def rule_of(state: EditorState) -> RuleFields:
    """The rule that the state says, typed. Raises Invalid; the row at fault carries its error."""
    if not state.name:
        raise Invalid(_("Give the rule a name."), "name")
    if len(state.name) > 120:
        raise Invalid(_("This is too long: at most %(most)s characters.", most=120), "name")
    nodes = [(row.inside, _typed_row(row)) for row in state.criteria]
    actions = [_typed_action(row) for row in state.actions]
    fields = draft_of(state, _tree(state, nodes), [action for action in actions if action.get("to", True)])
    return dataclasses.replace(fields, paused_until=_until(state) if state.mode == "paused" else None)


def _until(state: EditorState) -> datetime:
    try:
        typed = datetime.fromisoformat(state.until)
        at = clock.at(typed.date(), typed.time())
    except (ValueError, OverflowError):
        raise Invalid(_("Say until when the rule is paused."), "until") from None
    if at <= clock.now():
        raise Invalid(_("The pause has to end in the future."), "until")
    return at


def draft_of(state: EditorState, nodes: list[dict[str, Any]], actions: list[dict[str, Any]]) -> RuleFields:
    status_id = state.status_id if state.trigger in WITH_STATUS else None
    return RuleFields(
        state.name,
        state.board_id,
        state.trigger,
        status_id,
        {state.group if nodes else "all": nodes},
        actions,
        state.tell_actor,
        state.mode != "draft",
        typed_options(state.trigger, state.options),
        state.mode == "log" or (state.mode == "paused" and state.then_log),
    )


def sketch_of(state: EditorState) -> RuleFields:
    """As much of the rule as can be read, for the sentence above a form that is still being filled in."""
    nodes, actions = [], []
    for row in state.criteria:
        try:
            nodes.append((row.inside, _typed_row(row)))
        except Invalid:
            row.error = ""
    for one in state.actions:
        try:
            actions.append(_typed_action(one))
        except Invalid:
            continue
    return draft_of(state, _tree(state, nodes), actions)


def _tree(state: EditorState, nodes: list[tuple[int, dict[str, Any]]], number: int = ROOT) -> list[dict[str, Any]]:
    """What stands in a group; empty groups are left out."""
    found = [node for inside, node in nodes if inside == number]
    for one in state.groups:
        if one.parent == number:
            parts = _tree(state, nodes, one.number)
            found += [{one.group: parts}] if parts else []
    return found


def _typed_row(row: CriterionRow) -> dict[str, Any]:
    node: dict[str, Any] = {"field": row.field, "op": row.op}
    if row.op in ALWAYS:
        return node
    field = find_field(row.field)
    kind = "number" if row.op in DAYS else field.kind if field else "text"
    try:
        values = [_typed(kind, raw) for raw in _raw_values(kind, row) if raw.strip()]
    except ValueError as error:
        row.error = str(error) or _("This value can't be used here.")
        raise Invalid(row.error, "criteria") from error
    if not values:
        row.error = _("Give a value to compare with.")
        raise Invalid(row.error, "criteria")
    if row.op == "between":
        if len(values) != 2 or values[0] > values[1]:
            row.error = _("Give the smaller value first, then the greater one.")
            raise Invalid(row.error, "criteria")
        return node | {"value": values}
    return node | {"value": values if row.op in LISTS else values[0]}


def _raw_values(kind: str, row: CriterionRow) -> list[str]:
    """A list of texts or sums is typed between commas (sums: semicolons); a list of things is chosen."""
    if row.op in LISTS and kind in ("text", "tags"):
        return [part for raw in row.values for part in raw.split(",")]
    if row.op in LISTS and kind in ("money", "date", "number"):
        return [part for raw in row.values for part in raw.split(";")]
    return row.values


def _typed(kind: str, raw: str) -> Any:
    raw = raw.strip()
    if kind in ("reference", "references"):
        id_ = read_id(raw)
        if id_ is None:
            raise ValueError(_("This choice no longer exists."))
        return id_
    if kind == "money":
        return parse_money(raw)
    if kind == "number":
        if not re.fullmatch("[0-9]{1,6}", raw):
            raise ValueError(_("Write a whole number."))
        return int(raw)
    if kind == "date":
        try:
            return date.fromisoformat(raw).isoformat()
        except ValueError:
            raise ValueError(_("Choose a day.")) from None
    if len(raw) > 200:
        raise ValueError(_("This is too long: at most %(most)s characters.", most=200))
    return one_line(raw)


def _typed_action(row: ActionRow) -> dict[str, Any]:
    return _with_later(typed_change(row.channel, row.values) if row.is_change else _typed_send(row), row.later)


def _typed_send(row: ActionRow) -> dict[str, Any]:
    template_id = read_id(row.template)
    if template_id is None:
        raise Invalid(_("Choose a message template."), "template")
    if row.reply_to not in REPLY_TO or (row.from_ not in ("", "responsible") and account_id(row.from_) is None):
        raise Invalid(_("This choice no longer exists."), "from")
    to, cc, bcc = (_typed_recipients(row, place) for place in PLACES)
    return send(row.channel, template_id, to, row.from_, row.reply_to, cc, bcc)


def _typed_recipients(row: ActionRow, place: str) -> list[dict[str, Any]]:
    found = []
    for one in row.chosen(place):
        kind, _colon, number = one.partition(":")
        try:
            found.append(recipient(kind, read_id(number), many=one in row.many))
        except ValueError:
            raise Invalid(_("This choice no longer exists."), "to") from None
    clean = CLEAN.get(row.channel)
    addresses = [address for address in row.typed(place).replace(";", ",").split(",") if address.strip()] if clean else []
    return found + ([recipient("address", address=clean(address)) for address in addresses[:20]] if clean else [])
