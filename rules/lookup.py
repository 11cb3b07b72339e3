"""Names of what rules point at, loaded once for a page of rules."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.facts import FIELDS, Field
from kanban.models import Board, Organisation, Person, Role, Status
from rules.models import MailAccount, Template

CHOSEN = ("named", "person")  # kinds of accounts that a rule may send by beside the firm's own


@dataclass(frozen=True)
class Lookup:
    """Everything by id, in the order it is offered."""

    boards: dict[int, Board]
    statuses: dict[int, Status]
    roles: dict[int, Role]
    people: dict[int, Person]
    organisations: dict[int, Organisation]
    templates: dict[int, Template]
    accounts: dict[int, MailAccount]  # but the firm's own

    def statuses_of(self, board_id: int) -> list[Status]:
        return [status for status in self.statuses.values() if status.board_id == board_id]

    def linked_statuses(self, board_id: int) -> list[Status]:
        """Statuses of boards whose orders are made from this board's, or the other way round."""
        board = self.boards.get(board_id)
        kin = {one.id for one in self.boards.values() if one.source_id == board_id} | ({board.source_id} if board else set())
        return [status for status in self.statuses.values() if status.board_id in kin]

    def templates_of(self, kind: str) -> list[Template]:
        """kind: letter or short."""
        return [template for template in self.templates.values() if template.kind == kind]

    @property
    def role_names(self) -> dict[int, str]:
        return {role.id: role.name for role in self.roles.values()}

    @property
    def fields(self) -> dict[str, list[Field]]:
        """Fields of criteria by group, roles among them."""
        groups: dict[str, list[Field]] = {"order": [], "role": [], "who": [], "linked": []}
        for field in FIELDS.values():
            groups[field.group].append(field)
        groups["role"] = [Field(f"role:{id_}", "reference", name, "people", "role") for id_, name in self.role_names.items()]
        return groups

    def choices(self, source: str, board_id: int) -> list[tuple[int, str]]:
        """(id, name) of what a reference field may be compared with."""
        rows: Any = {
            "organisations": self.organisations.values(),
            "people": self.people.values(),
            "statuses": self.statuses_of(board_id),
            "other_statuses": self.linked_statuses(board_id),
            "roles": self.roles.values(),
        }.get(source, ())
        return [(row.id, row.name) for row in rows]


def load_lookup(session: Session) -> Lookup:
    """Seven statements."""

    def by_id(query: Any) -> dict[int, Any]:
        return {row.id: row for row in session.scalars(query)}

    return Lookup(
        boards=by_id(select(Board).order_by(Board.position, Board.id)),
        statuses=by_id(select(Status).order_by(Status.board_id, Status.position, Status.id)),
        roles=by_id(select(Role).order_by(Role.position, Role.id)),
        people=by_id(select(Person).order_by(Person.name, Person.id)),
        organisations=by_id(select(Organisation).order_by(Organisation.name)),
        templates=by_id(select(Template).order_by(Template.position, Template.id)),
        accounts=by_id(select(MailAccount).where(MailAccount.kind.in_(CHOSEN)).order_by(MailAccount.kind, MailAccount.address)),
    )
