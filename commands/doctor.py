"""`python app.py doctor`: whether all is well, a line each. It changes nothing, and sends no e-mail."""

import shutil
import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path

from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from kanban import clock
from kanban.backup import schedule
from kanban.beats import SILENT, is_silent, last_beat
from kanban.config import Config
from kanban.db import db, revision
from kanban.models import Part
from rules.mail import accounts, check
from rules.models import Gateway, MailAccount, Message
from rules.post.outbox import oldest_waiting
from rules.post.pause import pause_of
from rules.seal import unseal

LOW, VERY_LOW = 2_000_000_000, 200_000_000  # bytes free
LATE = timedelta(minutes=15)  # an e-mail that is due and has not left
LEAST_KEY = 32
OLD = timedelta(hours=30)  # a daily backup
AHEAD = timedelta(minutes=1)
ANSWER_S = 5
ROOT = Path(__file__).parent.parent


class Level(Enum):
    OK = "ok"
    WARNING = "warning"
    FAULT = "FAULT"


@dataclass(frozen=True)
class Finding:
    level: Level
    about: str
    said: str


Findings = Iterator[Finding]


def _ok(about: str, said: str) -> Finding:
    return Finding(Level.OK, about, said)


def _warning(about: str, said: str) -> Finding:
    return Finding(Level.WARNING, about, said)


def _fault(about: str, said: str) -> Finding:
    return Finding(Level.FAULT, about, said)


def doctor(app: Flask, config: Config, instance: Path) -> int:
    """Prints what it finds. Returns 1 where there is a fault."""
    found: list[Finding] = []
    with app.app_context():
        first = {
            "settings": lambda: _settings(config),
            "demo": lambda: _demo(instance, config),
            "rights": lambda: _rights(instance),
            "disk": lambda: _disk(instance, config),
            "database": _database,
        }
        for name, look in first.items():
            found += _safely(name, look)
        if not any(one.about == "database" and one.level is Level.FAULT for one in found):
            session, now = db.session(), clock.now()
            for name, look in _of_database(session, now, config).items():
                found += _safely(name, look)
    for one in found:
        print(f"{one.level.value:8} {one.about:10} {one.said}")
    return int(any(one.level is Level.FAULT for one in found))


def _of_database(session: Session, now: datetime, config: Config) -> dict[str, Callable[[], Findings]]:
    return {
        "keys": lambda: _keys(session, config),
        "clock": lambda: _clock(session, now),
        "worker": lambda: _beats(session, now),
        "e-mails": lambda: _messages(session, now),
        "mail": lambda: _mail(session, config),
        "backup": lambda: _backups(session, now, config),
        "proxy": lambda: _proxy(config),
    }


