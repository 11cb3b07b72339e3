"""The feed: what a page that stays open is told."""

import json
import threading
import time
from datetime import timedelta

import pytest
from flask import Flask

from kanban import clock, feed, live
from kanban.db import db
from kanban.feed import MOST_WAITING, Audience, Feed, Parts, Stream, message
from kanban.live import MOST, prune, publish, topics_since
from kanban.security import SignedIn
from kanban.transactions import transaction
from kanban.views.live import make_parts
from kanban.views.parts import page_of
from kanban.wakeups import Listener
from tests.cast import PEOPLE, Cast, Signed
from tests.streams import ENDED, Listening


def nothing(_audience: Audience, _topics: list[str]) -> Parts | None:
    return None


def looking(cast: Cast, who: str, page: str = "/boards/1", mine: bool = False) -> Audience:
    actor = cast.actors[who]
    signed = SignedIn(
        actor.id, "", actor.name, actor.email, "", "", actor.access, "ru", actor.tone, "", False, True, None, False, actor.roles
    )
    shown = page_of(page)
    assert shown
    return Audience(shown, actor.access, frozenset(actor.role_ids), "ru", actor.id if mine else None, signed)


def since(last: int) -> tuple[int, list[str]]:
    with db.engine.connect() as connection:
        return topics_since(connection, last)


def newest() -> int:
    with db.engine.connect() as connection:
        return live.last_id(connection)


def test_after_a_quiet_day_a_page_is_told_what_changed_and_no_more(cast: Cast) -> None:
    cast.place()
    seen = newest()
    with transaction() as session:
        prune(session, clock.now() + timedelta(days=1))
    assert newest() == seen
    with transaction() as session:
        publish(session, "card-7")
    assert since(seen)[1] == ["card-7"]
    assert since(seen - 5)[1] == ["resync"]  # what it missed is gone


def test_a_stream_tells_topics_once_and_what_was_missed(app: Flask, cast: Cast) -> None:
    cast.place()
    missed = newest()
    with transaction() as session:
        publish(session, "card-7", "head-1", "card-7")
    found = Feed(db.engine, 4, nothing)
    one = Listening(found, 1, missed)
    assert one.news() == {"topics": ["card-7", "head-1"]}
    with transaction() as session:
        publish(session, "order-3", "!9")
    assert one.news() == {"topics": ["order-3"]}
    one.close()
    end(found)


def test_pages_that_look_alike_get_parts_that_were_made_once(app: Flask, cast: Cast) -> None:
    order = cast.place()
    made: list[Audience] = []

    def counted(audience: Audience, topics: list[str]) -> Parts | None:
        made.append(audience)
        return make_parts(app, audience, topics)

    found = Feed(db.engine, 40, counted)
    alike = [Listening(found, cast.people[who], None, looking(cast, who)) for who in ("manager", "manager")]
    others = [
        Listening(found, cast.people["owner"], None, looking(cast, "owner")),
        Listening(found, cast.people["manager"], None, looking(cast, "manager", "/boards/1?mine=1", mine=True)),
        Listening(found, cast.people["designer"], None, looking(cast, "designer", "/boards/1?mine=1", mine=True)),
        Listening(found, cast.people["viewer"]),
    ]
    for one in (*alike, *others):
        one.next()
    cast.move(order, "ready")
    news = [one.news() for one in (*alike, *others)]
    assert len(made) == 4
    assert news[0] == news[1] and f'id="card-order-{order.id}"' in news[0]["html"]
    assert news[0]["places"] == [{"order": order.id, "status": cast.statuses["ready"], "rank": news[0]["places"][0]["rank"]}]
    assert "hx-swap-oob" in news[0]["html"] and f'id="head-{cast.statuses["design"]}"' in news[0]["html"]
    assert "/settings/rules/new" in news[2]["html"] and "/settings/rules/new" not in news[0]["html"]
    assert news[3]["places"] == [{"order": order.id, "status": None}] and "card-order" not in news[3]["html"]  # it is not theirs
    assert "html" not in news[5] and f"card-{order.id}" in news[5]["topics"]
    for one in (*alike, *others):
        one.close()
    end(found)


