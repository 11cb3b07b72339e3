"""What JSON points at, and how it does: by id in the database, by name in a file."""

from enum import StrEnum
from typing import NamedTuple

from kanban.json_reader import Value


class ReferenceKind(StrEnum):
    BOARD = "board"
    STATUS = "status"
    ROLE = "role"
    PERSON = "person"
    ORGANISATION = "organisation"
    TEMPLATE = "template"
    ACCOUNT = "account"


class Reference(NamedTuple):
    kind: ReferenceKind
    id: int


class Keys:
    """How references and sums stand in JSON. This is how the database has them: ids, and whole kopecks (or cents)."""

    def read(self, kind: ReferenceKind, value: Value) -> int:
        """Raises Malformed."""
        return value.id()

    def write(self, kind: ReferenceKind, id_: int) -> object:
        return id_

    def read_money(self, value: Value) -> int:
        """Raises Malformed."""
        return value.whole()

    def write_money(self, amount: int) -> object:
        return amount


STORED = Keys()


class Noting(Keys):
    """Notes everything that is written."""

    def __init__(self) -> None:
        self.found: set[Reference] = set()

    def write(self, kind: ReferenceKind, id_: int) -> object:
        self.found.add(Reference(kind, id_))
        return id_


class Replacing(Keys):
    """Writes one thing in the place of another."""

    def __init__(self, old: Reference, new_id: int) -> None:
        self.old, self.new_id = old, new_id

    def write(self, kind: ReferenceKind, id_: int) -> object:
        return self.new_id if (kind, id_) == self.old else id_
