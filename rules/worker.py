"""The worker process: looks at the outbox, sends what is due, and says that it lives."""

import logging
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from types import FrameType

from flask import Flask
from sqlalchemy.orm import Session

from kanban import clock, guesses, journal, sign_ins
from kanban.backup.keeper import Keeper
from kanban.beats import beat
from kanban.config import Config
from kanban.db import db
from kanban.errors import Busy, Unwritable
from kanban.i18n import _
from kanban.live import prune as prune_feed
from kanban.models import Part
from kanban.transactions import Turn, transaction
from kanban.wakeups import Listener, Topic, listen
from rules.logs.run_log import prune_runs
from rules.mail.accounts import keep_environment
from rules.post import admin_notices, held, outbox, sign_in_emails
from rules.post.lane import LaneWorker
from rules.post.pause import pause_of
from rules.post.retention import forget_texts
from rules.post.routes import may_leave, stored_of
from rules.running import delayed, lists, reminders, schedule
from rules.running.engine import Engine
from rules.running.upcoming import Upcoming, upcoming

log = logging.getLogger(__name__)

BEAT = timedelta(seconds=10)
TICK = timedelta(seconds=20)
PRUNE = timedelta(minutes=10)
FEED_KEPT = timedelta(days=1)
HELD_UP_S = 2.0  # while something is due that may not go just now
BUSY_S = 0.25  # between two looks while a lane is under way: it may end before it hears that there is more
ANSWER = timedelta(seconds=1)  # nor sooner: a second request must not meet the work of the first, and so learn that there is some
ANSWER_FIRST_S = 0.02  # whoever caused it gets their answer meanwhile, as both want the same processor
APART_S = 0.05  # between the beginnings of two looks, however often it is woken
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Worker:
    """Looks what is due and starts a lane for each account that has some. Any number of workers may run, each with a
    WORKER_NAME of its own."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._config: Config = app.config["POTOK"]
        self._stop = threading.Event()
        self._beat_at = LONG_AGO
        self._pruned_at = self._ticked_at = self._beat_at
        self._answered_at = self._beat_at
        self._lanes: dict[outbox.Lane, tuple[LaneWorker, threading.Thread]] = {}
        self._listener: Listener | None = None
        self._is_busy = self._has_more = False
        self._backups = Keeper(app, self._tell_of_failed_backup)
        self._knows_environment = False

    def run(self) -> None:
        """Until stop() is called. A failure of the database is logged and waited out."""
        log.info("the worker %s begins", self._config.worker_name)
        with self._app.app_context():
            self._listener = listen(db.engine, Topic.OUTBOX)
            self._free(self._config.worker_name)
            self._backups.give_up()
            while not self._stop.is_set():
                began = time.monotonic()
                try:
                    self.look()
                except (Busy, Unwritable):
                    self._stop.wait(1)  # it is in the log already
                except Exception:
                    log.exception("the worker failed")
                    db.session.rollback()
                    self._stop.wait(1)
                self._listener.wait(self._sleep_s())
                self._stop.wait(max(ANSWER_FIRST_S, began + APART_S - time.monotonic()))
            self._wait()
            self._listener.close()
        log.info("the worker %s ends", self._config.worker_name)

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Finish the messages in hand, then end."""
        self._stop.set()
        if self._listener is not None:
            self._listener.end()

    def _sleep_s(self) -> float:
        """Until something comes due, but no longer than poll_s. What comes meanwhile wakes it."""
        now = clock.now()
        try:
            found = upcoming(db.session())
        except Exception:
            found = Upcoming(None, None, has_resets=False)  # the next look will say what is wrong
        db.session.rollback()
        is_held_up = found.has_resets or any(at is not None and at <= now for at in (found.message_at, found.ring_at))
        most = BUSY_S if self._is_busy or self._has_more else HELD_UP_S if is_held_up else self._config.poll_s
        comes_at = found.comes_at(now)
        return most if comes_at is None else min(most, (comes_at - now).total_seconds() + 0.001)

    def step(self) -> bool:
        """One look, and all that comes of it: whether there was anything to send. Needs an application context."""
        busy = self.look()
        self._wait()
        db.session.rollback()
        return busy

    def look(self) -> bool:
        """Starts the lanes that have something due and are not under way. By reads, so that an idle worker never takes
        SQLite's write lock."""
        now = clock.now()
        self._keep_house(now)
        found = upcoming(db.session())
        if found.ring_at is not None and found.ring_at <= now:
            self._ring(now)
            found = upcoming(db.session())
        if found.has_resets:
            self._answer_resets(now)
        elif found.message_at is None or found.message_at > now:
            db.session.rollback()
            self._is_busy = False
            return False
        now = clock.now()  # what has just been put in is due too
        is_paused = pause_of(db.session()) is not None
        due = [lane for lane in outbox.lanes_due(db.session(), now, only_asked_for=is_paused) if self._may_go(lane, now)]
        db.session.rollback()
        self._is_busy = bool(due)
        for lane in due:
            if lane in self._lanes and self._lanes[lane][1].is_alive():
                self._lanes[lane][0].look_again()
                continue
            run = LaneWorker(self._app, self._config, lane, self._stop.is_set)
            thread = threading.Thread(target=run.run, name=f"lane-{lane.account_id or lane.channel}")
            self._lanes[lane] = run, thread
            thread.start()
        return bool(due)

    def _ring(self, now: datetime) -> None:
        """To-dos that are due. Where there are more of them the next look goes on."""
        with transaction(Turn.NONE) as session:
            reminders.ring(session, now, self._config)

    def _answer_resets(self, now: datetime) -> None:
        """Wishes for a new password: made into messages here, so that the web takes as long for an address that nobody has."""
        if not _is_time(self._answered_at, now, ANSWER):
            return
        self._answered_at = now
        with transaction(Turn.NONE) as session:
            sign_in_emails.answer_resets(session, self._config)

    def _may_go(self, lane: outbox.Lane, now: datetime) -> bool:
        """Whether its account or gateway may send now: awake, and within its limits."""
        session = db.session()
        return may_leave(session, stored_of(session, lane, self._config), now, 1) > 0

    def _wait(self) -> None:
        for _run, thread in self._lanes.values():
            thread.join()
        self._lanes.clear()

    def _keep_house(self, now: datetime) -> None:
        if not self._knows_environment:
            with transaction() as session:  # numbered: workers that start together take turns, and make one row
                keep_environment(session, self._config)
            self._knows_environment = True
        if _is_time(self._beat_at, now, BEAT):
            with transaction(Turn.NONE) as session:
                beat(session, Part.WORKER, self._config.worker_name, now)
            if outbox.has_run_out(db.session(), now):
                self._free()
            self._backups.look(now)
            self._beat_at = now
        if _is_time(self._ticked_at, now, TICK):
            schedule.tick()
            lists.send_due(self._config)
            delayed.perform_due(Engine(self._config).perform)
            self._ticked_at = now
        if _is_time(self._pruned_at, now, PRUNE):
            with transaction(Turn.NONE) as session:
                prune_feed(session, now - FEED_KEPT)
                guesses.prune(session, now)
                sign_ins.prune(session, now, timedelta(days=self._config.sign_in_idle_days), timedelta(days=self._config.sign_in_days))
                has_more_lines = journal.prune(session, now - timedelta(days=self._config.journal_kept_days))
                has_more = prune_runs(session, now - timedelta(days=self._config.runs_kept_days))
                has_more |= has_more_lines
                has_more |= forget_texts(session, now - timedelta(days=self._config.messages_kept_days))
            self._has_more = has_more
            self._pruned_at = self._pruned_at if has_more else now  # the next look goes on

    def _free(self, worker: str | None = None) -> None:
        """Messages that somebody let fall wait again, or are held: both at once, so that none goes in between."""
        with transaction() as session:
            freed = outbox.free_claims(session, clock.now(), worker=worker)
            held.hold(session, freed, clock.now(), self._config)
        if freed:
            log.warning("%s messages of a worker that ended in the middle wait again", len(freed))

    def _tell_of_failed_backup(self, session: Session, reason: str, id_: int) -> None:
        told = admin_notices.AdminNotice("backup", f"backup-{id_}", _("The backup failed: %(reason)s", reason=reason))
        admin_notices.tell(session, [told], clock.now(), self._config)


def _is_time(last: datetime, now: datetime, every: timedelta) -> bool:
    """Whether it is time again; also where the clock was set back behind the last time."""
    return not timedelta(0) <= now - last < every


def run_worker(app: Flask) -> None:
    """The process: until SIGTERM or SIGINT."""
    worker = Worker(app)
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    worker.run()
