"""The feed: what a page that stays open is told."""

from datetime import timedelta

from kanban import clock
from kanban.db import db, transaction
from kanban.live import Feed, prune, publish
from tests.cast import Cast


def test_after_a_quiet_day_a_page_is_told_what_changed_and_no_more(cast: Cast) -> None:
    cast.place()
    feed = Feed(db.engine, 4)
    seen = feed.last_id()
    with transaction() as session:
        prune(session, clock.now() + timedelta(days=1))
    assert feed.last_id() == seen
    with transaction() as session:
        publish(session, "card-7")
    assert feed.since(seen)[1] == ["card-7"]
    assert feed.since(seen - 5)[1] == ["resync"]  # what it missed is gone
