"""One's own page: language, phone and messenger, password; theme follows the system."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import PasswordField
from wtforms.validators import DataRequired, EqualTo

from kanban import guesses, journal, people, sign_ins
from kanban.errors import Invalid
from kanban.forms.fields import PotokForm, line
from kanban.guesses import Guesser
from kanban.http.guard import person, signed_in
from kanban.i18n import _, _l, forget_language
from kanban.journal import Kind
from kanban.security import enter, is_staying, passwords, sign_in_token
from kanban.transactions import transaction
from kanban.views.sign_in import (
    count_confirmation,
    note_wrong_confirmation,
    says_nothing_against,
    sign_ins_here,
    tell_of_new_password,
)

bp = Blueprint("personal", __name__)


class PasswordForm(PotokForm):
    current = PasswordField(_l("Current password"), [DataRequired(_l("Enter your current password."))])
    password = PasswordField(_l("New password"), [DataRequired(_l("Enter a new password."))])
    again = PasswordField(_l("Repeat the new password"), [EqualTo("password", _l("The passwords do not match."))])


class ContactForm(PotokForm):
    phone = line(_l("Phone"), 40)
    chat = line(_l("Messenger"), 80)


@bp.get("/me")
@signed_in
def show() -> ResponseReturnValue:
    return _page()


@bp.post("/me/language")
@signed_in
def language() -> ResponseReturnValue:
    with transaction() as session:
        people.choose_language(session, person().id, request.form.get("language", ""))
    forget_language()
    return redirect(url_for("personal.show"), 303)


@bp.post("/me/contacts")
@signed_in
def contacts() -> ResponseReturnValue:
    """Where SMS and messages of messengers find one."""
    form = ContactForm()
    if not form.validate():
        return _page(contacts=form, code=422)
    try:
        with transaction() as session:
            people.choose_contacts(session, person().id, form.phone.data or "", form.chat.data or "")
    except Invalid as error:
        form[error.field].errors = [str(error.reason)]
        return _page(contacts=form, code=422)
    flash(_("Saved"))
    return redirect(url_for("personal.show"), 303)


@bp.post("/me/look")
@signed_in
def look() -> ResponseReturnValue:
    """One of: theme, compact, single_keys."""
    form = request.form
    with transaction() as session:
        people.choose_look(
            session,
            person().id,
            theme=form.get("theme"),
            compact=form["compact"] == "1" if "compact" in form else None,
            single_keys=form["single_keys"] == "1" if "single_keys" in form else None,
        )
    return redirect(url_for("personal.show"), 303)


@bp.post("/me/password")
@signed_in
def password() -> ResponseReturnValue:
    form, who = PasswordForm(), Guesser(request.remote_addr or "", session=person().id)
    if not form.validate():
        return _page(form=form, code=422)
    count_confirmation(who)
    id_, kept = person().id, current_user.password
    if not passwords().is_right(form.current.data or "", kept):
        note_wrong_confirmation()
        form.current.errors = [_("This password is incorrect.")]
        return _page(form=form, code=422)
    guesses.forgive(who)
    if not says_nothing_against(form.password, person().name, person().email):
        return _page(form=form, code=422)
    new_hash = passwords().hash(form.password.data or "")
    with transaction() as session:
        changed = people.find_person(session, id_)
        sign_ins.set_password(session, changed, new_hash)
        journal.note(session, Kind.PASSWORD_SET, changed, by="own")
    enter(changed, stay=is_staying())
    tell_of_new_password(changed)
    flash(_("Your password is changed. You are signed out everywhere else."))
    return redirect(url_for("personal.show"), 303)


@bp.post("/me/sign-ins/end")
@signed_in
def end_sign_in() -> ResponseReturnValue:
    """`key`: one of them; without it all but this one."""
    key, id_ = request.form.get("key", ""), person().id
    with transaction() as session:
        me = people.find_person(session, id_)
        if key:
            sign_ins.end_one(session, me, id_, key)
        else:
            count = sign_ins.end_all(session, me, but=sign_in_token())
            journal.note(session, Kind.SIGN_INS_ENDED, me, about=me.name, count=count)
    flash(_("That session has ended.") if key else _("You are signed out everywhere else."))
    return redirect(url_for("personal.show") + "#places", 303)


def _page(*, form: PasswordForm | None = None, contacts: ContactForm | None = None, code: int = 200) -> ResponseReturnValue:
    contacts = contacts or ContactForm(formdata=None, phone=current_user.phone, chat=current_user.chat)
    places = sign_ins_here(person().id)
    return render_template("personal/page.html", form=form or PasswordForm(formdata=None), contacts=contacts, places=places), code
