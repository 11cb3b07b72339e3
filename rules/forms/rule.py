"""From a rule to the editor's state, and from the state the rule it says, typed."""

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from kanban import clock
from kanban.criteria import Group
from kanban.errors import Invalid
from kanban.fields import Catalogue, catalogue_of
from kanban.forms.criteria import criteria_of, sketched_criteria, take_criteria
from kanban.i18n import _
from kanban.ids import read_id
from rules.definition.actions import Action, ChangeKind, SendMessage
from rules.definition.channels import Channel
from rules.definition.content import RuleContent, RuleFields
from rules.definition.delay import Delay, DelayUnit
from rules.definition.message_action import ReplyTo, Sender
from rules.definition.recipients import (
    AddressRecipient,
    PersonRecipient,
    Recipient,
    RelatedRecipient,
    Relation,
    RoleRecipient,
    takes_addresses,
)
from rules.definition.triggers import Paid, Placed, Trigger
from rules.forms.change import typed_change, values_of
from rules.forms.editor import PLACES, ActionRow, EditorState
from rules.forms.trigger import shown_options, typed_trigger
from rules.post.addresses import clean

MOST_NAME = 120


def state_of(fields: RuleFields) -> EditorState:
    content = fields.content
    state = EditorState(
        content.board_id,
        name=fields.name,
        trigger=content.trigger.kind,
        status_id=content.status_id,
        actions=[_row_of_action(action) for action in content.actions],
        tell_actor=content.tell_actor,
        mode=_mode_of(fields),
        then_log=fields.log_only,
        until=_local(fields.paused_until),
        options=shown_options(content.trigger),
    )
    take_criteria(state, content.criteria)
    return state


def _row_of_action(action: Action) -> ActionRow:
    row = _row_of_message(action) if isinstance(action, SendMessage) else ActionRow("", kind=action.code, values=values_of(action))
    return dataclasses.replace(row, later=_shown_delay(action.delay) if action.delay else {})


def _shown_delay(delay: Delay) -> dict[str, str]:
    ticks = {name: "1" for name, is_on in (("ask_again", delay.ask_again), ("while_there", delay.while_there)) if is_on}
    return {"number": str(delay.number), "unit": delay.unit.value} | ticks


def _row_of_message(action: SendMessage) -> ActionRow:
    places = {"to": action.to, "cc": action.cc, "bcc": action.bcc}
    chosen = {place: [ticked(one) for one in found if not isinstance(one, AddressRecipient)] for place, found in places.items()}
    typed = {place: ", ".join(one.address for one in found if isinstance(one, AddressRecipient)) for place, found in places.items()}
    everyone = [ticked(one) for one, _copy in action.recipients if isinstance(one, RoleRecipient) and one.everyone]
    sender = action.sender.value if isinstance(action.sender, Sender) else f"account:{action.sender}"
    return ActionRow(
        str(action.template_id),
        chosen["to"],
        typed["to"],
        action.channel,
        sender,
        action.reply_to.value,
        cc=chosen["cc"],
        bcc=chosen["bcc"],
        cc_addresses=typed["cc"],
        bcc_addresses=typed["bcc"],
        many=everyone,
    )


def ticked(recipient: Recipient) -> str:
    """As its tick in the editor says it: «role:3», «person:5», «responsible»."""
    match recipient:
        case RoleRecipient():
            return f"role:{recipient.role_id}"
        case PersonRecipient():
            return f"person:{recipient.person_id}"
        case AddressRecipient() | RelatedRecipient():
            return recipient.kind
        case _:
            assert_never(recipient)


def rule_of(state: EditorState) -> RuleFields:
    """The rule that the state says, typed. Raises Invalid; the row at fault carries its error."""
    if not state.name:
        raise Invalid(_("Enter a name for the rule."), "name")
    if len(state.name) > MOST_NAME:
        raise Invalid(_("This is too long: at most %(most)s characters.", most=MOST_NAME), "name")
    catalogue = catalogue_of(state.board_id)
    criteria = criteria_of(state, catalogue)
    actions = [_typed_action(row, catalogue) for row in state.actions]
    for row, action in zip(state.actions, actions, strict=True):
        if isinstance(action, SendMessage) and not action.to:
            row.error = _("Choose who gets it, or remove this action.")
            raise Invalid(row.error, "to")
    trigger = typed_trigger(state.trigger, state.status_id, state.options, catalogue)
    fields = _fields(state, trigger, criteria, actions)
    return dataclasses.replace(fields, paused_until=_until(state) if state.mode == "paused" else None)