def _safely(about: str, look: Callable[[], Findings]) -> list[Finding]:
    """One that breaks keeps no other from looking."""
    try:
        return list(look())
    except Exception as error:
        db.session.rollback()
        return [_fault(about, f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}")]


def _settings(config: Config) -> Findings:
    if config.is_open_to_listeners:
        yield _warning("settings", "PUBLIC_URL is http: passwords and orders cross the network as plain text")
    else:
        yield _ok("settings", f"read; Potok is at {config.public_url}")
    if config.password_hash_cost == "cheap":
        yield _fault("settings", "PASSWORD_HASH_COST is cheap: that is for tests, stolen passwords would be guessed")


def _demo(instance: Path, config: Config) -> Findings:
    if (instance / "demo.txt").exists() and config.is_known_to_others:
        yield _warning("demo", "its people sign in with the passwords of demo.txt: give them others, or set DEMO=0 in a new folder")


def _rights(instance: Path) -> Findings:
    open_to_others = [path for path in (instance, *instance.iterdir()) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_to_others:
        names = ", ".join(sorted(path.name for path in open_to_others))
        yield _fault("rights", f"others on this machine may read {names}: chmod -R go= {instance}")
    else:
        yield _ok("rights", f"{instance} is its owner's only")


def _disk(instance: Path, config: Config) -> Findings:
    folders = {instance, Path(config.backup_dir) if Path(config.backup_dir).is_dir() else instance}
    for folder in sorted(folders):
        free = shutil.disk_usage(folder).free
        level = Level.FAULT if free < VERY_LOW else Level.WARNING if free < LOW else Level.OK
        yield Finding(level, "disk", f"{free / 1e9:.1f} GB free for {folder}")


def _database() -> Findings:
    session = db.session()
    kind = session.get_bind().dialect.name
    if kind == "sqlite" and not Path(db.engine.url.database or "").exists():
        yield _fault("database", f"there is none at {db.engine.url.database}")
        return
    tables = revision(session)
    head = ScriptDirectory(str(ROOT / "migrations")).get_current_head()
    if tables != head:
        yield _fault("database", f"its tables are of version {tables}, the program wants {head}: python app.py migrate")
        return
    if kind == "sqlite":
        said = [row[0] for row in session.execute(text("PRAGMA integrity_check(3)"))]
        broken = session.execute(text("PRAGMA foreign_key_check")).all()
        if said != ["ok"] or broken:
            damage = "; ".join(said) if said != ["ok"] else f"{len(broken)} rows point nowhere"
            yield _fault("database", f"damaged: {damage[:200]}")
            return
    size = session.scalar(
        text(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            if kind == "sqlite"
            else "SELECT pg_database_size(current_database())"
        )
    )
    session.rollback()
    yield _ok("database", f"{kind}, {(size or 0) / 1e6:.0f} MB, version {tables}, whole")


def _keys(session: Session, config: Config) -> Findings:
    short = [name.upper() for name in ("secret_key", "seal_key") if len(getattr(config, name)) < LEAST_KEY]
    if short:
        yield _warning("keys", f"{' and '.join(short)} can be guessed: fewer than {LEAST_KEY} characters")
    sealed = [one for row in session.execute(select(MailAccount.sealed_password, MailAccount.sealed_token)) for one in row if one]
    sealed += [one for one in session.scalars(select(Gateway.sealed_fields)) if one]
    closed = [one for one in sealed if not unseal(one, config.seal_key)]
    if closed:
        said = f"{len(closed)} of {len(sealed)} secrets were sealed with another key: put seal_key back, or type those passwords anew"
        yield _fault("keys", said)
    else:
        yield _ok("keys", f"seal_key opens all {len(sealed)} secrets")


def _clock(session: Session, now: datetime) -> Findings:
    newest = max((at for at in (last_beat(session, Part.WEB), last_beat(session, Part.WORKER)) if at), default=now)
    if session.get_bind().dialect.name == "postgresql":
        newest = session.scalar(select(func.clock_timestamp())) or newest
        if abs(newest - now) > AHEAD:
            yield _fault("clock", f"this machine and the database's differ by {abs(newest - now).total_seconds():.0f} s")
            return
    if newest - now > AHEAD:
        yield _fault("clock", f"something was written at {newest:%Y-%m-%d %H:%M} UTC, and here it is {now:%Y-%m-%d %H:%M}")
        return
    yield _ok("clock", f"{clock.local(now):%Y-%m-%d %H:%M} in {clock.local(now).tzinfo}")


def _beats(session: Session, now: datetime) -> Findings:
    for part in (Part.WEB, Part.WORKER):
        at = last_beat(session, part)
        since = f"silent since {clock.local(at):%Y-%m-%d %H:%M}" if at else "has never written"
        if is_silent(at, now):
            yield _fault(part.value, f"{since}: is Potok running?")
        else:
            yield _ok(part.value, f"wrote within {SILENT.total_seconds():.0f} s")


def _messages(session: Session, now: datetime) -> Findings:
    due = oldest_waiting(session, now)
    failed = session.scalar(
        select(func.count()).select_from(Message).where(Message.state == "failed", Message.created_at > now - timedelta(days=1))
    )
    if pause_of(session):
        yield _warning("e-mails", "those of rules are paused: Settings → Messages")
    elif due and now - due > LATE:
        yield _warning("e-mails", f"the oldest should have left at {clock.local(due):%Y-%m-%d %H:%M}")
    else:
        yield _ok("e-mails", "none is late")
    if failed:
        yield _warning("e-mails", f"{failed} failed since yesterday: Settings → Messages")


def _mail(session: Session, config: Config) -> Findings:
    """Signs in to each account, as far as the server lets it."""
    rows = session.scalars(select(MailAccount).order_by(MailAccount.id)).all()
    opened = [(row.address, accounts.as_account(row, config)) for row in rows]
    session.rollback()  # nothing is kept open over the network
    for address, account in opened:
        if account.oauth:
            yield _ok("mail", f"{address} signs in by a token; the worker tries it")
            continue
        checked = check.sign_in(account)
        said = "; ".join(f"{step.name} {step.seen}" for step in checked.steps)
        yield Finding(Level.OK if checked.is_good else Level.FAULT, "mail", " ".join(f"{address}: {said} {checked.answer}".split())[:400])
    if not opened:
        yield _warning("mail", "no account: e-mails stay in the tray")


def _backups(session: Session, now: datetime, config: Config) -> Findings:
    if config.database_url.startswith("postgres") and not shutil.which("pg_dump"):
        yield _fault("backup", "pg_dump is missing: install PostgreSQL's client programs, as new as the server")
    last = schedule.plan(session, now, config).last_done
    if not config.backup_kept_days:
        yield _warning("backup", "none is made by itself: BACKUP_KEPT_DAYS is 0")
    elif last is None or now - last.asked_at > OLD:
        yield Finding(
            Level.WARNING, "backup", f"the last is of {clock.local(last.asked_at):%Y-%m-%d %H:%M}" if last else "there is none yet"
        )
    elif not (Path(config.backup_dir) / last.name).exists():
        yield _warning("backup", f"{last.name} is no longer in {config.backup_dir}")
    else:
        yield _ok("backup", f"{last.name}, {last.size / 1e6:.1f} MB")
    if not config.backup_passphrase:
        yield _warning("backup", "a file holds all keys, and BACKUP_PASSPHRASE is not set: keep the files where nobody else reads")


def _proxy(config: Config) -> Findings:
    """Whether Potok answers where people look for it."""
    try:
        with urllib.request.urlopen(f"{config.public_url}/readyz", timeout=ANSWER_S) as answer:
            is_ours = answer.read(100).strip() == b'{"ready":true}'
        said = "Potok answers there" if is_ours else "something else answers there"
        yield Finding(Level.OK if is_ours else Level.FAULT, "proxy", f"{config.public_url}: {said}")
    except (urllib.error.URLError, OSError, ValueError) as error:
        yield _fault("proxy", f"{config.public_url} does not answer: {getattr(error, 'reason', error)}")
    if config.is_https and not config.trusted_proxies:
        yield Finding(
            Level.WARNING,
            "proxy",
            "TRUSTED_PROXIES is empty: behind a proxy all visitors have one address, and share the limits of sign-in",
        )
