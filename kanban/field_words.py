"""A field's value in the reader's language, and as people type it."""

import re
from datetime import date
from typing import assert_never

from kanban import i18n
from kanban.fields import BUILT_IN, Field, FieldType
from kanban.i18n import _
from kanban.translation import N_

MOST_SHOWN = 80
PLAIN = Field("", FieldType.TEXT, "")
OTHER_NAMES = {"phone": N_("Phone"), "email": N_("E-mail")}  # of a changed order, beside the fields of the catalogue


def shown(field: Field, value: object) -> str:
    """A plain value as facts and history keep it: a sum, a day, a number, or a text; a reference by its name of that time."""
    if isinstance(value, dict):
        return str(value.get("name", ""))
    if isinstance(value, list):
        return ", ".join(shown(field, one) for one in value)
    match field.type:
        case FieldType.MONEY:
            return i18n.money(value) if isinstance(value, int) else str(value)
        case FieldType.DATE:
            return i18n.day_long(read_day(value)) or str(value)
        case FieldType.NUMBER:
            return f"{value}\u00a0{_(field.unit)}" if field.unit else str(value)
        case FieldType.TEXT | FieldType.TAGS | FieldType.REFERENCE | FieldType.REFERENCES:
            return str(value)
        case _:
            assert_never(field.type)


def field_name(name: str) -> str:
    """A field of a changed order, as history names it; roles carry their own name."""
    if name.startswith("role:"):
        return name[5:]
    field = BUILT_IN.find(name)
    return _(field.label if field else OTHER_NAMES.get(name, name))


def field_value(value: object, name: str) -> str:
    """What history says of it: "—" where there is nothing."""
    return "—" if value in (None, "", []) else shortened(shown(BUILT_IN.find(name) or PLAIN, value))


def shortened(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"


def read_day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value if isinstance(value, date) else None
    except ValueError:
        return None


def read_whole(text: str) -> int:
    """Raises ValueError with a sentence."""
    if not re.fullmatch("[0-9]{1,6}", text):
        raise ValueError(_("Enter a whole number."))
    return int(text)
