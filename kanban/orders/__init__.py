"""The verbs of orders: the only code that changes them. Each requires, changes, records; none commits."""

from kanban.orders.change import change
from kanban.orders.fields import OrderFields
from kanban.orders.find import find_order
from kanban.orders.move import Moved, move
from kanban.orders.place import Placed, make_production, place
from kanban.orders.undo import Undoing, undo

__all__ = ["Moved", "OrderFields", "Placed", "Undoing", "change", "find_order", "make_production", "move", "place", "undo"]
