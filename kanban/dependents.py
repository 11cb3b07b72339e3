"""What points at a status, a role or a person that is about to go. Other packages know; app.py sets what asks them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from kanban.models import Status
from kanban.references import Reference

Names = Mapping[Reference, list[str]]


def _none(session: Session) -> Names:
    return {}


@dataclass
class Dependents:
    """names: what points at things, by name. reassign_status: called before a status goes, with the id of the one that takes its place,
    or None."""

    names: Callable[[Session], Names] = field(default=_none)
    reassign_status: Callable[[Session, Status, int | None], None] = field(default=lambda session, status, to: None)


dependents = Dependents()


def names_of(*sources: Callable[[Session], Names]) -> Callable[[Session], Names]:
    """What several packages know, as one."""

    def together(session: Session) -> Names:
        found: dict[Reference, list[str]] = {}
        for source in sources:
            for reference, names in source(session).items():
                found.setdefault(reference, []).extend(names)
        return found

    return together
