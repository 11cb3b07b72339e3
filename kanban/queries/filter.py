"""The filter of a board, as it stands in the address."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from kanban.actor import Actor
from kanban.db import table
from kanban.ids import Arguments, read_id
from kanban.models import Order
from kanban.queries.sought import occurs_in, read_sought
from kanban.settings import country


@dataclass(frozen=True)
class Filter:
    """q: words that must all occur; who and firm: ids; mine: only where this person is responsible."""

    q: str = ""
    who: int | None = None
    firm: int | None = None
    mine: bool = False

    def __bool__(self) -> bool:
        return bool(self.q or self.who or self.firm or self.mine)

    def conditions(self, person: Actor) -> list[ColumnElement[bool]]:
        found = occurs_in(read_sought(self.q, country()), table(Order).c.search) if self.q else []
        if self.who:
            found.append(Order.responsible_id == self.who)
        if self.firm:
            found.append(Order.organisation_id == self.firm)
        if self.mine:
            found.append(Order.responsible_id == person.id)
        return found

    def query(self, **changed: object) -> Arguments:
        """The address's arguments, with some changed; None leaves one out."""
        now = {"q": self.q or None, "who": self.who, "firm": self.firm, "mine": 1 if self.mine else None}
        return {name: value for name, value in (now | changed).items() if value is not None}


def read_filter(arguments: Mapping[str, str]) -> Filter:
    """What can't be understood is left out."""
    return Filter(
        q=arguments.get("q", "").replace("\x00", "").strip()[:100],
        who=read_id(arguments.get("who", "")),
        firm=read_id(arguments.get("firm", "")),
        mine=arguments.get("mine") == "1",
    )
