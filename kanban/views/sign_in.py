"""Sign-in and sign-out, a forgotten password, an invitation, the password once more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import DataRequired, EqualTo

from kanban import clock, guesses, journal, sign_ins
from kanban.db import db
from kanban.emails import clean_email
from kanban.errors import Invalid, NotFound
from kanban.forms.fields import PotokForm, one_line
from kanban.guesses import Guesser, site_of
from kanban.http.confirm_page import ConfirmForm, confirm_page
from kanban.http.guard import signed_in
from kanban.i18n import _, _l, force_locale, language
from kanban.journal import Kind
from kanban.models import OneTimeLink, Person
from kanban.passwords import LEAST, judge
from kanban.queries.firm import names_of_firm
from kanban.security import enter, guesser, is_own_path, is_staying, leave, passwords, post, sign_in_token
from kanban.settings import setting
from kanban.sign_ins import Purpose
from kanban.transactions import Turn, transaction

bp = Blueprint("sign_in", __name__)
UNLOCKED_FOR = timedelta(hours=1)


class SignInForm(PotokForm):
    email = StringField(filters=[one_line])
    password = PasswordField()
    stay = BooleanField()


class NewPasswordForm(PotokForm):
    password = PasswordField(_l("New password"), [DataRequired(_l("Enter a new password."))])
    again = PasswordField(_l("Repeat the new password"), [EqualTo("password", _l("The passwords do not match."))])

    def judged(self, person: Person) -> bool:
        """Whether it may be this person's; what is wrong stands at its field."""
        return self.validate() and says_nothing_against(self.password, person.name, person.email)


def known_words() -> list[str]:
    """What everybody knows who has seen this Potok: no part of a good password."""
    session = db.session()
    return ["potok", "поток", current_app.config["POTOK"].public_host, setting(session, "company"), *names_of_firm(session)]


def says_nothing_against(field: Any, *about: str) -> bool:
    """Whether the password of this field is good enough."""
    try:
        judge(field.data or "", *about, *known_words())
    except Invalid as error:
        field.errors = [str(error.reason)]
        return False
    return True


@bp.get("/sign-in")
def show() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(_next())
    return _page(SignInForm(formdata=None))


@bp.post("/sign-in")
def come_in() -> ResponseReturnValue:
    form = SignInForm()
    email = _account(form.email.data or "")
    if email is None:
        return _page(form, failed=True)
    who = guesser(email)
    _count(who, email)
    person = sign_ins.find_by_email(db.session(), email)
    kept = person.password if person else None
    db.session.rollback()
    if not passwords().is_right(form.password.data or "", kept):
        _note(Kind.SIGN_IN_FAILED, person, email)
        return _page(form, failed=True)
    assert person is not None and kept is not None
    guesses.forgive(who)
    if passwords().is_outdated(kept):
        kept = _hash_anew(person.id, kept, form.password.data or "")
    is_new = not who.device and person.seen_at is not None
    if not enter(person, stay=bool(form.stay.data), kept=kept):
        return _page(form, failed=True)  # the password was changed while this one was looked at
    if is_new:
        _tell_of_new_device(person)
    return redirect(_next())


def _account(typed: str) -> str | None:
    """The address as people are looked for by it. None where it is none."""
    try:
        return clean_email(typed[:254])
    except Invalid:
        return None


def _count(who: Guesser, email: str) -> None:
    """Counts the try before anything is looked at. 429 where there were too many, unless an administrator has lifted that."""
    if guesses.take(who):
        return
    person = sign_ins.find_by_email(db.session(), email)
    db.session.rollback()
    unlocked_at = person.unlocked_at if person else None
    if unlocked_at and clock.now() - unlocked_at < UNLOCKED_FOR and guesses.take(who, since=unlocked_at):
        return
    if guesses.hit("noted", f"{who.address} {who.email}"):
        _note(Kind.LOCKED_OUT, person, email)
    abort(429)


