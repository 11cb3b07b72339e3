"""The verbs of orders: the only code that changes them. Each requires, changes, records; none commits."""

from kanban.orders.change import change
from kanban.orders.comment import MOST as MOST_COMMENT
from kanban.orders.comment import comment
from kanban.orders.fields import OrderFields, fields_of
from kanban.orders.find import OPEN, find_order, linked, linked_of, lock_order, open_orders
from kanban.orders.move import Moved, move
from kanban.orders.place import Placed, make_production, place
from kanban.orders.undo import Undoing, undo

__all__ = [
    "MOST_COMMENT",
    "OPEN",
    "Moved",
    "OrderFields",
    "Placed",
    "Undoing",
    "change",
    "comment",
    "fields_of",
    "find_order",
    "linked",
    "linked_of",
    "lock_order",
    "make_production",
    "move",
    "open_orders",
    "place",
    "undo",
]
