"""May this person do that. Each answers True or False; `require` turns a no into a reason."""

from kanban.actor import Actor
from kanban.columns import ColumnRow
from kanban.errors import Forbidden
from kanban.i18n import _


def may_write(person: Actor) -> bool:
    """Viewers look only."""
    return person.access in ("admin", "staff")


def may_administer(person: Actor) -> bool:
    return person.access == "admin"


def may_move_into(person: Actor, status: ColumnRow) -> bool:
    """Admins always; staff where the status names no roles, or one of theirs."""
    if person.access == "admin":
        return True
    return may_write(person) and (not status.moving or bool({role.id for role in status.moving} & person.role_ids))


def require_write(person: Actor) -> None:
    if not may_write(person):
        raise Forbidden(_("You can view orders but not change them. Ask an administrator for access."))


def require_admin(person: Actor) -> None:
    if not may_administer(person):
        raise Forbidden(_("Only an administrator can open the settings."))


def require_move_into(person: Actor, status: ColumnRow) -> None:
    require_write(person)
    if not may_move_into(person, status):
        raise Forbidden(why_not_into(status))


def why_not_into(status: ColumnRow) -> str:
    """«В «Оплачен» переводит бухгалтер», for the refusal and for the column's head."""
    roles = ", ".join(role.name for role in status.moving)
    return _("Only these roles can move orders to “%(status)s”: %(roles)s.", status=status.name, roles=roles)
