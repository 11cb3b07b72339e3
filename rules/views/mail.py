"""Settings → Mail: the account letters go out by, found from its address, proved by a test letter."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from wtforms import IntegerField, PasswordField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, NumberRange

from kanban import clock
from kanban.config import Config
from kanban.db import db, transaction
from kanban.errors import Invalid
from kanban.forms.fields import PotokForm, line
from kanban.i18n import _, _l, language
from kanban.people import clean_email
from kanban.settings import setting
from kanban.views.guard import admin_only, person
from rules.accounts import Account, as_account, keep_environment, note_error, note_sent, seal, stored_account, system_account
from rules.frame import letter_of
from rules.models import MailAccount, Message
from rules.providers import find_provider
from rules.transports import Answer
from rules.transports.smtp import Smtp

bp = Blueprint("mail", __name__, url_prefix="/settings/mail")


class AccountForm(PotokForm):
    address = line(_l("Address"), 254, DataRequired(_l("Write an e-mail address.")))
    password = PasswordField(_l("Password"), [Length(max=500)])
    sender_name = line(_l("Sender's name"), 120)
    host = line(_l("Outgoing server"), 254, DataRequired(_l("Write the server, or press “Find settings”.")))
    port = IntegerField(_l("Port"), [NumberRange(1, 65535)], default=465)
    security = SelectField(
        _l("Security"), choices=[SelectChoice("tls", "SSL/TLS"), SelectChoice("starttls", "STARTTLS"), SelectChoice("none", _l("none"))]
    )
    username = line(_l("User name"), 254)
    timeout_s = IntegerField(_l("Wait, s"), [NumberRange(1, 120)], default=20)


@bp.get("")
@admin_only
def show() -> Any:
    return _page(_form_of(stored_account(db.session())))


@bp.post("/find")
@admin_only
def find() -> Any:
    """«Find settings»: fills the form from the address; nothing is saved."""
    form = AccountForm()
    provider = find_provider(form.address.data or "")
    if provider is None:
        return _page(form, found=False)
    form.host.data, form.port.data, form.security.data = provider.smtp.host, provider.smtp.port, provider.smtp.security
    form.username.data = form.username.data or form.address.data
    return _page(form, found=True, provider=provider)


@bp.post("/save")
@admin_only
def save() -> Any:
    form = AccountForm()
    if not form.validate():
        return _page(form, code=422)
    try:
        address = clean_email(form.address.data or "")
    except Invalid as error:
        form.address.errors = [str(error.reason)]
        return _page(form, code=422)
    sealed = seal(form.password.data or "", _config().seal_key)
    with transaction() as session:
        account = stored_account(session) or MailAccount()
        account.address, account.sender_name, account.host = address, form.sender_name.data or "", form.host.data or ""
        account.port, account.security = int(form.port.data or 0), str(form.security.data)
        account.username = form.username.data or ""
        account.timeout_s, account.changed_at = int(form.timeout_s.data or 20), clock.now()
        account.sealed_password = sealed or account.sealed_password or ""
        account.paused_until, account.failures = None, 0
        session.add(account)
    flash(_("Saved. Send a test letter to be sure."))
    return redirect(url_for("mail.show"), 303)


@bp.post("/test")
@admin_only
def test() -> Any:
    """A real letter to the administrator who asks, at once; the server's own words come back."""
    with transaction(numbered=False) as session:
        keep_environment(session, _config())
    used = system_account(db.session(), _config())
    account = as_account(used, _config()) if used else None
    form = _form_of(stored_account(db.session()))
    if account is None:
        return _page(form, answer=Answer("failed", _("Save an account first.")), code=422)
    letter = letter_of(_test_message(account), _config().public_url)
    db.session.rollback()
    with Smtp(replace(account, timeout_s=min(account.timeout_s, 20)), 25) as smtp:
        answer = smtp.send(letter)
    with transaction(numbered=False) as session:
        if answer.outcome == "sent":
            note_sent(session, account.stored_id or 0, clock.now(), wakes=True)
        else:
            note_error(session, account.stored_id or 0, answer.text, clock.now())
    return _page(_form_of(stored_account(db.session())), answer=answer, code=200 if answer.outcome == "sent" else 422)


@bp.post("/remove")
@admin_only
def remove() -> Any:
    """Back to the tray."""
    with transaction() as session:
        account = stored_account(session)
        if account is not None:
            session.delete(account)
    flash(_("Letters go to the tray now."))
    return redirect(url_for("mail.show"), 303)


def _test_message(account: Account) -> Message:
    who = person()
    company = setting(db.session(), "company")
    return Message(
        key="", kind="test", address=who.email, name=who.name, subject=_("Potok: a test letter"),
        text=_("If you read this, letters of Potok arrive. It was sent by %(account)s.", account=account.address),
        layout={"firm": company, "why": {"kind": "test"}}, language=language(),
        message_id=f"<potok.test.{clock.now().timestamp():.6f}@potok>",
    )  # fmt: skip


def _form_of(account: MailAccount | None) -> AccountForm:
    if account is None:
        return AccountForm(formdata=None, sender_name=setting(db.session(), "company"), port=465, security="tls", timeout_s=20)
    return AccountForm(
        formdata=None, address=account.address, sender_name=account.sender_name, host=account.host, port=account.port,
        security=account.security, username=account.username, timeout_s=account.timeout_s,
    )  # fmt: skip


def _page(form: AccountForm, *, found: bool | None = None, provider: Any = None, answer: Answer | None = None, code: int = 200) -> Any:
    stored = stored_account(db.session())
    environment = system_account(db.session(), _config()) if _config().smtp_host else None
    html = render_template(
        "mail/page.html", form=form, stored=stored, found=found, provider=provider or find_provider(form.address.data or ""), answer=answer,
        by_environment=environment or (_config().smtp_host and {"host": _config().smtp_host}),
    )  # fmt: skip
    return html, code


def _config() -> Config:
    config: Config = current_app.config["POTOK"]
    return config