def _until(state: EditorState) -> datetime:
    try:
        typed = datetime.fromisoformat(state.until)
        at = clock.at(typed.date(), typed.time())
    except (ValueError, OverflowError):
        raise Invalid(_("Enter when the pause ends."), "until") from None
    if at <= clock.now():
        raise Invalid(_("The pause must end in the future."), "until")
    return at


def _fields(state: EditorState, trigger: Trigger, criteria: Group, actions: list[Action]) -> RuleFields:
    content = RuleContent(state.board_id, trigger, criteria, tuple(actions), state.tell_actor)
    log_only = state.mode == "log" or (state.mode == "paused" and state.then_log)
    return RuleFields(state.name, content, state.mode != "draft", log_only)


def sketch_of(state: EditorState) -> RuleFields:
    """As much of the rule as can be read, for the sentence above a form that is still being filled in."""
    catalogue = catalogue_of(state.board_id)
    actions: list[Action] = []
    for action_row in state.actions:
        try:
            actions.append(_typed_action(action_row, catalogue))
        except Invalid:
            continue
    return _fields(state, _sketched_trigger(state, catalogue), sketched_criteria(state, catalogue), actions)


def _sketched_trigger(state: EditorState, catalogue: Catalogue) -> Trigger:
    """Where its options can't be read: with those it has at first."""
    for options in (state.options, state.options | {"unit": "days"}):
        try:
            return typed_trigger(state.trigger, state.status_id, options, catalogue)
        except Invalid:
            continue
    return Paid(sum=0) if state.trigger == Paid.kind else Placed()


def _typed_action(row: ActionRow, catalogue: Catalogue) -> Action:
    action: Action = typed_change(ChangeKind(row.kind), row.values, catalogue) if row.is_change else _typed_message(row)
    return dataclasses.replace(action, delay=_typed_delay(row.later))


def _typed_delay(later: Mapping[str, str]) -> Delay | None:
    """None without a number: the action doesn't wait."""
    if not later.get("number"):
        return None
    number = int(later["number"]) if re.fullmatch("[0-9]{1,5}", later["number"]) else 0
    unit = later.get("unit") or "hours"
    if unit not in tuple(DelayUnit):
        raise Invalid(_("Enter how long the action waits: a number of minutes, hours or days."), "actions")
    return Delay(number, DelayUnit(unit), later.get("ask_again") == "1", later.get("while_there") == "1")


def _typed_message(row: ActionRow) -> SendMessage:
    template_id = read_id(row.template)
    if template_id is None:
        raise Invalid(_("Choose a message template."), "template")
    to, cc, bcc = (_typed_recipients(row, place) for place in PLACES)
    channel = Channel(row.kind)
    if channel is not Channel.EMAIL:
        return SendMessage(channel, template_id, to, cc, bcc)
    if row.reply_to not in tuple(ReplyTo):
        raise Invalid(_("This choice no longer exists."), "from")
    return SendMessage(channel, template_id, to, cc, bcc, _typed_sender(row.from_), ReplyTo(row.reply_to))


def _typed_sender(text: str) -> Sender | int:
    kind, _colon, number = text.partition(":")
    account_id = read_id(number) if kind == "account" else None
    if account_id is None and text not in tuple(Sender):
        raise Invalid(_("This choice no longer exists."), "from")
    return account_id if account_id is not None else Sender(text)


def _typed_recipients(row: ActionRow, place: str) -> tuple[Recipient, ...]:
    found = [_typed_recipient(text, everyone=text in row.many) for text in row.chosen(place)]
    channel = Channel(row.kind)
    if not takes_addresses(channel):
        return tuple(found)
    addresses = [address for address in row.typed(place).replace(";", ",").split(",") if address.strip()]
    return (*found, *(AddressRecipient(clean(address, channel)) for address in addresses))


def _typed_recipient(text: str, *, everyone: bool) -> Recipient:
    kind, _colon, number = text.partition(":")
    id_ = read_id(number)
    if kind in tuple(Relation):
        return RelatedRecipient(Relation(kind))
    if id_ is None or kind not in ("role", "person"):
        raise Invalid(_("This choice no longer exists."), "to")
    return RoleRecipient(id_, everyone) if kind == "role" else PersonRecipient(id_)


def _mode_of(fields: RuleFields) -> str:
    if not fields.active:
        return "draft"
    if fields.paused_until is not None and fields.paused_until > clock.now():
        return "paused"
    return "log" if fields.log_only else "on"


def _local(at: datetime | None) -> str:
    """As a field of type datetime-local has it."""
    return f"{clock.local(at):%Y-%m-%dT%H:%M}" if at is not None and at > clock.now() else ""
