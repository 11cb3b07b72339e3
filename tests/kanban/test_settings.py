"""The firm's settings: one statement a transaction, and the truth also after a savepoint that was rolled back."""

import pytest
from sqlalchemy import event

from kanban.db import db
from kanban.settings import setting, write_setting
from kanban.transactions import transaction
from tests.cast import Cast


def test_what_was_rolled_back_is_read_again(cast: Cast) -> None:
    with transaction() as session:
        write_setting(session, "company", "Кухни")
        with pytest.raises(ArithmeticError), session.begin_nested():
            write_setting(session, "company", "Шкафы")
            assert setting(session, "company") == "Шкафы"
            raise ArithmeticError
        assert setting(session, "company") == "Кухни"
    assert setting(db.session(), "company") == "Кухни"


def test_a_savepoint_that_holds_does_not_ask_again(cast: Cast) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with transaction() as session:
            for _ in range(3):
                with session.begin_nested():
                    assert setting(session, "language") == "ru"
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert sum("setting" in statement for statement in asked) == 1
