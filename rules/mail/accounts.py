"""Mail accounts as they are used: opened, chosen, held to their limits, and their health kept."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session

from kanban.config import Config
from rules.mail.reach import NOWHERE_INSIDE, Reach, reach_of
from rules.models import Delivery, Gateway, MailAccount, Outlet

SECURITIES = ("tls", "starttls", "none")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_PAUSE = timedelta(minutes=15)
COUNTED = ("claimed", "started", "sent", "unclear", "unknown")


@dataclass(frozen=True)
class Account:
    """What a transport needs to know. security: tls from the first byte, starttls, or none. token: of oauth."""

    address: str
    sender_name: str
    host: str
    port: int
    security: str
    username: str
    password: str = field(repr=False)
    timeout_s: int = 20
    ca_file: str = ""
    stored_id: int | None = None
    ca_pem: str = ""
    name_servers: str = ""
    oauth: str = ""
    token: str = field(default="", repr=False)
    copy_to_self: bool = False
    per_letter: int = 0
    receive_host: str = ""
    receive_port: int = 993
    receive_security: str = "tls"
    receive_username: str = ""
    keep_sent: bool = False
    sent_folder: str = ""
    reach: Reach = NOWHERE_INSIDE
    is_sealed: bool = False  # its secret was sealed with another key: nothing is signed in to with it


class Sealed(OSError):
    """The secret of an account can't be opened, and must be typed again."""

    def __init__(self) -> None:
        super().__init__("the password was sealed with another key: type it again")


def seal(secret: str, key: str) -> str:
    """A secret as it is stored: Fernet, with a key that is not in the database."""
    return _box(key).encrypt(secret.encode()).decode() if secret else ""


def unseal(sealed: str, key: str) -> str:
    """The secret, or "" where it was sealed with another key (then the server's refusal says the rest)."""
    try:
        return _box(key).decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken:
        return ""


def _box(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))


