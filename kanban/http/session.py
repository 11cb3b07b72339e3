"""What every page knows of whoever asks: navigation and rights."""

from typing import cast

from flask import g, get_flashed_messages
from flask_login import current_user

from kanban.columns import BoardRow, board_rows
from kanban.db import db
from kanban.htmx import is_refresh
from kanban.http.guard import person
from kanban.policy import may_administer, may_write
from kanban.settings import setting


def for_every_page() -> dict[str, object]:
    """Navigation and rights; nothing is read from the database before a template asks."""
    signed = bool(current_user) and current_user.is_authenticated
    return {
        "boards_nav": all_boards if signed else tuple,
        "me": person() if signed else None,
        "is_admin": signed and may_administer(person()),
        "can_write": signed and may_write(person()),
        "flashes": lambda: [] if is_refresh() else get_flashed_messages(),  # what is said once is for whoever looks
        "company_name": lambda: setting(db.session(), "company"),
    }


def board_of(board_id: int) -> BoardRow:
    return next(board for board in all_boards() if board.id == board_id)


def all_boards() -> tuple[BoardRow, ...]:
    """Every board, read once a request."""
    if "boards" not in g:
        g.boards = board_rows(db.session())
    return cast(tuple[BoardRow, ...], g.boards)
