"""What points at a status, a role or a person that is about to go. Other packages know; app.py sets what asks them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from kanban.models import Status

Thing = tuple[str, int]  # («status», 3), («role», 3), («person», 3), («board», 3)
Names = Mapping[Thing, list[str]]


def _none(session: Session) -> Names:
    return {}


@dataclass
class Dependents:
    """names: what points at things, by name. hand_over: called before a status goes, with the status that takes its place, or None."""

    names: Callable[[Session], Names] = field(default=_none)
    hand_over: Callable[[Session, Status, int | None], None] = field(default=lambda session, status, to: None)


dependents = Dependents()