def keep_environment(session: Session, config: Config) -> None:
    """The account of the SMTP_ settings has a row like the others, for its health and limits; it goes with the settings."""
    stored = _of_kind(session, "environment")
    if not config.smtp_host:
        if stored is not None:
            session.delete(stored)
        return
    values: dict[str, Any] = {
        "address": config.smtp_from or config.smtp_user, "sender_name": config.smtp_from_name, "host": config.smtp_host,
        "port": config.smtp_port, "security": config.smtp_security, "username": config.smtp_user, "timeout_s": config.smtp_timeout_s,
        "per_hour": config.smtp_per_hour, "per_day": config.smtp_per_day,
    }  # fmt: skip
    if stored is None:
        session.add(MailAccount(kind="environment", **values))
    elif any(getattr(stored, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(stored, name, value)
        stored.paused_until, stored.failures = None, 0


def system_account(session: Session, config: Config) -> MailAccount | None:
    """The account letters go out by unless something else was wished: of the environment, else of the settings page.
    None: they go to the tray."""
    return _of_kind(session, "environment") if config.smtp_host else stored_account(session)


def stored_account(session: Session) -> MailAccount | None:
    """The firm's account of the settings page."""
    return _of_kind(session, "system")


def _of_kind(session: Session, kind: str) -> MailAccount | None:
    return session.scalar(select(MailAccount).where(MailAccount.kind == kind).order_by(MailAccount.id).limit(1))


def as_account(stored: MailAccount, config: Config) -> Account:
    """The stored account, opened for use."""
    is_environment = stored.kind == "environment"
    secret = config.smtp_password if is_environment else unseal(stored.sealed_password, config.seal_key)
    return Account(
        address=stored.address, sender_name=stored.sender_name, host=stored.host, port=stored.port, security=stored.security,
        username=stored.username, password=secret,
        timeout_s=stored.timeout_s, ca_file=config.smtp_ca_file, stored_id=stored.id, ca_pem=stored.ca_pem,
        name_servers=config.dns_servers, oauth=stored.oauth, copy_to_self=stored.copy_to_self, per_letter=stored.per_letter,
        receive_host=stored.receive_host, receive_port=stored.receive_port, receive_security=stored.receive_security,
        receive_username=stored.receive_username, keep_sent=stored.keep_sent, sent_folder=stored.sent_folder, reach=reach_of(config),
        is_sealed=bool(stored.sealed_password) and not secret and not is_environment,
    )  # fmt: skip


def is_awake(stored: Outlet, now: datetime) -> bool:
    """Whether nobody asked it to wait."""
    return stored.paused_until is None or stored.paused_until <= now


@dataclass(frozen=True)
class Used:
    """Letters of the last hour and day, and the oldest of each, which frees its place first."""

    hour: int
    day: int
    oldest_of_hour: datetime | None
    oldest_of_day: datetime | None


def used(session: Session, account_id: int, now: datetime) -> Used:
    return used_by(session, now, Delivery.account_id == account_id)


def used_by(session: Session, now: datetime, *whose: ColumnElement[bool]) -> Used:
    """whose: which deliveries are of one account or gateway."""
    row = session.execute(usage(now).where(*whose)).one()
    return Used(*row)


def usage(now: datetime) -> Select[int, int, datetime, datetime]:
    """The columns of Used. A letter counts from when it had left, as the other side counts it: it may have lain claimed before."""
    left_at = func.coalesce(Delivery.ended_at, Delivery.started_at)
    hour_old = left_at > now - HOUR
    return select(func.count().filter(hour_old), func.count(), func.min(left_at).filter(hour_old), func.min(left_at)).where(
        Delivery.started_at > now - DAY - HOUR, left_at > now - DAY, Delivery.outcome.in_(COUNTED)
    )


def allowance(session: Session, stored: MailAccount, now: datetime, most: int) -> int:
    """How many letters may leave by the account now, at most `most`. A copy to oneself counts as a letter."""
    if not stored.per_hour and not stored.per_day:
        return most
    return within_limits(stored, used(session, stored.id, now), most)


def within_limits(stored: Outlet, so_far: Used, most: int) -> int:
    """How many messages may leave, at most `most`."""
    limits = ((stored.per_hour, so_far.hour), (stored.per_day, so_far.day))
    return max(0, min([most, *(limit // stored.weight - count for limit, count in limits if limit)]))


def goes_on_at(stored: Outlet, so_far: Used) -> datetime | None:
    """When the next letter may leave where a limit is reached; None where none is."""
    ends = []
    if stored.per_hour and so_far.hour >= stored.per_hour // stored.weight and so_far.oldest_of_hour:
        ends.append(so_far.oldest_of_hour + HOUR)
    if stored.per_day and so_far.day >= stored.per_day // stored.weight and so_far.oldest_of_day:
        ends.append(so_far.oldest_of_day + DAY)
    return max(ends, default=None)


Key = int | str  # of an account by its id, of a gateway by its channel


def note_sent(session: Session, key: Key, at: datetime, *, wakes: bool = False) -> None:
    """It works: its failures are forgotten. A pause that still runs stays, unless `wakes`: it may be newer than this letter."""
    model, which = _outlet(key)
    values = {"last_sent_at": at, "failures": 0} | ({"paused_until": None} if wakes else {})
    session.execute(update(model).where(which).values(values).execution_options(synchronize_session=False))


def note_error(session: Session, key: Key, error: str, at: datetime, until: datetime | None = None) -> None:
    """What it last said, and until when it is left alone. A pause that is longer already stays."""
    model, which = _outlet(key)
    said = update(model).where(which).values(last_error=error, last_error_at=at, failures=model.failures + 1)
    session.execute(said.execution_options(synchronize_session=False))
    if until is not None:
        shorter = or_(model.paused_until.is_(None), model.paused_until < until)
        rests = update(model).where(which, shorter).values(paused_until=until)
        session.execute(rests.execution_options(synchronize_session=False))


def _outlet(key: Key) -> tuple[type[MailAccount] | type[Gateway], ColumnElement[bool]]:
    return (MailAccount, MailAccount.id == key) if isinstance(key, int) else (Gateway, Gateway.channel == key)


def pause_until(failures: int, asked_s: int | None, now: datetime, first_s: int, cap_s: int) -> datetime:
    """As long as the other side asks; else `first_s`, doubling with each failure in a row, up to `cap_s`, or a quarter of an hour
    where that is less: whoever mends an account need not wait for long."""
    if asked_s is not None:
        return now + timedelta(seconds=asked_s)
    return now + min(timedelta(seconds=first_s * (1 << min(failures, 20))), MOST_PAUSE, timedelta(seconds=cap_s))