@pytest.mark.parametrize("who", PEOPLE)
def test_parts_of_the_stream_are_those_that_the_page_would_fetch(app: Flask, cast: Cast, who: str) -> None:
    order = cast.place(responsible_id=cast.people["manager"])
    made = cast.produce(order)
    cast.move(order, "ready")
    signed = Signed(app.test_client(), cast.email(who))
    for page in ("/boards/1", "/boards/2", "/way", "/boards/1?mine=1", "/boards/1?q=Хасанова"):
        heads = [cast.statuses["ready"], cast.statuses["making"]]
        fetched = signed.get(f"/fresh?cards={order.id},{made.id}&heads={heads[0]},{heads[1]}", htmx=True, page=page)
        topics = [f"card-{order.id}", f"card-{made.id}", *(f"head-{one}" for one in heads), "order-1", "bell-1"]
        parts = make_parts(app, looking(cast, who, page, mine="mine" in page), topics)
        assert parts and parts.html == fetched.get_data(as_text=True)
        said = json.loads(fetched.headers["HX-Trigger"])["potok:place"]["places"]
        assert [place.to_json() for place in parts.places] == said


@pytest.mark.parametrize(
    ("url", "has_parts"),
    [("/live?page=/boards/1", True), ("/live?page=/orders/1", False), ("/live", False), ("/live?page=/boards/1?q=" + "я" * 500, False)],
)
def test_what_a_stream_is_asked_for(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch, url: str, has_parts: bool) -> None:
    joined: list[Audience | None] = []
    found: Feed = app.extensions["potok_feed"]
    monkeypatch.setattr(found, "join", lambda person_id, last, audience: joined.append(audience) or Stream(person_id, audience, 0, []))
    answer = Signed(app.test_client(), cast.email("manager")).get(url)
    assert answer.status_code == 200 and answer.mimetype == "text/event-stream"
    assert [one is not None for one in joined] == [has_parts]
    assert app.test_client().get(url).status_code == 401


def test_too_much_at_once_is_fetched_by_the_page(app: Flask, cast: Cast) -> None:
    audience = looking(cast, "manager")
    assert make_parts(app, audience, ["board-1", "card-1"]) is None
    assert make_parts(app, audience, [f"card-{number}" for number in range(100)]) is None
    assert make_parts(app, audience, ["order-1", "bell-2"]) is None
    assert make_parts(app, audience, ["card-x", "card-99999999999999999999"]) is None


def test_parts_that_can_not_be_made_leave_the_topics(app: Flask, cast: Cast) -> None:
    def failing(_audience: Audience, _topics: list[str]) -> Parts | None:
        raise RuntimeError("no")

    found = Feed(db.engine, 4, failing)
    one = Listening(found, 1, None, looking(cast, "manager"))
    one.next()
    with transaction() as session:
        publish(session, "card-7")
    assert one.news() == {"topics": ["card-7"]}
    one.close()
    end(found)


def test_who_takes_nothing_is_told_to_draw_all_anew() -> None:
    stream = Stream(1, None, 0, [])
    for number in range(MOST_WAITING + 1):
        stream.put(message(number, [f"card-{number}"]), number)
    assert len(stream._texts) < MOST_WAITING and b"resync" in b"".join(stream._texts)


def test_more_than_can_be_told_is_all(cast: Cast) -> None:
    seen = newest()
    for number in range(MOST + 1):
        with transaction() as session:
            publish(session, f"card-{number}")
    assert since(seen)[1] == ["resync"]


def test_a_stream_that_nobody_came_for_takes_no_place(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Feed(db.engine, 1, nothing)
    monkeypatch.setattr(feed, "BEAT_S", 0.1)
    monkeypatch.setattr(feed, "LOOK_S", 0.1)
    found.join(1, None)
    assert found.join(2, None) is None
    end_at = time.monotonic() + 20
    while (joined := found.join(2, None)) is None and time.monotonic() < end_at:
        time.sleep(0.05)
    assert joined is not None
    end(found)


def test_at_the_end_of_the_process_streams_end(app: Flask, cast: Cast) -> None:
    found = Feed(db.engine, 4, nothing)
    one = Listening(found, 1)
    one.next()
    threading.Timer(0.1, found.end).start()
    assert one.next() == ENDED
    one.close()
    end(found)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_stream_that_can_not_begin_takes_no_place_and_a_dead_poller_is_replaced(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Feed(db.engine, 3, nothing)

    def failing(*_: object) -> Listener:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(feed, "listen", failing)
        for _ in range(5):
            with pytest.raises(OSError, match="Too many"):
                found.join(1, None)
    assert not found._streams

    class Dying:
        def wait(self, seconds: float) -> None:
            raise SystemExit

        def end(self) -> None: ...

        def close(self) -> None: ...

    with monkeypatch.context() as patch:
        patch.setattr(feed, "listen", lambda *_: Dying())
        found.join(1, None)
        poller = found._poller
        assert poller is None or not poller.join(5)
    found.join(2, None)
    replaced = found._poller
    assert replaced is not None and replaced.is_alive()
    found.end()
    replaced.join(5)
    assert not replaced.is_alive()


def end(found: Feed) -> None:
    poller = found._poller
    found.end()
    if poller:
        poller.join(5)
