"""Wake-ups: who waits is woken by the commit, and by nothing else."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from kanban import wakeups
from kanban.db import db
from kanban.transactions import Saved, transaction, what_was_saved
from kanban.wakeups import Listener, Topic, listen, wake

LONG_S = 20.0  # nobody waits as long who is woken
SHORT_S = 0.3


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    wakeups.set_folder(tmp_path)
    yield tmp_path / "wakeups"
    wakeups._folder[0] = None


class Waiting:
    """A thread that waits for one wake-up."""

    def __init__(self, listener: Listener, seconds: float = LONG_S) -> None:
        self._began, self.took = time.monotonic(), 0.0
        self._listener, self._seconds = listener, seconds
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def _wait(self) -> None:
        self._listener.wait(self._seconds)
        self.took = time.monotonic() - self._began

    def end(self) -> float:
        """Seconds it waited."""
        self._thread.join()
        return self.took


Begin = Callable[..., Listener]


@pytest.fixture
def begun() -> Iterator[Begin]:
    """A listener that hears what is said from now on: on PostgreSQL it LISTENs from its first wait."""
    all_of_them: list[Listener] = []

    def begin(topic: Topic = Topic.OUTBOX) -> Listener:
        all_of_them.append(listen(db.engine, topic))
        all_of_them[-1].wait(SHORT_S)
        return all_of_them[-1]

    yield begin
    for listener in all_of_them:
        listener.close()


def test_a_commit_wakes_who_listens_to_its_topic(app: Flask, begun: Begin) -> None:
    outbox, other, feed = begun(), begun(), begun(Topic.FEED)
    waiting = [Waiting(outbox), Waiting(other)]
    deaf = Waiting(feed, 2)
    with transaction() as session:
        wake(session, Topic.OUTBOX)
        time.sleep(SHORT_S)
        assert not any(one.took for one in waiting), "not before the commit"
    assert all(one.end() < LONG_S / 2 for one in waiting) and deaf.end() >= 2


def test_what_was_said_before_the_wait_counts_once(app: Flask, begun: Begin) -> None:
    listener = begun()
    for _ in range(3):
        with transaction() as session:
            wake(session, Topic.OUTBOX)
    assert Waiting(listener).end() < LONG_S / 2
    if db.engine.dialect.name == "sqlite":
        assert Waiting(listener, SHORT_S).end() >= SHORT_S, "several are one"


def test_what_is_rolled_back_wakes_nobody(app: Flask, begun: Begin) -> None:
    waiting = Waiting(begun(), 1)
    with pytest.raises(ZeroDivisionError), transaction() as session:
        wake(session, Topic.OUTBOX)
        1 / 0  # noqa: B018
    with transaction():
        pass
    assert waiting.end() >= 1


def test_an_end_ends_this_wait_and_all_later_ones(app: Flask, begun: Begin) -> None:
    listener = begun()
    waiting = Waiting(listener)
    listener.end()
    assert waiting.end() < LONG_S / 2 and Waiting(listener).end() < LONG_S / 2


@pytest.mark.one_database
def test_a_deep_folder_is_no_hindrance_and_who_has_gone_is_forgotten(app: Flask, begun: Begin, tmp_path: Path) -> None:
    wakeups.set_folder(tmp_path / ("deep" * 30))
    folder = tmp_path / ("deep" * 30) / "wakeups"
    gone, listener = begun(), begun()
    name = gone._name  # type: ignore[attr-defined]
    gone._socket.close()  # type: ignore[attr-defined]
    assert len(str(folder)) > wakeups.LONGEST_PATH and (folder / name).exists()
    with transaction() as session:
        wake(session, Topic.OUTBOX)
    assert Waiting(listener).end() < LONG_S / 2 and not (folder / name).exists()


@pytest.mark.one_database
def test_without_a_folder_everybody_looks_by_the_clock(app: Flask) -> None:
    wakeups._folder[0] = None
    listener = listen(db.engine, Topic.OUTBOX)
    with transaction() as session:
        wake(session, Topic.OUTBOX)
    assert Waiting(listener, SHORT_S).end() >= SHORT_S


@pytest.mark.postgresql
def test_a_lost_connection_is_made_anew(app: Flask, begun: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups, "AGAIN_S", 0.1)
    listener = begun()
    waiting = Waiting(listener)
    with transaction() as session:
        session.execute(sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"))
    time.sleep(1)
    with transaction() as session:
        wake(session, Topic.OUTBOX)
    assert waiting.end() < LONG_S / 2


@pytest.mark.one_database
def test_where_no_socket_can_be_made_it_waits_by_the_clock(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wakeups.set_folder(tmp_path / "file")
    listener = listen(db.engine, Topic.OUTBOX)
    with transaction() as session:
        wake(session, Topic.OUTBOX)
    assert Waiting(listener, SHORT_S).end() >= SHORT_S


@pytest.mark.one_database
def test_a_commit_stands_whatever_becomes_of_its_wake_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptor(*_: object) -> None:
        raise OSError(24, "Too many open files")

    listen(db.engine, Topic.OUTBOX).close()
    monkeypatch.setattr(wakeups.socket, "socket", no_descriptor)
    with transaction() as session:
        wake(session, Topic.OUTBOX)
    assert what_was_saved() is Saved.ALL
