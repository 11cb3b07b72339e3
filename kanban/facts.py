"""Facts: the plain snapshot of an order that its event keeps, as rules judge it. Pure; read once from the database's JSON.

No phone, no e-mail, no address. A field that is absent is unknown; None is empty. How values stand in facts: kanban.fields.FieldType.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kanban.json_reader import JsonObject

SCHEMA = 2  # 2: today, was, and more of linked orders


@dataclass(frozen=True)
class LinkedOrder:
    """An order that is linked with this one, at that moment. is_source: this one was made from it. fields: without their «linked.»."""

    id: int
    number: str
    board_id: int
    order_name: str
    status_id: int
    status_name: str
    phase: str
    is_source: bool
    fields: Mapping[str, object]

    def to_json(self) -> JsonObject:
        return {
            "id": self.id,
            "number": self.number,
            "board": self.board_id,
            "order_name": self.order_name,
            "status": {"id": self.status_id, "name": self.status_name, "phase": self.phase},
            "is_source": self.is_source,
            "fields": dict(self.fields),
        }


@dataclass(frozen=True)
class LinkedBy:
    """The linked order of which this order heard that it entered a status."""

    order_id: int
    number: str
    status_id: int
    phase: str

    def to_json(self) -> JsonObject:
        return {"order": self.order_id, "number": self.number, "status": self.status_id, "phase": self.phase}


@dataclass(frozen=True)
class Facts:
    """fields, people, linked, was: None where facts of an older Potok don't say. people: {role id as text: person id}.

    was: {field: its value before the event}, of the fields that the event changed. today: its day, as ISO text.
    rule_id: of an event of one rule alone. linked_by: of the news of a linked order.
    """

    fields: Mapping[str, object] | None = None
    people: Mapping[str, object] | None = None
    linked: Sequence[LinkedOrder] | None = None
    was: Mapping[str, object] | None = None
    today: str = ""
    order_id: int = 0
    number: str = ""
    board_id: int = 0
    phase: str = ""
    rule_id: int | None = None
    linked_by: LinkedBy | None = None
    schema: int = SCHEMA

    def to_json(self) -> JsonObject:
        made: JsonObject = {
            "schema": self.schema,
            "today": self.today,
            "order": {"id": self.order_id, "number": self.number, "board": self.board_id},
            "phase": self.phase,
            "fields": dict(self.fields or {}),
            "people": dict(self.people or {}),
            "linked": [one.to_json() for one in self.linked or ()],
            "was": dict(self.was or {}),
        }
        made |= {"rule": self.rule_id} if self.rule_id is not None else {}
        return made | ({"linked_by": self.linked_by.to_json()} if self.linked_by else {})


NOTHING_KNOWN = Facts()


def read_facts(raw: object) -> Facts:
    """Never raises: what has another shape is not known."""
    if not isinstance(raw, Mapping):
        return NOTHING_KNOWN
    order = _mapping(raw.get("order")) or {}
    return Facts(
        _mapping(raw.get("fields")),
        _mapping(raw.get("people")),
        _linked(raw.get("linked")),
        _mapping(raw.get("was")),
        _text(raw.get("today")),
        _whole(order.get("id")),
        _text(order.get("number")),
        _whole(order.get("board")),
        _text(raw.get("phase")),
        _whole(raw.get("rule")) or None,
        _linked_by(_mapping(raw.get("linked_by"))),
        _whole(raw.get("schema")),
    )


def _linked(raw: object) -> tuple[LinkedOrder, ...] | None:
    if not isinstance(raw, list):
        return None
    return tuple([_linked_order(one) for one in raw if isinstance(one, Mapping)])


def _linked_order(raw: Mapping[str, object]) -> LinkedOrder:
    status = _mapping(raw.get("status")) or {}
    return LinkedOrder(
        _whole(raw.get("id")),
        _text(raw.get("number")),
        _whole(raw.get("board")),
        _text(raw.get("order_name")),
        _whole(status.get("id")),
        _text(status.get("name")),
        _text(status.get("phase")),
        bool(raw.get("is_source")),
        _mapping(raw.get("fields")) or {},
    )


def _linked_by(raw: Mapping[str, object] | None) -> LinkedBy | None:
    if raw is None:
        return None
    return LinkedBy(_whole(raw.get("order")), _text(raw.get("number")), _whole(raw.get("status")), _text(raw.get("phase")))


def _mapping(raw: object) -> Mapping[str, object] | None:
    return raw if isinstance(raw, Mapping) else None


def _text(raw: object) -> str:
    return raw if isinstance(raw, str) else ""


def _whole(raw: object) -> int:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else 0
