"""May this order enter that status."""

from kanban.errors import Invalid
from kanban.i18n import _
from kanban.models import Order, Status


def require_path(order: Order, status: Status | None) -> Status:
    """The status, if the order can enter it. Raises Invalid for one of another board, or one that is gone."""
    if status is None:
        raise Invalid(_("This status no longer exists. Reload the page to see the board as it is now."), "status")
    if status.board_id != order.board_id:
        raise Invalid(_("“%(status)s” belongs to another document.", status=status.name), "status")
    return status
