"""The rule editor's state: what stands in its fields, and what its buttons ask for."""

import dataclasses
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from kanban.fields import catalogue_of
from kanban.forms.criteria import CriteriaState, do_wish, numbers, read_rows, read_wish
from kanban.forms.fields import one_line
from kanban.ids import read_id
from rules.definition.actions import ChangeKind
from rules.definition.channels import Channel
from rules.definition.triggers import TriggerKind
from rules.forms.change import CHANGE_VALUES
from rules.forms.trigger import read_options
from rules.models import MODES

PLACES = ("to", "cc", "bcc")


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
class EditorState(CriteriaState):
    """mode: one of rules.models.MODES. until, then_log: of a pause, until when and whether only the log is written after it."""

    name: str = ""
    trigger: TriggerKind = TriggerKind.ENTERED
    status_id: int | None = None
    actions: list[ActionRow] = dataclasses.field(default_factory=list)
    tell_actor: bool = False
    mode: str = "on"
    then_log: bool = False
    until: str = ""
    options: dict[str, str] = dataclasses.field(default_factory=dict)


def read_state(form: MultiDict[str, str]) -> EditorState:
    """The state of a posted form."""
    state = EditorState(
        name=one_line(form.get("name", "")) or "",
        board_id=read_id(form.get("board_id")) or 0,
        trigger=TriggerKind(form["trigger"]) if form.get("trigger") in tuple(TriggerKind) else TriggerKind.ENTERED,
        status_id=read_id(form.get("status_id")),
        tell_actor=form.get("tell_actor") == "1",
        mode=_mode(form),
        then_log=form.get("then") == "log",
        until=form.get("until", "")[:20],
        options=read_options(form),
    )
    read_rows(state, form, catalogue_of(state.board_id))
    for number in sorted({*numbers(form, "template-"), *numbers(form, "channel-")}):
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


def _many(form: MultiDict[str, str], number: int) -> list[str]:
    """Roles of this action of which all are told: those that its question, or the one beside the rule, was answered for."""
    chosen = {one for place in PLACES for one in form.getlist(f"{place}-{number}")}
    said = form.getlist(f"many-{number}") + form.getlist("many-any")
    return [one for one in dict.fromkeys(said) if one in chosen]


def _mode(form: MultiDict[str, str]) -> str:
    mode = form.get("mode", "on" if form.get("active") == "1" else "draft")
    return mode if mode in MODES else "draft"


def _do(state: EditorState, wish: str) -> None:
    """What a button of the editor asks for: another row, or one less."""
    verb, number = read_wish(wish)
    if verb == "add-action":
        state.actions.append(ActionRow(""))
    elif verb == "drop-action" and 0 <= number < len(state.actions):
        del state.actions[number]
    else:
        do_wish(state, wish)
