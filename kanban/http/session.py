"""What every page knows of whoever asks: navigation and rights."""

from typing import cast

from flask import g
from flask_login import current_user

from kanban.columns import BoardRow, board_rows
from kanban.db import db
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
        "company_name": lambda: setting(db.session(), "company"),
    }


def board_of(board_id: int) -> BoardRow:
    return next(board for board in all_boards() if board.id == board_id)


def all_boards() -> tuple[BoardRow, ...]:
    """Every board, read once a request."""
    if "boards" not in g:
        g.boards = board_rows(db.session())
    return cast(tuple[BoardRow, ...], g.boards)
