"""Settings from the environment, read once at the start. The table in docs/settings.md is checked against this file."""

import dataclasses
import os
import re
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kanban.domains import ascii_url
from kanban.proxies import read_networks

LogFormat = Literal["text", "json"]


class ConfigError(SystemExit):
    """A setting is unknown or malformed; its text is the sentence that the start ends with."""


@dataclasses.dataclass(frozen=True)
class Config:
    """One field per environment variable, in lower case. Durations are seconds (`_s`)."""

    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    trusted_proxies: str = ""
    security_contact: str = ""
    database_url: str = ""
    secret_key: str = dataclasses.field(default="", repr=False)
    seal_key: str = dataclasses.field(default="", repr=False)
    time_zone: str = "Europe/Moscow"
    currency: str = ""
    demo: int = 1
    undo_window_s: int = 15
    poll_s: float = 10.0
    lease_s: int = 120
    letter_deadline_s: int = 30
    retry_first_s: int = 60
    retry_cap_s: int = 4 * 3600
    retry_for_s: int = 5 * 24 * 3600
    runs_kept_days: int = 400
    messages_kept_days: int = 400
    journal_kept_days: int = 400
    sign_in_days: int = 90
    sign_in_idle_days: int = 14
    confirmed_for_s: int = 3600
    backup_dir: str = ""
    backup_hour: int = 3
    backup_kept_days: int = 14
    backup_passphrase: str = dataclasses.field(default="", repr=False)
    worker_name: str = ""
    web_threads: int = 40
    live_streams: int = 1000
    smtp_host: str = ""
    smtp_port: int = 465
    smtp_security: str = "tls"
    smtp_user: str = ""
    smtp_password: str = dataclasses.field(default="", repr=False)
    smtp_from: str = ""
    smtp_from_name: str = ""
    smtp_ca_file: str = ""
    smtp_timeout_s: int = 20
    smtp_per_hour: int = 0
    smtp_per_day: int = 0
    dns_servers: str = ""
    inner_hosts: str = ""
    oauth_google_id: str = ""
    oauth_google_secret: str = dataclasses.field(default="", repr=False)
    oauth_microsoft_id: str = ""
    oauth_microsoft_secret: str = dataclasses.field(default="", repr=False)
    oauth_microsoft_tenant: str = "common"
    password_hash_cost: str = "full"
    log_format: LogFormat = "text"
    log_level: str = "info"

    @property
    def public_host(self) -> str:
        """The host of PUBLIC_URL, which Message-IDs end with."""
        return host_of(self.public_url)

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def is_open_to_listeners(self) -> bool:
        """Whether passwords would cross a network as plain text."""
        return not self.is_https and self.is_known_to_others

    @property
    def is_known_to_others(self) -> bool:
        """Whether Potok has an address beyond this machine."""
        host = urlsplit(self.public_url).hostname or ""
        return host != "localhost" and not host.startswith("127.") and host != "::1"


def host_of(public_url: str) -> str:
    return urlsplit(public_url).hostname or "potok"


CHOICES = {
    "smtp_security": ("tls", "starttls", "none"),
    "password_hash_cost": ("full", "cheap"),
    "demo": (0, 1),
    "log_format": ("text", "json"),
    "log_level": ("debug", "info", "warning", "error"),
}
MOST_DAYS_KEPT = 36_500
POSITIVE = (
    "port",
    "poll_s",
    "lease_s",
    "letter_deadline_s",
    "retry_first_s",
    "retry_cap_s",
    "retry_for_s",
    "runs_kept_days",
    "messages_kept_days",
    "journal_kept_days",
    "sign_in_days",
    "sign_in_idle_days",
    "confirmed_for_s",
    "web_threads",
    "smtp_port",
    "smtp_timeout_s",
)


NOT_NEGATIVE = ("smtp_per_hour", "smtp_per_day", "undo_window_s", "backup_kept_days")


