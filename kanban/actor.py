"""Who acts: a person as the verbs see one. A snapshot, so that a transaction that begins anew takes nothing from it."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from kanban.db import table
from kanban.models import Person, Role, person_role


@dataclass(frozen=True)
class ActorRole:
    id: int
    name: str


@dataclass(frozen=True)
class Cause:
    """Why a rule acts: the event that woke it. rule_id is None where an event only passes on to a linked order."""

    event_id: int
    rule_id: int | None


@dataclass(frozen=True)
class Actor:
    """access: admin, staff or viewer; roles: of the firm. A rule acts too: its id is 0, and it has a cause."""

    id: int
    name: str
    email: str
    access: str
    language: str
    tone: str
    roles: tuple[ActorRole, ...]
    cause: "Cause | None" = None

    @property
    def role_ids(self) -> set[int]:
        return {role.id for role in self.roles}


_ROLES_OF = (
    select(table(Role).c.id, table(Role).c.name)
    .join(person_role, person_role.c.role_id == table(Role).c.id)
    .where(person_role.c.person_id == bindparam("person"))
    .order_by(table(Role).c.position)
)


def actor_of(session: Session, person: Person) -> Actor:
    """The snapshot; one SELECT, for the roles."""
    rows = session.connection().execute(_ROLES_OF, {"person": person.id})
    roles = tuple(ActorRole(*row) for row in rows)
    return Actor(person.id, person.name, person.email, person.access, person.language, person.tone, roles)
