"""When a backup is made, what came of it, and how long it is kept. The rows are what the page shows."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from pathlib import Path

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from kanban import clock, journal
from kanban.actor import Actor
from kanban.config import Config
from kanban.errors import Conflict
from kanban.i18n import _
from kanban.live import publish
from kanban.models import Backup
from kanban.policy import require_admin

AGAIN = timedelta(hours=1)  # after one that failed
FIRST = timedelta(hours=1)  # after the first start, so that a try-out doesn't begin with a backup
LOST = timedelta(hours=6)  # one that runs for so long has been given up by whoever made it
ROWS_KEPT = timedelta(days=90)
SHOWN = 100
TOPIC = "backups"
OURS = re.compile(r"potok-\d{4}-\d\d-\d\d-\d{6}\.tar(\.gz)?")


class State(StrEnum):
    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Plan:
    """next_at None: none is made by itself."""

    next_at: datetime | None
    last_done: Backup | None
    is_under_way: bool


def slot_before(now: datetime, hour: int) -> datetime:
    """The last time of the day that a backup was due at."""
    today = clock.local(now).date()
    slot = clock.at(today, time(hour))
    return slot if slot <= now else clock.at(today - timedelta(days=1), time(hour))


def plan(session: Session, now: datetime, config: Config) -> Plan:
    last = _last(session, State.DONE)
    under_way = session.scalar(select(Backup.id).where(_open(now)).limit(1)) is not None
    if not config.backup_kept_days:
        return Plan(None, last, under_way)
    slot = slot_before(now, config.backup_hour)
    is_done = last is not None and last.asked_at >= slot
    failed = _last(session, State.FAILED)
    if last is None and failed is None:
        return Plan(None, None, under_way)  # an hour after the start
    again = failed.asked_at + AGAIN if failed is not None and (last is None or failed.id > last.id) else now
    tomorrow = clock.at(clock.local(slot).date() + timedelta(days=1), time(config.backup_hour))
    return Plan(tomorrow if is_done else max(now, again), last, under_way)


def ask(session: Session, actor: Actor) -> None:
    """A backup now. Raises Forbidden, and Conflict where one is under way."""
    require_admin(actor)
    if session.scalar(select(Backup.id).where(_open(clock.now())).limit(1)):
        raise Conflict(_("A backup is already being made."))
    session.add(Backup(state=State.ASKED, asked_at=clock.now(), by=actor.name))
    journal.note(session, journal.Kind.BACKUP_ASKED, actor)
    publish(session, TOPIC)


def is_due(session: Session, now: datetime, config: Config, started_at: datetime) -> bool:
    """By reads. started_at: when this worker began."""
    if session.scalar(select(Backup.id).where(Backup.state == State.ASKED).limit(1)):
        return True
    if not config.backup_kept_days or session.scalar(select(Backup.id).where(_open(now)).limit(1)):
        return False
    done, failed = _last(session, State.DONE), _last(session, State.FAILED)
    if done is None and failed is None:
        return now - started_at >= FIRST
    if failed is not None and now - failed.asked_at < AGAIN:
        return False
    return done is None or done.asked_at < slot_before(now, config.backup_hour)


def claim(session: Session, now: datetime, config: Config, started_at: datetime) -> int | None:
    """The row of the backup that this worker is to make now; None where another one was faster. Needs a numbered transaction."""
    if not is_due(session, now, config, started_at):
        return None
    row = session.scalars(select(Backup).where(Backup.state == State.ASKED).order_by(Backup.id).limit(1)).first()
    if row is None:
        row = Backup(state=State.RUNNING, asked_at=now, worker=config.worker_name)
        session.add(row)
    row.state, row.worker = State.RUNNING, config.worker_name
    session.flush()
    publish(session, TOPIC)
    return row.id


def settle(session: Session, id_: int, state: State, now: datetime, *, name: str = "", size: int = 0, error: str = "") -> None:
    values = {"state": state, "ended_at": now, "name": name, "size": size, "error": error[:500]}
    session.execute(update(Backup).where(Backup.id == id_).values(values))
    session.execute(delete(Backup).where(Backup.asked_at < now - ROWS_KEPT))
    publish(session, TOPIC)


def is_first_failure(session: Session, id_: int) -> bool:
    """Since the last that was done: it is tried again each hour, and nobody wants to hear of it each time."""
    done = select(func.coalesce(func.max(Backup.id), 0)).where(Backup.state == State.DONE).scalar_subquery()
    before = select(Backup.id).where(Backup.state == State.FAILED, Backup.id < id_, Backup.id > done)
    return session.scalar(before.limit(1)) is None


def give_up(session: Session, worker: str, error: str) -> None:
    """What this worker had begun before it fell."""
    lost = update(Backup).where(Backup.state == State.RUNNING, Backup.worker == worker)
    session.execute(lost.values(state=State.FAILED, ended_at=clock.now(), error=error))


def remove_old(folder: Path, now: datetime, kept_days: int) -> list[str]:
    """Of the files that Potok made by itself there, those that are too old; never the newest. Their names."""
    found = sorted((path for path in folder.iterdir() if OURS.fullmatch(path.name)), key=lambda path: path.stat().st_mtime)
    before = (now - timedelta(days=kept_days)).timestamp()
    old = [path for path in found[:-1] if path.stat().st_mtime < before]
    for path in old:
        path.unlink()
    return [path.name for path in old]


def backups(session: Session) -> list[Backup]:
    """The newest first."""
    return list(session.scalars(select(Backup).order_by(Backup.id.desc()).limit(SHOWN)))


def _open(now: datetime) -> ColumnElement[bool]:
    return (Backup.state == State.ASKED) | ((Backup.state == State.RUNNING) & (Backup.asked_at > now - LOST))


def _last(session: Session, state: State) -> Backup | None:
    return session.scalars(select(Backup).where(Backup.state == state).order_by(Backup.id.desc()).limit(1)).first()