def count_confirmation(who: Guesser) -> None:
    """Of somebody's own password in an open session. 429 where there were too many."""
    if not guesses.take(who):
        if guesses.hit("noted", f"session {who.session}"):
            _note(Kind.LOCKED_OUT, current_user, "")
        abort(429)


def note_wrong_confirmation() -> None:
    _note(Kind.CONFIRM_FAILED, current_user, "")


def _note(kind: Kind, person: Person | None, email: str) -> None:
    with transaction(Turn.NONE) as session:
        journal.note(session, kind, person, typed=email)


def _hash_anew(person_id: int, kept: str, password: str) -> str:
    """The hash by the rules of now, kept where nobody has changed the password meanwhile."""
    password_hash = passwords().hash(password)
    with transaction(Turn.NONE) as session:
        sign_ins.renew_hash(session, person_id, kept, password_hash)
    return password_hash


def _tell_of_new_device(person: Person) -> None:
    said = person.language or language()
    with force_locale(said):
        text = _(
            "Someone signed in to Potok with your password from a new browser: %(browser)s, IP address %(address)s.",
            browser=browser_name(str(request.user_agent)),
            address=request.remote_addr or "—",
        )
        more = _("If it was you, there is nothing to do. If not, change your password: that ends all other sessions.")
        post.send("security", person, _("New sign-in to Potok"), f"{text}\n\n{more}", url_for("personal.show"), said)


def tell_of_new_password(person: Person) -> None:
    """To the person, so that nobody's password is changed in silence."""
    said = person.language or language()
    with force_locale(said):
        when = _("Your Potok password was changed from the IP address %(address)s.", address=request.remote_addr or "—")
        more = _("If it was not you, ask an administrator for help immediately.")
        post.send("security", person, _("Your Potok password was changed"), f"{when}\n\n{more}", url_for("personal.show"), said)


@bp.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    with transaction() as session:
        sign_ins.end(session, session.get_one(Person, current_user.id), sign_in_token())
    leave()
    answer = redirect(url_for("sign_in.show"), 303)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@bp.get("/reset")
def forgotten() -> ResponseReturnValue:
    return render_template("sign_in/forgotten.html", email="")


@bp.post("/reset")
def ask_for_reset() -> ResponseReturnValue:
    """The same answer, and the same work, whoever's address it is."""
    typed = one_line(request.form.get("email", "")) or ""
    email = _account(typed)
    if email is None:
        return render_template("sign_in/forgotten.html", email=typed, failed=True), 422
    if not guesses.hit("resets", site_of(request.remote_addr or "")):
        abort(429)
    with transaction(Turn.NONE) as session:
        sign_ins.ask_for_reset(session, email, language())
    flash(_("If this address is known here, an e-mail with a link is on its way."))
    return redirect(url_for("sign_in.show"), 303)


@bp.get("/reset/<token>")
def link(token: str) -> ResponseReturnValue:
    return _link_page(_found(token)[1], NewPasswordForm(formdata=None))


bp.add_url_rule("/invitation/<token>", "invitation", link)


@bp.post("/reset/<token>")
@bp.post("/invitation/<token>", endpoint="accept")
def choose(token: str) -> ResponseReturnValue:
    found, person = _found(token)
    form = NewPasswordForm()
    if not form.judged(person):
        return _link_page(person, form, 422)
    password_hash = passwords().hash(form.password.data or "")
    with transaction() as session:
        person = sign_ins.use_link(session, token, password_hash)
    if found.purpose == Purpose.RESET:
        tell_of_new_password(person)
    if found.purpose == Purpose.INVITATION:
        enter(person, stay=True)
        return redirect(url_for("home.show"), 303)
    flash(_("The new password is saved. Sign in with it."))
    return redirect(url_for("sign_in.show"), 303)


def _found(token: str) -> tuple[OneTimeLink, Person]:
    found = sign_ins.find_link(db.session(), token)
    if found is None:
        raise NotFound(_("This link no longer works. Ask for a new one."))
    return found


