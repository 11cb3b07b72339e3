"""Setting up mail accounts: whose an account is, who may, and the verbs that write it. A password goes in and never comes out."""

import re
import ssl
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban import clock, journal
from kanban.actor import Actor
from kanban.emails import clean_email
from kanban.errors import Forbidden, Invalid, NotFound
from kanban.i18n import _
from kanban.ids import read_id
from kanban.journal import Kind
from kanban.models import Person
from kanban.policy import may_administer, require_write
from rules.mail import oauth
from rules.mail.accounts import SECURITIES
from rules.models import MailAccount
from rules.seal import seal
from rules.transports.ends import TYPE_AGAIN, End, end_of, must_be_typed

MAIL_PORTS = (25, 143, 465, 587, 993, 2525)
MOST_PEM = 20_000


@dataclass(frozen=True)
class AccountKey:
    """An account as a URL names it: system, environment, person-5, named-7, or named-new. id: of the person, or of the account."""

    kind: str
    id: int | None = None

    def __str__(self) -> str:
        if self.kind == "person":
            return f"person-{self.id}"
        return f"named-{self.id or 'new'}" if self.kind == "named" else self.kind


def read_which(text: str) -> AccountKey:
    """Raises NotFound for what names no account."""
    if text in ("system", "environment"):
        return AccountKey(text)
    if text == "named-new":
        return AccountKey("named")
    found = re.fullmatch(r"(person|named)-([0-9]{1,18})", text)
    id_ = read_id(found[2]) if found else None
    if not found or id_ is None:
        raise NotFound(_("Mail account not found."))
    return AccountKey(found[1], id_)


def which_of(stored: MailAccount) -> AccountKey:
    return AccountKey(stored.kind, {"person": stored.person_id, "named": stored.id}.get(stored.kind))


def require_may_set_up(actor: Actor, which: AccountKey) -> None:
    """Administrators any account, employees their own; who only looks has none."""
    require_write(actor)
    if not may_administer(actor) and which != AccountKey("person", actor.id):
        raise Forbidden(_("Only an administrator can open this mail account."))


def find(session: Session, which: AccountKey) -> MailAccount | None:
    """None where it isn't set up yet. Raises NotFound where it can't be."""
    if which.kind == "person":
        if session.get(Person, which.id) is None:
            raise NotFound(_("Employee not found."))
        return session.scalar(select(MailAccount).where(MailAccount.person_id == which.id))
    if which.kind == "named":
        found = session.get(MailAccount, which.id) if which.id else None
        if which.id and (found is None or found.kind != "named"):
            raise NotFound(_("Mail account not found."))
        return found
    return session.scalar(select(MailAccount).where(MailAccount.kind == which.kind).order_by(MailAccount.id).limit(1))


@dataclass(frozen=True)
class SendingSettings:
    """What the tab of sending says. password: "" keeps the one there is. found: receiving and limits, as found with it."""

    address: str
    sender_name: str
    host: str
    port: int
    security: str
    username: str
    timeout_s: int
    password: str = ""
    found: dict[str, Any] | None = None


def set_sending(session: Session, actor: Actor, which: AccountKey, values: SendingSettings, key: str) -> MailAccount:
    """Raises Forbidden, NotFound, Invalid. A pause of the account ends: somebody has seen to it."""
    stored = _writable(session, actor, which)
    address = clean_email(values.address)
    _require_server(actor, values.host, values.port, values.security)
    if stored is None:
        stored = MailAccount(kind=which.kind, person_id=which.id if which.kind == "person" else None)
        session.add(stored)
    else:
        after = _end(values.host, values.port, values.security)
        _require_password(stored, _end(stored.host, stored.port, stored.security), after, values.password)
    stored.address, stored.sender_name = address, values.sender_name
    stored.host, stored.port, stored.security = values.host, values.port, values.security
    stored.username, stored.timeout_s = values.username, values.timeout_s
    if values.found is not None:
        _require_receiving(
            actor, stored, values.found["receive_host"], values.found["receive_port"], values.found["receive_security"], values.password
        )
        for name, value in values.found.items():
            setattr(stored, name, value)
    _keep_password(stored, values.password, key)
    _seen_to(stored)
    session.flush()
    journal.note(session, Kind.ACCOUNT_CHANGED, actor, about=stored.address, part="sending", server=stored.host)
    return stored


@dataclass(frozen=True)
class ReceivingSettings:
    """What the tab of receiving says. host: "" where nothing is received."""

    host: str
    port: int
    security: str
    username: str
    password: str = ""


def set_receiving(session: Session, actor: Actor, which: AccountKey, values: ReceivingSettings, key: str) -> MailAccount:
    """Raises Forbidden, NotFound, Invalid."""
    stored = _existing(session, actor, which)
    _require_receiving(actor, stored, values.host, values.port, values.security, values.password)
    stored.receive_host, stored.receive_port, stored.receive_security = values.host, values.port, values.security
    stored.receive_username = values.username
    stored.keep_sent = stored.keep_sent and bool(values.host)
    _keep_password(stored, values.password, key)
    _seen_to(stored)
    journal.note(session, Kind.ACCOUNT_CHANGED, actor, about=stored.address, part="receiving", server=stored.receive_host)
    return stored


@dataclass(frozen=True)
class OtherSettings:
    """What the tab of other settings says; numbers are 0 where there is no limit."""

    per_hour: int
    per_day: int
    per_letter: int
    copy_to_self: bool
    keep_sent: bool
    sent_folder: str
    fall_back: bool
    ca_pem: str
    password: str = ""


