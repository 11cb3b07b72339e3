"""Mail accounts as they are used: the environment's, the company's, and any of them opened for sending."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban.config import Config
from rules.models import MailAccount
from rules.seal import unseal
from rules.transports.account import Account
from rules.transports.reach import reach_of

SECURITIES = ("tls", "starttls", "none")


def keep_environment(session: Session, config: Config) -> None:
    """The account of the SMTP_ settings has a row like the others, for its health and limits; it goes with the settings."""
    stored = _of_kind(session, "environment")
    if not config.smtp_host:
        if stored is not None:
            session.delete(stored)
        return
    values: dict[str, object] = {
        "address": config.smtp_from or config.smtp_user,
        "sender_name": config.smtp_from_name,
        "host": config.smtp_host,
        "port": config.smtp_port,
        "security": config.smtp_security,
        "username": config.smtp_user,
        "timeout_s": config.smtp_timeout_s,
        "per_hour": config.smtp_per_hour,
        "per_day": config.smtp_per_day,
    }
    if stored is None:
        session.add(MailAccount(kind="environment", **values))
    elif any(getattr(stored, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(stored, name, value)
        stored.paused_until, stored.failures = None, 0


def system_account(session: Session, config: Config) -> MailAccount | None:
    """The account messages go out by unless something else was wished: of the environment, else of the settings page.
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
        address=stored.address,
        sender_name=stored.sender_name,
        host=stored.host,
        port=stored.port,
        security=stored.security,
        username=stored.username,
        password=secret,
        timeout_s=stored.timeout_s,
        ca_file=config.smtp_ca_file,
        stored_id=stored.id,
        ca_pem=stored.ca_pem,
        name_servers=config.dns_servers,
        oauth=stored.oauth,
        copy_to_self=stored.copy_to_self,
        per_letter=stored.per_letter,
        receive_host=stored.receive_host,
        receive_port=stored.receive_port,
        receive_security=stored.receive_security,
        receive_username=stored.receive_username,
        keep_sent=stored.keep_sent,
        sent_folder=stored.sent_folder,
        reach=reach_of(config),
        is_sealed=bool(stored.sealed_password) and not secret and not is_environment,
    )
