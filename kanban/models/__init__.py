"""The tables of kanban."""

from kanban.models.backup import Backup
from kanban.models.beat import Beat, Part
from kanban.models.board import OVER, PHASES, SORTS, TONES, Board, PersonColumn, Status, status_answering, status_moving
from kanban.models.change import LiveChange
from kanban.models.event import Event
from kanban.models.guess import Guess
from kanban.models.order import Order, OrderPerson
from kanban.models.party import Customer, Organisation
from kanban.models.person import ACCESSES, THEMES, OneTimeLink, Person, ResetRequest, Role, SignIn, SignInEmailKind, person_role
from kanban.models.security_event import SecurityEvent
from kanban.models.setting import Setting
from kanban.models.todo import TODO_KINDS, Todo

__all__ = [
    "ACCESSES",
    "OVER",
    "PHASES",
    "SORTS",
    "THEMES",
    "TODO_KINDS",
    "TONES",
    "Backup",
    "Beat",
    "Board",
    "Customer",
    "Event",
    "Guess",
    "LiveChange",
    "OneTimeLink",
    "Order",
    "OrderPerson",
    "Organisation",
    "Part",
    "Person",
    "PersonColumn",
    "ResetRequest",
    "Role",
    "SecurityEvent",
    "Setting",
    "SignIn",
    "SignInEmailKind",
    "Status",
    "Todo",
    "person_role",
    "status_answering",
    "status_moving",
]
