"""What the editor's «Try it» asks: an order, and what is imagined to happen to it, as typed and as facts keep it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from werkzeug.datastructures import MultiDict

from kanban.errors import Invalid
from kanban.fields import Field, FieldGroup, FieldType, catalogue_of
from kanban.forms.fields import parse_money
from kanban.i18n import _
from kanban.ids import read_id
from rules.definition.content import RuleContent
from rules.definition.triggers import FieldChanged, Paid
from rules.queries.lookup import RuleLookup
from rules.trying.imagined import Imagined

MOST = 200


@dataclass(frozen=True)
class TrialState:
    """number: of the order. other: the status on the other side of the move, «placed» for none. was: what stood before.
    who: the id of who is imagined to do it."""

    number: str = ""
    other: str = ""
    was: str = ""
    who: str = ""


def read_trial(form: Mapping[str, str] | MultiDict[str, str]) -> TrialState:
    return TrialState(
        form.get("try-order", "").strip()[:40],
        form.get("try-other", "")[:20],
        form.get("try-was", "").strip()[:MOST],
        form.get("try-who", "")[:20],
    )


def imagined_of(state: TrialState, content: RuleContent, lookup: RuleLookup) -> Imagined:
    """Raises Invalid."""
    other = 0 if state.other == "placed" else read_id(state.other)
    return Imagined(other, _was(state, content, lookup))


def _was(state: TrialState, content: RuleContent, lookup: RuleLookup) -> object:
    field = _field_of(content)
    if field is None or not state.was:
        return None
    try:
        return _read(field, state.was, content.board_id, lookup)
    except ValueError as error:
        is_money = field.type is FieldType.MONEY
        raise Invalid(str(error) if is_money else _("The previous value can't be read."), "was") from None


def _field_of(content: RuleContent) -> Field | None:
    """The one that the rule waits for a change of."""
    match content.trigger:
        case FieldChanged():
            return content.trigger.field
        case Paid():
            return catalogue_of(content.board_id).find("paid")
    return None


def _read(field: Field, text: str, board_id: int, lookup: RuleLookup) -> object:
    """Raises ValueError."""
    match field.type:
        case FieldType.MONEY:
            return parse_money(text)
        case FieldType.NUMBER:
            return int(text[:6])
        case FieldType.DATE:
            return date.fromisoformat(text).isoformat()
        case FieldType.TAGS:
            return [part.strip() for part in text.split(",") if part.strip()]
        case FieldType.REFERENCES:
            return []
        case FieldType.TEXT:
            return text
        case FieldType.REFERENCE:
            return _reference(field, read_id(text), board_id, lookup)
        case _:
            assert_never(field.type)


def _reference(field: Field, id_: int | None, board_id: int, lookup: RuleLookup) -> object:
    if field.group is FieldGroup.ROLE:
        return id_
    name = dict(lookup.choices(field.choices, board_id)).get(id_ or 0)
    return {"id": id_, "name": name} if name else None
