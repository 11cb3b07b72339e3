"""What a message carries beside its text: what its HTML shows, who stands in To and Cc, and why its recipient got it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from kanban.json_reader import JsonObject
from rules.definition.message_action import Copy


class ChosenAs(StrEnum):
    """Why somebody got a message. The last ones are of messages that no rule wrote."""

    ROLE = "role"
    PERSON = "person"
    ADDRESS = "address"
    RESPONSIBLE = "responsible"
    PREVIOUS = "previous"
    AUTHOR = "author"
    MOVER = "mover"
    CUSTOMER = "customer"
    LIST = "list"
    TRIAL = "trial"
    TEST = "test"
    RESET = "reset"
    INVITATION = "invitation"
    SECURITY = "security"


@dataclass(frozen=True)
class Chosen:
    """role: its name, of a role. filled: they fill it on the order. responsible: they stand for it as the order's responsible.

    rule, orders: of a list, its name and how many orders it is about.
    """

    kind: ChosenAs
    role: str = ""
    filled: bool = False
    responsible: bool = False
    copy: Copy | None = None
    rule: str = ""
    orders: int = 0

    def to_json(self) -> JsonObject:
        made: JsonObject = {"kind": self.kind.value}
        if self.kind is ChosenAs.ROLE:
            made |= {"role": self.role, "filled": self.filled}
        made |= {"responsible": True} if self.responsible else {}
        made |= {"rule": self.rule, "orders": self.orders} if self.kind is ChosenAs.LIST else {}
        return made | ({"copy": self.copy.value} if self.copy else {})


def _read_chosen(raw: object) -> Chosen | None:
    if not isinstance(raw, Mapping) or raw.get("kind") not in tuple(ChosenAs):
        return None
    copy, orders = raw.get("copy"), raw.get("orders")
    return Chosen(
        ChosenAs(raw["kind"]),
        str(raw.get("role", "")),
        bool(raw.get("filled")),
        bool(raw.get("responsible")),
        Copy(copy) if copy in tuple(Copy) else None,
        str(raw.get("rule", "")),
        orders if isinstance(orders, int) else 0,
    )


class Head(NamedTuple):
    """Who stands in To or Cc. whose: the person's id, or the kind of another recipient; None where an earlier version wrote it."""

    name: str
    address: str
    whose: int | str | None


def _read_heads(raw: object) -> tuple[Head, ...] | None:
    if not isinstance(raw, list):
        return None
    return tuple([Head(*[*head, None][:3]) for head in raw if isinstance(head, list) and len(head) > 1])


class StatusMark(NamedTuple):
    name: str
    tone: str


def _read_mark(raw: object) -> StatusMark | None:
    return StatusMark(str(raw.get("name", "")), str(raw.get("tone", "slate"))) if isinstance(raw, Mapping) else None


def _mark_json(mark: StatusMark | None) -> JsonObject | None:
    return None if mark is None else {"name": mark.name, "tone": mark.tone}


@dataclass(frozen=True)
class Layout:
    """firm: whose message it is. order_id: that it leads to; url: where else it leads. before, after: the statuses of a move.

    to, cc: where it isn't simply whom it goes to. reply_to_id: whose address answers go to. orders: of a list, the order that each line
    leads to, None for none.
    """

    firm: str = ""
    order_id: int | None = None
    url: str = ""
    before: StatusMark | None = None
    after: StatusMark | None = None
    chosen: Chosen | None = None
    to: tuple[Head, ...] | None = None
    cc: tuple[Head, ...] | None = None
    reply_to_id: int | None = None
    orders: tuple[int | None, ...] | None = None

    @property
    def is_hidden(self) -> bool:
        """Whether it is of a hidden copy: only administrators see that there is one."""
        return self.chosen is not None and self.chosen.copy is Copy.BCC

    @property
    def heads(self) -> tuple[Head, ...]:
        return (*(self.to or ()), *(self.cc or ()))

    @property
    def kept(self) -> "Layout":
        """What is kept once the words of a message are not: it says who may see that there was one."""
        return Layout(chosen=self.chosen)

    def as_trial(self) -> "Layout":
        return replace(self, to=None, cc=None, chosen=Chosen(ChosenAs.TRIAL))

    def to_json(self) -> JsonObject:
        made: JsonObject = {
            "firm": self.firm,
            "order_id": self.order_id,
            "url": self.url,
            "before": _mark_json(self.before),
            "after": _mark_json(self.after),
            "why": self.chosen.to_json() if self.chosen else None,
            "to": None if self.to is None else [list(head) for head in self.to],
            "cc": None if self.cc is None else [list(head) for head in self.cc],
            "reply_to_id": self.reply_to_id,
            "orders": None if self.orders is None else list(self.orders),
        }
        return {name: value for name, value in made.items() if value not in (None, "")}


def read_layout(raw: object) -> Layout:
    """Never raises: what has another shape is left out."""
    if not isinstance(raw, Mapping):
        return Layout()
    order_id, reply_to_id, orders = raw.get("order_id"), raw.get("reply_to_id"), raw.get("orders")
    return Layout(
        str(raw.get("firm") or ""),
        order_id if isinstance(order_id, int) else None,
        str(raw.get("url") or ""),
        _read_mark(raw.get("before")),
        _read_mark(raw.get("after")),
        _read_chosen(raw.get("why")),
        _read_heads(raw.get("to")),
        _read_heads(raw.get("cc")),
        reply_to_id if isinstance(reply_to_id, int) else None,
        tuple([one if isinstance(one, int) else None for one in orders]) if isinstance(orders, list) else None,
    )
