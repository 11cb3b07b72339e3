"""Beats: each process writes now and then that it is there. One that can't write any more does not beat either."""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.db import db
from kanban.errors import Busy, Unwritable
from kanban.live import publish
from kanban.models import Beat, Part
from kanban.transactions import Turn, transaction

log = logging.getLogger("potok.beats")
EVERY = timedelta(seconds=10)
SILENT = timedelta(seconds=30)  # three beats
FORGOTTEN = timedelta(days=1)
WORKER_TOPIC = "worker"  # of pages that say so where no worker is at work


def beat(session: Session, part: Part, name: str, now: datetime) -> None:
    session.merge(Beat(part=part, name=name, at=now))
    session.execute(delete(Beat).where(Beat.part == part, Beat.name != name, Beat.at < now - FORGOTTEN))


def last_beat(session: Session, part: Part) -> datetime | None:
    """Of any process of this kind, whatever its name."""
    return session.scalar(select(func.max(Beat.at)).where(Beat.part == part))


def is_silent(beat_at: datetime | None, now: datetime) -> bool:
    """A beat of the future is of a clock that went wrong, and no sign of life."""
    return beat_at is None or abs(now - beat_at) >= SILENT


@dataclass(frozen=True)
class WorkerState:
    beat_at: datetime | None
    is_silent: bool


def worker_state(session: Session, now: datetime) -> WorkerState:
    """Of the liveliest worker there is."""
    at = last_beat(session, Part.WORKER)
    return WorkerState(at, is_silent(at, now))


class WebBeat:
    """The beat of this web process, and its look at the workers': where all of them fall silent, or are back, pages hear of it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._wrote: float | None = None  # monotonic; None: nobody has started it
        self._looks_from: float | None = None  # monotonic: a worker that starts beside it has as long to beat
        self.wrote_at: datetime | None = None
        self.worker = WorkerState(None, is_silent=False)

    def start(self, app: Flask) -> None:
        self._wrote = time.monotonic()
        self._looks_from = self._wrote + SILENT.total_seconds()
        threading.Thread(target=self._run, args=(app,), name="web-beat", daemon=True).start()

    @property
    def is_silent(self) -> bool:
        return self._wrote is not None and time.monotonic() - self._wrote >= SILENT.total_seconds()

    def _run(self, app: Flask) -> None:
        with app.app_context():
            while True:
                try:
                    self.look()
                except (Busy, Unwritable):
                    pass  # it is in the log already
                except Exception:
                    log.exception("the web's beat failed")
                    db.session.rollback()
                time.sleep(EVERY.total_seconds())

    def look(self) -> None:
        """Needs an application context."""
        now, before = clock.now(), self.worker
        with transaction(Turn.NONE) as session:
            beat(session, Part.WEB, self._name, now)
            found = worker_state(session, now)
            if self._looks_from is not None and time.monotonic() < self._looks_from:
                found = WorkerState(found.beat_at, is_silent=False)
        if found.is_silent != before.is_silent:
            with transaction(Turn.NONE) as session:
                publish(session, WORKER_TOPIC)
        self.worker, self._wrote, self.wrote_at = found, time.monotonic(), now
        if found.is_silent and not before.is_silent:
            log.error("no worker has written for %s seconds: no e-mail leaves", int(SILENT.total_seconds()))
