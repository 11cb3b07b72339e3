"""Keys of a process file → the ids of what they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.errors import Invalid
from kanban.fields import MOST_MONEY
from kanban.i18n import _
from kanban.json_reader import Value
from kanban.models import Organisation, Person
from kanban.presets.loaded import Loaded, of_key
from kanban.references import Keys, ReferenceKind

UNITS = 100  # a file has sums in whole units


def minor_units(number: object) -> int:
    """A sum of the file in kopecks (or cents). Raises Invalid."""
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    amount = Decimal(str(number)) * UNITS if is_number else Decimal("nan")
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 <= amount <= MOST_MONEY:
        raise Invalid(
            _("%(what)s is not a valid amount: enter a number with at most two digits after the decimal point.", what=str(number)[:80]),
            "file",
        )
    return int(amount)


@dataclass(frozen=True)
class FileKeys(Keys):
    """in_file: what the file itself names; here: what is found by address or name."""

    in_file: Mapping[ReferenceKind, Mapping[str, Any]]
    here: Mapping[ReferenceKind, Mapping[str, int]]

    def read(self, kind: ReferenceKind, value: Value) -> int:
        """Raises Invalid, Malformed."""
        key = str(value.raw) if isinstance(value.raw, int) else value.text()  # a role of digits alone
        if kind in self.in_file:
            return int(of_key(self.in_file[kind], key, kind.value).id)
        found = self.here.get(kind, {}).get(key.casefold())
        if found is None:
            raise Invalid(_("Unknown value: %(what)s", what=key[:80]), "file")
        return found

    def read_money(self, value: Value) -> int:
        return minor_units(value.raw)

    def along(self, in_file: Mapping[ReferenceKind, Mapping[str, Any]], here: Mapping[ReferenceKind, Mapping[str, int]]) -> "FileKeys":
        """With kinds that others know of."""
        return FileKeys({**self.in_file, **in_file}, {**self.here, **here})


def file_keys(session: Session, loaded: Loaded) -> FileKeys:
    """Two statements."""
    kind = ReferenceKind
    return FileKeys(
        {kind.BOARD: loaded.boards, kind.STATUS: loaded.statuses, kind.ROLE: loaded.roles},
        {
            kind.PERSON: {one.email.casefold(): one.id for one in session.scalars(select(Person))},
            kind.ORGANISATION: {one.name.casefold(): one.id for one in session.scalars(select(Organisation))},
        },
    )