def read_config(environ: Mapping[str, str], instance: Path) -> Config:
    """Reads the environment; keys that are not given are made once and kept in `instance`.

    Raises ConfigError where a value is malformed or a variable beginning with SMTP_ is not known.
    """
    known = {field.name: field for field in dataclasses.fields(Config)}
    values: dict[str, object] = {}
    for name in environ:
        if name.startswith("SMTP_") and name.lower() not in known:
            raise ConfigError(f"The setting {name} is not known; the SMTP settings are listed in docs/settings.md.")
    for name, field in known.items():
        raw = environ.get(name.upper(), "").strip()
        if raw:
            values[name] = _typed(name, type(field.default), raw)
    config = Config(**values)  # type: ignore[arg-type]
    _check(config)
    return dataclasses.replace(
        config,
        database_url=config.database_url or f"sqlite:///{instance / 'potok.db'}",
        secret_key=config.secret_key or _kept(instance / "secret_key"),
        seal_key=config.seal_key or _kept(instance / "seal_key"),
        backup_dir=config.backup_dir or str(instance / "backups"),
        worker_name=config.worker_name or socket.gethostname(),
        public_url=_public_url(config).rstrip("/"),
    )


def _public_url(config: Config) -> str:
    """In ASCII, as it stands in links, in header fields of e-mails and in Message-IDs."""
    try:
        url = ascii_url(config.public_url) if config.public_url else f"http://{config.host}:{config.port}"
        if urlsplit(url).path.strip("/"):
            raise ConfigError(f"The setting PUBLIC_URL must have no path: give Potok a name of its own, not «{config.public_url}».")
        return url
    except ValueError:
        said = f"The setting PUBLIC_URL must be an address such as https://potok.firma.ru, but is «{config.public_url}»."
        raise ConfigError(said) from None


def _typed(name: str, kind: type, raw: str) -> object:
    try:
        return kind(raw)
    except ValueError:
        raise ConfigError(f"The setting {name.upper()} must be a {kind.__name__}, but is «{raw}».") from None


def _check(config: Config) -> None:
    for name, allowed in CHOICES.items():
        if getattr(config, name) not in allowed:
            raise ConfigError(f"The setting {name.upper()} must be one of {', '.join(map(str, allowed))}.")
    for name in POSITIVE:
        if getattr(config, name) <= 0:
            raise ConfigError(f"The setting {name.upper()} must be more than zero.")
    for name in NOT_NEGATIVE:
        if getattr(config, name) < 0:
            raise ConfigError(f"The setting {name.upper()} must not be negative.")
    for name in ("runs_kept_days", "messages_kept_days", "journal_kept_days", "sign_in_days", "sign_in_idle_days", "backup_kept_days"):
        if getattr(config, name) > MOST_DAYS_KEPT:
            raise ConfigError(f"The setting {name.upper()} must be at most {MOST_DAYS_KEPT}.")
    if not 0 <= config.backup_hour <= 23:
        raise ConfigError("The setting BACKUP_HOUR must be an hour from 0 to 23.")
    if config.lease_s <= config.letter_deadline_s:
        raise ConfigError("The setting LEASE_S must be more than LETTER_DEADLINE_S, or a message could be sent twice.")
    if config.smtp_ca_file and not Path(config.smtp_ca_file).is_file():
        raise ConfigError(f"The file of SMTP_CA_FILE, {config.smtp_ca_file}, does not exist.")
    _check_networks(config)
    _check_contact(config)
    try:
        ZoneInfo(config.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(f"The setting TIME_ZONE must be a zone such as Europe/Moscow, not «{config.time_zone}».") from None


def _check_contact(config: Config) -> None:
    if config.security_contact and not re.fullmatch(r"(mailto:|https://|tel:)[!-~]{1,200}", config.security_contact):
        said = f"The setting SECURITY_CONTACT must be such as mailto:it@firma.ru, but is «{config.security_contact}»."
        raise ConfigError(said)


def _check_networks(config: Config) -> None:
    try:
        read_networks(" ".join(part for part in config.inner_hosts.replace(",", " ").split() if "/" in part))
    except ValueError as error:
        raise ConfigError(f"The setting INNER_HOSTS must list names and networks such as mail.firma.local, 10.0.0.0/8: {error}.") from None
    try:
        read_networks(config.trusted_proxies)
    except ValueError as error:
        raise ConfigError(f"The setting TRUSTED_PROXIES must list addresses such as 127.0.0.1, 10.0.0.0/8: {error}.") from None


def _kept(path: Path) -> str:
    """The secret in `path`, made at the first start and readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text().strip()
