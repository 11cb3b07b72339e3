"""The mail account letters go out by: from the environment, or from the settings page with its password sealed."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kanban.config import Config
from rules.models import MailAccount

SECURITIES = ("tls", "starttls", "none")


@dataclass(frozen=True)
class Account:
    """What a transport needs to know. security: tls from the first byte, starttls, or none."""

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


def seal(password: str, key: str) -> str:
    """The password as it is stored: Fernet, with a key that is not in the database."""
    return _box(key).encrypt(password.encode()).decode() if password else ""


def unseal(sealed: str, key: str) -> str:
    """The password, or "" where it was sealed with another key (then the server's refusal says the rest)."""
    try:
        return _box(key).decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken:
        return ""


def _box(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))


def from_environment(config: Config) -> Account | None:
    """The account of the SMTP_ settings, which go before the settings page."""
    if not config.smtp_host:
        return None
    return Account(
        address=config.smtp_from or config.smtp_user, sender_name=config.smtp_from_name, host=config.smtp_host,
        port=config.smtp_port, security=config.smtp_security, username=config.smtp_user, password=config.smtp_password,
        timeout_s=config.smtp_timeout_s, ca_file=config.smtp_ca_file,
    )  # fmt: skip


def stored_account(session: Session) -> MailAccount | None:
    return session.scalar(select(MailAccount).order_by(MailAccount.id).limit(1))


def as_account(stored: MailAccount, config: Config) -> Account:
    """The stored account, opened for use."""
    return Account(
        address=stored.address, sender_name=stored.sender_name, host=stored.host, port=stored.port,
        security=stored.security, username=stored.username, password=unseal(stored.sealed_password, config.seal_key),
        timeout_s=stored.timeout_s, ca_file=config.smtp_ca_file, stored_id=stored.id,
    )  # fmt: skip


def current_account(session: Session, config: Config) -> Account | None:
    """The account letters go out by now; None: they go to the tray."""
    from_env = from_environment(config)
    if from_env is not None:
        return from_env
    stored = stored_account(session)
    return as_account(stored, config) if stored else None


def note_health(session: Session, account_id: int, *, sent_at: datetime | None = None, error: str = "", at: datetime | None = None) -> None:
    """Keeps when the account last worked, or what it last said."""
    values: dict[str, object] = {"last_sent_at": sent_at} if sent_at else {"last_error": error, "last_error_at": at}
    session.execute(update(MailAccount).where(MailAccount.id == account_id).values(**values))
