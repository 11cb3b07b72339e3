"""What the two databases must answer alike."""

from kanban import clock
from kanban.db import db, is_new, row_count, table
from kanban.transactions import transaction
from rules.models import DueMark
from tests.cast import Cast


def test_a_row_is_new_once(cast: Cast) -> None:
    row = {"rule_id": 1, "order_id": cast.place().id, "mark": "2026-12-01", "at": clock.now()}
    with transaction() as session:
        assert is_new(session, DueMark, row) and not is_new(session, DueMark, row)
        assert is_new(session, DueMark, row | {"mark": "2026-12-02"})
    with transaction() as session:
        assert not is_new(session, DueMark, row)
        assert row_count(session, table(DueMark).delete()) == 2 and row_count(session, table(DueMark).delete()) == 0
    db.session.rollback()