def set_other(session: Session, actor: Actor, which: AccountKey, values: OtherSettings, key: str) -> MailAccount:
    """Raises Forbidden, NotFound, Invalid. Whoever trusts another authority could pass a server of theirs off as the right one."""
    stored = _existing(session, actor, which)
    _require_certificates(values.ca_pem)
    if values.ca_pem not in ("", stored.ca_pem) and _has_secret(stored) and not values.password:
        raise Invalid(
            _("This changes the trusted CA: enter the password again. It is only sent to the server it was entered for."), "password"
        )
    if values.keep_sent and not stored.receive_host:
        raise Invalid(_("Keeping a copy in the Sent folder needs an incoming server: set it on the Receiving tab first."), "keep_sent")
    for name, value in vars(values).items():
        if name != "password":
            setattr(stored, name, value)
    _keep_password(stored, values.password, key)
    _seen_to(stored)
    journal.note(session, Kind.ACCOUNT_CHANGED, actor, about=stored.address, part="other")
    return stored


def set_token(session: Session, actor: Actor, which: AccountKey, service: str, sealed_token: str) -> None:
    """From now on it signs in with this service instead of a password. Raises Forbidden, NotFound, Invalid."""
    stored = _existing(session, actor, which)
    require_servers_of(stored, service)
    stored.oauth, stored.sealed_token, stored.sealed_password = service, sealed_token, ""
    _seen_to(stored)
    journal.note(session, Kind.ACCOUNT_CHANGED, actor, about=stored.address, part="token", server=service)


def require_servers_of(stored: MailAccount, service: str) -> None:
    """A token opens the whole mailbox: it goes to the service's own servers, and by TLS. Raises Invalid."""
    hosts, known = {stored.host, stored.receive_host} - {""}, oauth.SERVICES[service]
    if not hosts <= set(known.hosts) or "none" in (stored.security, stored.receive_host and stored.receive_security):
        raise Invalid(
            _("This sign-in needs %(service)s's own servers with SSL/TLS or STARTTLS. Press “Find settings”.", service=known.name),
            "host",
        )


def correct_username(session: Session, account_id: int, name: str, value: str) -> None:
    """name: username or receive_username, as the check found it to be right."""
    stored = session.get(MailAccount, account_id)
    if stored is not None:
        setattr(stored, name, value)


def remove(session: Session, actor: Actor, which: AccountKey) -> None:
    """Its waiting messages go by the firm's account (of the firm's own: into the tray). Raises Forbidden, NotFound."""
    stored = _existing(session, actor, which)
    journal.note(session, Kind.ACCOUNT_CHANGED, actor, about=stored.address, part="removed")
    session.delete(stored)


def wake(session: Session, actor: Actor, which: AccountKey) -> None:
    """Ends a pause at once. Raises Forbidden, NotFound."""
    require_may_set_up(actor, which)
    stored = find(session, which)
    if stored is not None:
        stored.paused_until, stored.failures = None, 0


def _writable(session: Session, actor: Actor, which: AccountKey) -> MailAccount | None:
    require_may_set_up(actor, which)
    if which.kind == "environment":
        raise Invalid(_("This account is set by the SMTP environment settings and can only be changed there."), "address")
    return find(session, which)


def _existing(session: Session, actor: Actor, which: AccountKey) -> MailAccount:
    stored = _writable(session, actor, which)
    if stored is None:
        raise NotFound(_("Save the address and the outgoing server first."))
    return stored


def _require_receiving(actor: Actor, stored: MailAccount, host: str, port: int, security: str, password: str) -> None:
    if not host:
        return
    _require_server(actor, host, port, security)
    before = _end(stored.receive_host, stored.receive_port, stored.receive_security)
    _require_password(stored, before, _end(host, port, security), password)


def _end(host: str | None, port: int, security: str) -> End:
    return end_of(host or "", port, is_verified=security != "none")  # of a new account there is none yet


def _require_server(actor: Actor, host: str, port: int, security: str) -> None:
    """Employees reach ports of mail only: an account is no means of looking around in the firm's network."""
    if not re.fullmatch(r"[\w.:-]{1,254}", host) or host.startswith(("-", ".")) or not _is_name(host):
        raise Invalid(_("Enter only the server name, such as smtp.yandex.ru."), "host")
    if security not in SECURITIES:
        raise Invalid(_("This choice no longer exists."), "security")
    if not may_administer(actor) and port not in MAIL_PORTS:
        raise Invalid(_("This is not a mail port. Use one of these: %(ports)s.", ports=", ".join(map(str, MAIL_PORTS))), "port")


def _is_name(host: str) -> bool:
    """Whether its parts are as long as DNS allows."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _require_password(stored: MailAccount, before: End, after: End, password: str) -> None:
    if must_be_typed(before, after, has_secret=_has_secret(stored), is_typed=bool(password)):
        raise Invalid(_(TYPE_AGAIN), "password")


def _has_secret(stored: MailAccount) -> bool:
    return bool(stored.sealed_password or stored.sealed_token)


def _require_certificates(pem: str) -> None:
    if not pem:
        return
    if len(pem) > MOST_PEM:
        raise Invalid(_("This is too long: at most %(most)s characters.", most=MOST_PEM), "ca_pem")
    try:
        ssl.create_default_context().load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError, TypeError):  # the last: letters outside ASCII
        raise Invalid(_("This is not a PEM certificate. It must begin with “-----BEGIN CERTIFICATE-----”."), "ca_pem") from None


def _keep_password(stored: MailAccount, password: str, key: str) -> None:
    if password:
        stored.sealed_password, stored.oauth, stored.sealed_token = seal(password, key), "", ""


def _seen_to(stored: MailAccount) -> None:
    stored.changed_at, stored.paused_until, stored.failures = clock.now(), None, 0
