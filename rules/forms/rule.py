"""From a rule to the editor's state, and from the state the rule it says, typed."""

import dataclasses
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from kanban import clock, i18n
from kanban.criteria import ALWAYS, DAYS, LISTS
from kanban.errors import Invalid
from kanban.facts import find_field
from kanban.forms.fields import one_line, parse_money
from kanban.i18n import _
from kanban.ids import read_id
from rules.actions import addressed, channel_of, recipient, send
from rules.evaluator import WITH_STATUS
from rules.fields import RuleFields
from rules.forms.change import typed_change, values_of
from rules.forms.editor import PLACES, ROOT, ActionRow, CriterionRow, EditorState, GroupRow
from rules.forms.trigger import shown_options, typed_options
from rules.running.changes import CHANGES
from rules.running.senders import REPLY_TO, account_id
from rules.sense import CLEAN


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
    for row, action in zip(state.actions, actions, strict=True):
        if not action.get("to", True):
            row.error = _("Choose who gets it, or drop this action.")
            raise Invalid(row.error, "to")
    fields = draft_of(state, _tree(state, nodes), actions, typed_options(state.trigger, state.options))
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


def draft_of(state: EditorState, nodes: list[dict[str, Any]], actions: list[dict[str, Any]], options: dict[str, Any]) -> RuleFields:
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
        options,
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
    try:
        options = typed_options(state.trigger, state.options)
    except Invalid:
        options = {"sum": 0}  # no other start has anything that can be typed wrongly
    return draft_of(state, _tree(state, nodes), actions, options)


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
    return found + ([recipient("address", address=clean(address)) for address in addresses] if clean else [])


def _mode_of(fields: RuleFields) -> str:
    if not fields.active:
        return "draft"
    if fields.paused_until is not None and fields.paused_until > clock.now():
        return "paused"
    return "log" if fields.log_only else "on"


def _local(at: datetime | None) -> str:
    """As a field of type datetime-local has it."""
    return f"{clock.local(at):%Y-%m-%dT%H:%M}" if at is not None and at > clock.now() else ""
