"""The three tabs of a mail account: sending, receiving, other settings."""

from typing import Any

from wtforms import BooleanField, HiddenField, IntegerField, PasswordField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Regexp

from kanban.forms.fields import PotokForm, line, many_lines
from kanban.i18n import _l
from rules.mail.mailboxes import OtherSettings, ReceivingSettings, SendingSettings
from rules.mail.providers import FoundServers
from rules.models import MailAccount

MOST_LIMIT = 1_000_000
NO_NUMBER = _l("Enter a number.")


def password() -> PasswordField:
    return PasswordField(
        _l("Password"), [Length(max=500), Regexp(r"[^\x00-\x1f\x7f]*\Z", message=_l("A password can't contain line breaks."))]
    )


def port(label: object, default: int) -> IntegerField:
    return IntegerField(
        label, [InputRequired(NO_NUMBER), NumberRange(1, 65535, _l("A port must be a number from 1 to 65535."))], default=default
    )


def security(label: object) -> SelectField:
    choices = [SelectChoice("tls", "SSL/TLS"), SelectChoice("starttls", "STARTTLS"), SelectChoice("none", _l("none"))]
    return SelectField(label, choices=choices)


def limit(label: object) -> IntegerField:
    return IntegerField(label, [InputRequired(NO_NUMBER), NumberRange(0, MOST_LIMIT, _l("Enter a number from 0 to a million."))], default=0)


class SendingForm(PotokForm):
    """found: "1" where receiving and limits, in the hidden fields, came with the servers and are to be saved with them."""

    address = line(_l("Address"), 254, DataRequired(_l("Enter an e-mail address.")))
    password = password()
    sender_name = line(_l("Sender name"), 120)
    host = line(_l("Outgoing server"), 254, DataRequired(_l("Enter the server, or press “Find settings”.")))
    port = port(_l("Port"), 465)
    security = security(_l("Security"))
    username = line(_l("User name"), 254)
    timeout_s = IntegerField(
        _l("Timeout, s"), [InputRequired(NO_NUMBER), NumberRange(1, 120, _l("Enter a number from 1 to 120."))], default=20
    )
    found = HiddenField(default="")
    receive_host = HiddenField(validators=[Length(max=254)], default="")
    receive_port = HiddenField(default="993")
    receive_security = HiddenField(default="tls")
    per_hour = HiddenField(default="0")
    per_day = HiddenField(default="0")
    per_letter = HiddenField(default="0")

    def fill(self, found: FoundServers) -> None:
        """Puts what was found into the fields; a user name that was typed stays."""
        self.host.data, self.port.data, self.security.data = found.smtp.host, found.smtp.port, found.smtp.security
        for field in (self.host, self.port, self.security, self.username):
            field.raw_data = None
        self.username.data = found.username or self.username.data or self.address.data
        imap, provider = found.imap, found.provider
        self.found.data = "1"
        self.receive_host.data = imap.host if imap else ""
        self.receive_port.data, self.receive_security.data = (imap.port, imap.security) if imap else (993, "tls")
        self.per_hour.data, self.per_day.data, self.per_letter.data = (
            (provider.per_hour, provider.per_day, provider.per_letter) if provider else (0, 0, 0)
        )

    def values(self) -> SendingSettings:
        return SendingSettings(
            self.address.data or "",
            self.sender_name.data or "",
            self.host.data or "",
            int(self.port.data or 0),
            str(self.security.data),
            self.username.data or "",
            int(self.timeout_s.data or 20),
            self.password.data or "",
            self._found(),
        )

    def _found(self) -> dict[str, Any] | None:
        if self.found.data != "1":
            return None
        security = self.receive_security.data
        return {
            "receive_host": self.receive_host.data or "",
            "receive_port": _number(self.receive_port.data, 65_535) or 993,
            "receive_security": security if security in ("tls", "starttls") else "tls",
        } | {name: _number(self[name].data, MOST_LIMIT) for name in ("per_hour", "per_day", "per_letter")}


def _number(text: object, most: int) -> int:
    """0 for what is none: only a page of ours fills a hidden field."""
    plain = str(text or "")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 and int(plain) <= most else 0


class ReceivingForm(PotokForm):
    host = line(_l("Incoming server"), 254)
    port = port(_l("Port"), 993)
    security = security(_l("Security"))
    username = line(_l("User name"), 254)
    password = password()

    def values(self) -> ReceivingSettings:
        return ReceivingSettings(
            self.host.data or "", int(self.port.data or 993), str(self.security.data), self.username.data or "", self.password.data or ""
        )


class OtherForm(PotokForm):
    per_day = limit(_l("Max. e-mails per day"))
    per_hour = limit(_l("Max. e-mails per hour"))
    per_letter = limit(_l("Max. recipients per e-mail"))
    copy_to_self = BooleanField(_l("Send a blind copy of each e-mail to its own address"))
    keep_sent = BooleanField(_l("Keep a copy in the Sent folder"))
    sent_folder = line(_l("Sent folder"), 120)
    fall_back = BooleanField(_l("Send what fails from the company account"))
    ca_pem = TextAreaField(_l("Custom CA certificate (PEM)"), filters=[many_lines])
    password = password()

    def values(self) -> OtherSettings:
        return OtherSettings(
            int(self.per_hour.data or 0),
            int(self.per_day.data or 0),
            int(self.per_letter.data or 0),
            bool(self.copy_to_self.data),
            bool(self.keep_sent.data),
            self.sent_folder.data or "",
            bool(self.fall_back.data),
            self.ca_pem.data or "",
            self.password.data or "",
        )


def sending_form(stored: MailAccount | None, sender_name: str, address: str) -> SendingForm:
    """As it is stored; else empty, with what is known."""
    if stored is None:
        return SendingForm(formdata=None, sender_name=sender_name, address=address, security="tls")
    return SendingForm(
        formdata=None,
        address=stored.address,
        sender_name=stored.sender_name,
        host=stored.host,
        port=stored.port,
        security=stored.security,
        username=stored.username,
        timeout_s=stored.timeout_s,
    )


def receiving_form(stored: MailAccount) -> ReceivingForm:
    return ReceivingForm(
        formdata=None,
        host=stored.receive_host,
        port=stored.receive_port,
        security=stored.receive_security,
        username=stored.receive_username,
    )


def other_form(stored: MailAccount) -> OtherForm:
    return OtherForm(formdata=None, obj=stored)
