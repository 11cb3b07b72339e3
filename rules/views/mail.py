"""Mail accounts: the firm's, employees' and named ones, each with its three tabs. An employee has the own one at /me/mail."""

import hmac
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from kanban import clock
from kanban.config import Config
from kanban.db import db
from kanban.errors import Invalid, NotFound
from kanban.htmx import go, is_htmx
from kanban.http.guard import admin_only, confirmed, person, signed_in
from kanban.i18n import _
from kanban.models import Person
from kanban.policy import may_administer
from kanban.settings import setting
from kanban.transactions import Turn, transaction
from rules.forms.account import OtherForm, ReceivingForm, SendingForm, other_form, receiving_form, sending_form
from rules.mail import mailboxes, oauth
from rules.mail.accounts import keep_environment, system_account
from rules.mail.mailboxes import AccountKey, read_which, require_may_set_up, which_of
from rules.mail.providers import Provider, find_provider, provider_of_server
from rules.models import MailAccount
from rules.post.health import health_of, health_of_all, without_account

bp = Blueprint("mail", __name__)
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
TABS = ("sending", "receiving", "other")
NEEDS_CHECK = "check_mail"
OAUTH = "mail_oauth"


def both(rule: str, *, methods: list[str]) -> Callable[[View], View]:
    """A page of the settings, and the same one of an employee's own account."""

    def register(view: View) -> View:
        bp.add_url_rule(f"/settings/mail/<which>{rule}", view.__name__, signed_in(confirmed(view)), methods=methods)
        bp.add_url_rule(f"/me/mail{rule}", view.__name__, defaults={"which": "me"}, methods=methods)
        return view

    return register


def config() -> Config:
    found: Config = current_app.config["POTOK"]
    return found


def read(which: str) -> AccountKey:
    """Which account a URL names. Raises NotFound, Forbidden."""
    found = AccountKey("person", person().id) if which == "me" else read_which(which)
    require_may_set_up(person(), found)
    return found


@bp.get("/settings/mail")
@admin_only
@confirmed
def show() -> ResponseReturnValue:
    return page("environment" if config().smtp_host else "system", "sending")


@both("/<tab>", methods=["GET"])
def tab(which: str, tab: str) -> ResponseReturnValue:
    if tab not in TABS:
        raise NotFound(_("Page not found."))
    return page(which, tab)


@both("/sending", methods=["POST"])
def save_sending(which: str) -> ResponseReturnValue:
    """Saves, and then checks the account, unless only saving was asked for."""
    form, account = SendingForm(), read(which)

    def write(values: Any) -> str:
        with transaction() as writing:
            stored = mailboxes.set_sending(writing, person(), account, values, config().seal_key)
            return "me" if which == "me" else str(which_of(stored))

    named = _saved(which, "sending", form, write)
    if not isinstance(named, str):
        return named
    session[NEEDS_CHECK] = named
    return redirect(url_for("mail.tab", which=named, tab="sending"), 303)


@both("/oauth/<service>", methods=["POST"])
def begin_oauth(which: str, service: str) -> ResponseReturnValue:
    """«Sign in with Google»: saves, and sends the browser there; by a link where the browser forbids forms to lead elsewhere."""
    form, account = SendingForm(), read(which)
    if not oauth.is_offered(service, config()):
        raise NotFound(_("Page not found."))

    def write(values: Any) -> str:
        with transaction() as writing:
            stored = mailboxes.set_sending(writing, person(), account, values, config().seal_key)
            mailboxes.require_servers_of(stored, service)
            return "me" if which == "me" else str(which_of(stored))

    named = _saved(which, "sending", form, write)
    if not isinstance(named, str):
        return named
    from rules.mail import oauth_client  # noqa: PLC0415, 10 MB with its libraries

    url, state, verifier = oauth_client.begin(service, config(), _callback(), form.address.data or "")
    session[OAUTH] = {"state": state, "verifier": verifier, "which": named, "service": service, "person": person().id}
    if is_htmx():
        return go(url)
    return render_template("mail/leave.html", url=url, name=oauth.SERVICES[service].name, host=urlsplit(url).hostname)


@bp.get("/oauth/mail")
@signed_in
def end_oauth() -> ResponseReturnValue:
    """The service sends the browser back here."""
    begun: dict[str, Any] = session.pop(OAUTH, {})
    if (
        not begun
        or begun["person"] != person().id
        or not hmac.compare_digest(begun["state"].encode(), request.args.get("state", "").encode())
    ):
        raise NotFound(_("This sign-in has expired. Start again from the mail account."))
    which, account = begun["which"], read(begun["which"])
    if "code" not in request.args:
        flash(_("Could not sign in: %(reason)s", reason=request.args.get("error", "")[:100]))
        return redirect(url_for("mail.tab", which=which, tab="sending"))
    db.session.rollback()
    try:
        from rules.mail import oauth_client  # noqa: PLC0415, 10 MB with its libraries

        token = oauth_client.finish(begun["service"], config(), _callback(), request.args["code"][:4000], begun["verifier"])
        with transaction() as writing:
            mailboxes.set_token(writing, person(), account, begun["service"], token)
    except (oauth.SignInLost, Invalid) as lost:
        flash(_("Could not sign in: %(reason)s", reason=str(lost)[:300]))
        return redirect(url_for("mail.tab", which=which, tab="sending"))
    session[NEEDS_CHECK] = which
    return redirect(url_for("mail.tab", which=which, tab="sending"))


