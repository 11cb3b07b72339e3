"""The verbs of orders: the only code that changes them. Each requires, changes, records; none commits."""

from kanban.orders.block import block, unblock
from kanban.orders.change import change
from kanban.orders.comment import MOST as MOST_COMMENT
from kanban.orders.comment import comment
from kanban.orders.fields import OrderFields, fields_of
from kanban.orders.find import OPEN, find_order, linked, linked_of, lock_order, open_orders
from kanban.orders.gates import gate_verdict, missing_criteria, read_gate
from kanban.orders.many import Chosen, EventOf, MovedMany, Refusal, UndoneMany, move_many, undo_many
from kanban.orders.move import Filled, Moved, move
from kanban.orders.place import Placed, make_production, place
from kanban.orders.removal import RESTORABLE, is_restorable, remove, restore
from kanban.orders.undo import Undoing, undo

__all__ = [
    "MOST_COMMENT",
    "OPEN",
    "RESTORABLE",
    "Chosen",
    "EventOf",
    "Filled",
    "Moved",
    "MovedMany",
    "OrderFields",
    "Placed",
    "Refusal",
    "Undoing",
    "UndoneMany",
    "block",
    "change",
    "comment",
    "fields_of",
    "find_order",
    "gate_verdict",
    "is_restorable",
    "linked",
    "linked_of",
    "lock_order",
    "make_production",
    "missing_criteria",
    "move",
    "move_many",
    "open_orders",
    "place",
    "read_gate",
    "remove",
    "restore",
    "unblock",
    "undo",
    "undo_many",
]
