"""The worker process: looks at the outbox, sends what is due, and says that it lives."""

import logging
import signal
import threading
from datetime import datetime, timedelta
from types import FrameType

from flask import Flask
from sqlalchemy import delete

from kanban import clock
from kanban.config import Config
from kanban.db import db, transaction
from kanban.models import Change, SignIn
from rules import outbox
from rules.accounts import current_account
from rules.deliveries import deliver
from rules.models import WorkerBeat

log = logging.getLogger(__name__)

BEAT = timedelta(seconds=5)
PRUNE = timedelta(minutes=10)
FEED_KEPT = timedelta(days=1)
SIGN_IN_KEPT = timedelta(days=90)


class Worker:
    """One loop. Any number of them may run on PostgreSQL, each with a WORKER_NAME of its own."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._config: Config = app.config["POTOK"]
        self._stop = threading.Event()
        self._beat_at = datetime.min.replace(tzinfo=clock.now().tzinfo)
        self._pruned_at = self._beat_at

    def run(self) -> None:
        """Until stop() is called. A failure of the database is logged and waited out."""
        with self._app.app_context():
            self._free_predecessor()
            while not self._stop.is_set():
                try:
                    busy = self.step()
                except Exception:
                    log.exception("the worker stumbled")
                    db.session.rollback()
                    busy = False
                    self._stop.wait(1)
                if not busy:
                    self._stop.wait(self._config.poll_s)

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Finish the letter in hand, then end."""
        self._stop.set()

    def step(self) -> bool:
        """One look at the outbox: whether there was anything to send. Needs an application context."""
        now = clock.now()
        self._keep_house(now)
        if not self._is_anything_due(now):
            return False
        with transaction(numbered=False) as session:
            messages = outbox.claim(session, self._config.worker_name, self._config.lease_s, now)
        account = current_account(db.session(), self._config)
        db.session.expunge_all()
        db.session.rollback()
        if messages:
            deliver(messages, account, self._config, self._stop.is_set)
        return bool(messages)

    def _is_anything_due(self, now: datetime) -> bool:
        """Asked by a read first, so that an idle worker never takes SQLite's write lock."""
        due = outbox.oldest_waiting(db.session(), now)
        db.session.rollback()
        return due is not None

    def _keep_house(self, now: datetime) -> None:
        if now - self._beat_at >= BEAT:
            with transaction(numbered=False) as session:
                session.merge(WorkerBeat(name=self._config.worker_name, at=now))
                outbox.free_claims(session, now)
            self._beat_at = now
        if now - self._pruned_at >= PRUNE:
            with transaction(numbered=False) as session:
                session.execute(delete(Change).where(Change.at < now - FEED_KEPT))
                session.execute(delete(SignIn).where(SignIn.created_at < now - SIGN_IN_KEPT))
            self._pruned_at = now

    def _free_predecessor(self) -> None:
        with transaction(numbered=False) as session:
            freed = outbox.free_claims(session, clock.now(), worker=self._config.worker_name)
        if freed:
            log.warning("%s letters of a worker that ended in the middle wait again", freed)


def run_worker(app: Flask) -> None:
    """The process: until SIGTERM or SIGINT."""
    worker = Worker(app)
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    worker.run()
