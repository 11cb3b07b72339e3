"""Who acts: a person as the verbs see one. A snapshot, so that a transaction that begins anew takes nothing from it."""

from dataclasses import dataclass

from kanban.models import Person


@dataclass(frozen=True)
class ActorRole:
    id: int
    name: str


@dataclass(frozen=True)
class Actor:
    """access: admin, staff or viewer; roles: of the firm."""

    id: int
    name: str
    email: str
    access: str
    language: str
    tone: str
    roles: tuple[ActorRole, ...]

    @property
    def role_ids(self) -> set[int]:
        return {role.id for role in self.roles}


def actor_of(person: Person) -> Actor:
    """Needs person.roles."""
    roles = tuple(ActorRole(role.id, role.name) for role in person.roles)
    return Actor(person.id, person.name, person.email, person.access, person.language, person.tone, roles)
