"""What a verb raises when it can't do what was asked. Each carries a reason fit for a person; HTTP gives it its code."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanban.models import Order


class Refused(Exception):
    """Base of the refusals. `reason` is a sentence in the reader's language once it is turned into text."""

    def __init__(self, reason: object) -> None:
        super().__init__(reason)
        self.reason = reason


class NotFound(Refused):
    """There is no such thing, or this person may not know of it."""


class Forbidden(Refused):
    """This person may not do this."""


class Invalid(Refused):
    """What was typed can't be used. `field` names the input it came from."""

    def __init__(self, reason: object, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


class Conflict(Refused):
    """The world has moved on, or something stands in the way. `order`, where given, is the order as it is now."""

    def __init__(self, reason: object, order: "Order | None" = None) -> None:
        super().__init__(reason)
        self.order = order


class Lacking(Refused):
    """The order lacks something that the status it is to enter asks for."""


class Busy(Refused):
    """Too many others want the same just now. Nothing was changed; it is worth another try."""


class Unwritable(Refused):
    """The database takes no changes: its disk is full, or its folder can't be written. Reading goes on."""