def _callback() -> str:
    return config().public_url + url_for("mail.end_oauth")


@both("/receiving", methods=["POST"])
def save_receiving(which: str) -> ResponseReturnValue:
    form, account = ReceivingForm(), read(which)

    def write(values: Any) -> str:
        with transaction() as writing:
            mailboxes.set_receiving(writing, person(), account, values, config().seal_key)
        return which

    named = _saved(which, "receiving", form, write)
    if not isinstance(named, str):
        return named
    session[NEEDS_CHECK] = named
    return redirect(url_for("mail.tab", which=which, tab="receiving"), 303)


@both("/other", methods=["POST"])
def save_other(which: str) -> ResponseReturnValue:
    form, account = OtherForm(), read(which)

    def write(values: Any) -> str:
        with transaction() as writing:
            mailboxes.set_other(writing, person(), account, values, config().seal_key)
        return which

    named = _saved(which, "other", form, write)
    if not isinstance(named, str):
        return named
    flash(_("Saved."))
    return redirect(url_for("mail.tab", which=which, tab="other"), 303)


def _saved(which: str, tab: str, form: Any, write: Callable[[Any], str]) -> ResponseReturnValue:
    """What `write` returns; or the page with what is wrong, at its field."""
    if not form.validate():
        return page(which, tab, form=form, code=422)
    try:
        return write(form.values())
    except Invalid as error:
        field = form[error.field if error.field in form else {"email": "address"}.get(error.field, next(iter(form)).name)]
        field.errors = [str(error.reason)]
        return page(which, tab, form=form, code=422)


@both("/remove", methods=["POST"])
def remove(which: str) -> ResponseReturnValue:
    account = read(which)
    with transaction() as writing:
        mailboxes.remove(writing, person(), account)
    flash(_("The account is removed. E-mails waiting for it will be sent from the company account, or not at all if there is none."))
    return redirect(url_for("mail.tab", which="me", tab="sending") if which == "me" else url_for("mail.show"), 303)


@both("/wake", methods=["POST"])
def wake(which: str) -> ResponseReturnValue:
    """«Go on now»: ends a pause."""
    account = read(which)
    with transaction() as writing:
        mailboxes.wake(writing, person(), account)
    return redirect(url_for("mail.tab", which=which, tab="sending"), 303)


def page(which: str, tab: str, *, form: Any = None, code: int = 200, **shown: Any) -> ResponseReturnValue:
    """The account opened at a tab; for administrators beside the list of all. shown: found_steps, found, checked."""
    account = read(which)
    if account.kind == "environment":
        with transaction(Turn.NONE) as writing:
            keep_environment(writing, config())
    reading = db.session()
    stored = mailboxes.find(reading, account)
    if account.kind == "environment" and stored is None:
        raise NotFound(_("Mail account not found."))
    if stored is None and tab != "sending":
        return redirect(url_for("mail.tab", which=which, tab="sending"))
    whose = reading.get(Person, account.id) if account.kind == "person" else None
    has_list = shows_list(which)
    system = system_account(reading, config())
    html = render_template(
        "mail/page.html" if has_list else "mail/own.html",
        which=which,
        account=account,
        tab=tab,
        stored=stored,
        whose=whose,
        form=form or _form(tab, stored, whose),
        health=health_of(reading, stored, clock.now(), system.id if system else None) if stored else None,
        provider=provider_of(stored, form),
        checks=session.pop(NEEDS_CHECK, "") == which,
        system=system,
        services=oauth.offered(config()),
        **(accounts_list(system) if has_list else {}),
        **shown,
    )
    return html, code


def shows_list(which: str) -> bool:
    """Administrators see all accounts beside the opened one, but not on their own page."""
    return which != "me" and may_administer(person())


def provider_of(stored: MailAccount | None, form: Any = None) -> Provider | None:
    """Of the address in the form, or of the stored account's server."""
    address = form.address.data if isinstance(form, SendingForm) else stored.address if stored else ""
    return find_provider(address or "") or (provider_of_server(stored.host) if stored else None)


def _form(tab: str, stored: MailAccount | None, whose: Person | None) -> ResponseReturnValue:
    if tab == "sending" or stored is None:
        company = setting(db.session(), "company")
        name = ", ".join(filter(None, (whose.name, company))) if whose else company
        return sending_form(stored, name, whose.email if whose else "")
    return receiving_form(stored) if tab == "receiving" else other_form(stored)


def accounts_list(system: MailAccount | None) -> dict[str, Any]:
    reading = db.session()
    rows = health_of_all(reading, clock.now(), system.id if system else None)
    return {
        "rows": [(which_of(one.stored), one) for one in rows],
        "without": without_account(reading),
        "has_system": any(one.stored.kind == "system" for one in rows),
    }
