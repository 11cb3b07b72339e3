"""One's own page: language, phone and messenger, password; theme follows the system."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from flask_security import hash_password, verify_password
from wtforms import PasswordField
from wtforms.validators import DataRequired, EqualTo, Length

from kanban import people
from kanban.db import transaction
from kanban.errors import Invalid
from kanban.forms.fields import PotokForm, line
from kanban.i18n import _, _l, forget_language
from kanban.security import sign_in_anew
from kanban.views.guard import person, signed_in

bp = Blueprint("personal", __name__)


class PasswordForm(PotokForm):
    current = PasswordField(_l("Password now"), [DataRequired(_l("Write your password of now.")), Length(max=200)])
    password = PasswordField(_l("New password"), [Length(min=8, max=200, message=_l("At least 8 characters."))])
    again = PasswordField(_l("New password once more"), [EqualTo("password", _l("The two are not the same."))])


class ContactForm(PotokForm):
    phone = line(_l("Phone"), 40)
    chat = line(_l("Messenger"), 80)


@bp.get("/me")
@signed_in
def show() -> Any:
    return _page()


@bp.post("/me/language")
@signed_in
def language() -> Any:
    with transaction() as session:
        people.choose_language(session, person().id, request.form.get("language", ""))
    forget_language()
    return redirect(url_for("personal.show"), 303)


@bp.post("/me/contacts")
@signed_in
def contacts() -> Any:
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


@bp.post("/me/password")
@signed_in
def password() -> Any:
    form = PasswordForm()
    id_, now_hash = person().id, current_user.password
    if form.validate() and not verify_password(form.current.data, now_hash):
        form.current.errors = [_("This is not your password.")]
    if form.errors:
        return _page(form=form, code=422)
    new_hash = hash_password(form.password.data)
    with transaction() as session:
        changed = people.set_password(session, id_, new_hash)
    sign_in_anew(changed)
    flash(_("Your password is changed. You are signed out everywhere else."))
    return redirect(url_for("personal.show"), 303)


def _page(*, form: PasswordForm | None = None, contacts: ContactForm | None = None, code: int = 200) -> Any:
    contacts = contacts or ContactForm(formdata=None, phone=current_user.phone, chat=current_user.chat)
    return render_template("personal/page.html", form=form or PasswordForm(formdata=None), contacts=contacts), code
