"""The verbs of orders: the only code that changes them. Each requires, changes, records; none commits."""

from kanban.orders.change import change
from kanban.orders.comment import MOST as MOST_COMMENT
from kanban.orders.comment import comment
from kanban.orders.fields import OrderFields, fields_of
from kanban.orders.find import find_order, linked
from kanban.orders.move import Moved, move
from kanban.orders.place import Placed, make_production, place
from kanban.orders.undo import Undoing, undo

__all__ = [
    "MOST_COMMENT", "Moved", "OrderFields", "Placed", "Undoing", "change", "comment", "fields_of", "find_order", "linked",
    "make_production", "move", "place", "undo",
]  # fmt: skip
