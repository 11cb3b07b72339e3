"""Names of what criteria point at, loaded once for a page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from kanban.fields import Choices, Field, FieldGroup, catalogue_of, role_field
from kanban.models import Board, Organisation, Person, Role, Status
from kanban.references import ReferenceKind
from kanban.snapshot import Named


class HasId(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=HasId)


@dataclass(frozen=True)
class Lookup:
    """Everything by id, in the order it is offered."""

    boards: dict[int, Board]
    statuses: dict[int, Status]
    roles: dict[int, Role]
    people: dict[int, Person]
    organisations: dict[int, Organisation]

    def statuses_of(self, board_id: int) -> list[Status]:
        return [status for status in self.statuses.values() if status.board_id == board_id]

    def linked_statuses(self, board_id: int) -> list[Status]:
        """Statuses of boards whose orders are made from this board's, or the other way round."""
        board = self.boards.get(board_id)
        kin = {one.id for one in self.boards.values() if one.source_id == board_id} | ({board.source_id} if board else set())
        return [status for status in self.statuses.values() if status.board_id in kin]

    def field(self, name: str, board_id: int) -> Field | None:
        """A field of the board's orders; «role:3» under the name of its role, None where there is no such role (any more)."""
        found = catalogue_of(board_id).find(name)
        if found is None or found.role_id is None:
            return found
        role = self.roles.get(found.role_id)
        return role_field(role.id, role.name) if role else None

    def fields(self, board_id: int) -> dict[FieldGroup, list[Field]]:
        """What criteria may ask for, by group, roles among them."""
        groups: dict[FieldGroup, list[Field]] = {group: [] for group in FieldGroup}
        for field in catalogue_of(board_id).criteria:
            groups[field.group].append(field)
        groups[FieldGroup.ROLE] = [role_field(role.id, role.name) for role in self.roles.values()]
        return groups

    def choices(self, source: Choices | None, board_id: int) -> list[tuple[int, str]]:
        """(id, name) of what a reference may be compared with."""
        found: Iterable[Named] = ()
        match source:
            case Choices.ORGANISATIONS:
                found = self.organisations.values()
            case Choices.PEOPLE:
                found = self.people.values()
            case Choices.STATUSES:
                found = self.statuses_of(board_id)
            case Choices.OTHER_STATUSES:
                found = self.linked_statuses(board_id)
            case Choices.ROLES:
                found = self.roles.values()
        return [(one.id, one.name) for one in found]

    def named(self, kind: ReferenceKind) -> Mapping[int, Named]:
        """What references of that kind may point at."""
        by_kind: dict[ReferenceKind, Mapping[int, Named]] = {
            ReferenceKind.BOARD: self.boards,
            ReferenceKind.STATUS: self.statuses,
            ReferenceKind.ROLE: self.roles,
            ReferenceKind.PERSON: self.people,
            ReferenceKind.ORGANISATION: self.organisations,
        }
        return by_kind.get(kind, {})


def load_lookup(session: Session) -> Lookup:
    """Five statements."""
    return Lookup(
        boards=by_id(session, select(Board).order_by(Board.position, Board.id)),
        statuses=by_id(session, select(Status).order_by(Status.board_id, Status.position, Status.id)),
        roles=by_id(session, select(Role).order_by(Role.position, Role.id)),
        people=by_id(session, select(Person).order_by(Person.name, Person.id)),
        organisations=by_id(session, select(Organisation).order_by(Organisation.name)),
    )


def by_id(session: Session, query: Select[Row]) -> dict[int, Row]:
    return {row.id: row for row in session.scalars(query)}
