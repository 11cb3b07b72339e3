"""What the editor's «Try it» asks: an order, and what is imagined to happen to it, as typed and as facts keep it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from kanban.errors import Invalid
from kanban.facts import Field, find_field
from kanban.forms.fields import parse_money
from kanban.i18n import _
from kanban.ids import read_id
from rules.fields import RuleFields
from rules.lookup import Lookup
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
        form.get("try-order", "").strip()[:40], form.get("try-other", "")[:20], form.get("try-was", "").strip()[:MOST],
        form.get("try-who", "")[:20],
    )  # fmt: skip


def imagined_of(state: TrialState, fields: RuleFields, lookup: Lookup) -> Imagined:
    """Raises Invalid."""
    other = 0 if state.other == "placed" else read_id(state.other)
    return Imagined(other, _was(state, fields, lookup))


def _was(state: TrialState, fields: RuleFields, lookup: Lookup) -> Any:
    known = find_field("paid" if fields.trigger == "paid" else str(fields.options.get("field")))
    if known is None or fields.trigger not in ("paid", "field") or not state.was:
        return None
    if known.kind == "reference":
        return _reference(known, read_id(state.was), fields, lookup)
    try:
        return _PARSED[known.kind](state.was)
    except ValueError as error:
        raise Invalid(str(error) if known.kind == "money" else _("What stood before can't be read."), "was") from None


def _reference(known: Field, id_: int | None, fields: RuleFields, lookup: Lookup) -> Any:
    if known.group == "role":
        return id_
    name = dict(lookup.choices(known.choices, fields.board_id)).get(id_ or 0)
    return {"id": id_, "name": name} if name else None


_PARSED: dict[str, Callable[[str], Any]] = {
    "money": parse_money,
    "number": lambda text: int(text[:6]),
    "date": lambda text: date.fromisoformat(text).isoformat(),
    "tags": lambda text: [part.strip() for part in text.split(",") if part.strip()],
    "references": lambda text: [],
    "text": str,
}