def _link_page(person: Person, form: NewPasswordForm, code: int = 200) -> ResponseReturnValue:
    return render_template(
        "sign_in/new_password.html", person=person, form=form, least=LEAST, by_link=not current_user.is_authenticated
    ), code


@bp.route("/first-password", methods=["GET", "POST"])
@signed_in
def first_password() -> ResponseReturnValue:
    """In place of the one that an administrator typed; for nobody else, since the password of now is not asked for."""
    if not current_user.must_change_password:
        return redirect(url_for("personal.show"), 303)
    form = NewPasswordForm()
    if request.method == "GET":
        return _link_page(current_user, form)
    if not form.judged(current_user):
        return _link_page(current_user, form, 422)
    if passwords().is_right(form.password.data or "", current_user.password):
        form.password.errors = [_("This is the password that was set for you. Choose a different one.")]
        return _link_page(current_user, form, 422)
    id_, password_hash = current_user.id, passwords().hash(form.password.data or "")
    with transaction() as session:
        person = session.get_one(Person, id_, populate_existing=True)
        sign_ins.set_password(session, person, password_hash)
        journal.note(session, Kind.PASSWORD_SET, person, by="own")
    enter(person, stay=is_staying())
    tell_of_new_password(person)
    return redirect(url_for("home.show"), 303)


@bp.get("/confirm")
@signed_in
def show_confirm() -> ResponseReturnValue:
    """?next: where to go on."""
    return confirm_page(target=request.args.get("next", ""))


@bp.post("/confirm")
@signed_in
def confirm() -> ResponseReturnValue:
    """?again: a request that waits for it, made once more with all its fields."""
    again, target = request.args.get("again", ""), request.args.get("next", "")
    form = ConfirmForm()
    who = Guesser(request.remote_addr or "", session=current_user.id)
    count_confirmation(who)
    if not passwords().is_right(form.confirm_password.data or "", current_user.password):
        note_wrong_confirmation()
        form.confirm_password.errors = [_("This password is incorrect.")]
        return confirm_page(form, again=again, target=target, code=422)
    guesses.forgive(who)
    with transaction(Turn.NONE) as session:
        sign_ins.confirm(session, sign_in_token())
    return redirect(again, 307) if is_own_path(again) else redirect(_next(), 303)


@bp.get("/confirmed")
@signed_in
def confirmed() -> ResponseReturnValue:
    """The end of a tab that was opened for the password alone."""
    return render_template("sign_in/confirmed.html")


def _next() -> str:
    """Where one wanted to go, if that is a page of ours."""
    wanted = request.form.get("next") or request.args.get("next") or ""
    return wanted if is_own_path(wanted) else url_for("home.show")


def _page(form: SignInForm, failed: bool = False) -> ResponseReturnValue:
    target = request.form.get("next") or request.args.get("next") or ""
    html = render_template("sign_in/sign_in.html", form=form, failed=failed, target=target if is_own_path(target) else "")
    return html, 422 if failed else 200


@dataclass(frozen=True)
class Place:
    """Where somebody is signed in. key: names it in a form."""

    key: str
    browser: str
    address: str
    created_at: datetime
    seen_at: datetime
    is_here: bool


def sign_ins_here(person_id: int) -> list[Place]:
    """Where a person is signed in, the last used first."""
    config = current_app.config["POTOK"]
    found = sign_ins.sign_ins_of(db.session(), person_id, timedelta(days=config.sign_in_idle_days), timedelta(days=config.sign_in_days))
    here = sign_ins.hash_of(sign_in_token())
    return [
        Place(one.token_hash, browser_name(one.user_agent), one.address, one.created_at, one.seen_at, one.token_hash == here)
        for one in found
    ]


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("YaBrowser", "Yandex"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS", "macOS"), ("Linux", "Linux"))


def browser_name(user_agent: str) -> str:
    """«Firefox, Windows», as far as a browser says so of itself."""
    found = [next((name for mark, name in marks if mark in user_agent), "") for marks in (_BROWSERS, _SYSTEMS)]
    return ", ".join(one for one in found if one) or _("an unknown browser")
