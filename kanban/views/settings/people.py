"""Settings → Employees and roles."""

from collections.abc import Sequence

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, PasswordField, RadioField, SelectField, SelectMultipleField
from wtforms.validators import DataRequired, Optional

from kanban import people
from kanban.db import db
from kanban.dependents import dependents
from kanban.errors import Conflict, Invalid
from kanban.forms.fields import PotokForm, line
from kanban.http.guard import admin_only, confirmed, person
from kanban.i18n import LANGUAGES, _, _l, force_locale, language, ngettext
from kanban.ids import read_id
from kanban.models import ACCESSES, Person, SignInEmailKind
from kanban.people import PersonFields
from kanban.queries.firm import all_people, all_roles, all_statuses
from kanban.references import Reference, ReferenceKind
from kanban.security import passwords, post
from kanban.settings import setting
from kanban.sign_ins import Purpose
from kanban.transactions import transaction
from kanban.views.settings.company import name_of
from kanban.views.sign_in import says_nothing_against, sign_ins_here

bp = Blueprint("people", __name__, url_prefix="/settings/people")


class PersonForm(PotokForm):
    name = line(_l("Full name"), 120, DataRequired(_l("Enter a name.")))
    email = line(_l("E-mail for sign-in and messages"), 254, DataRequired(_l("Enter an e-mail address.")))
    phone = line(_l("Phone"), 40)
    chat = line(_l("Messenger"), 80)
    access = SelectField(_l("Access"), choices=list(ACCESSES))
    language = SelectField(_l("Language"), choices=["", *LANGUAGES])
    role_ids = SelectMultipleField(_l("Roles"), coerce=lambda value: read_id(str(value)), validate_choice=False)
    active = BooleanField(_l("Works here"))
    entry = RadioField(_l("How they sign in"), [Optional()], choices=["email", "link", "password"], default="email")
    password = PasswordField(_l("Initial password"))

    def fields(self) -> PersonFields:
        return PersonFields(
            self.name.data or "",
            self.email.data or "",
            self.phone.data or "",
            str(self.access.data),
            str(self.language.data or ""),
            [id_ for id_ in self.role_ids.data or [] if id_],
            bool(self.active.data),
            self.chat.data or "",
        )


@bp.get("")
@admin_only
@confirmed
def show() -> ResponseReturnValue:
    """?removing=<role id>: asks first."""
    return _page(removing=read_id(request.args.get("removing")))


@bp.get("/<int:person_id>")
@admin_only
@confirmed
def open_person(person_id: int) -> ResponseReturnValue:
    return _page(opened=people.find_person(db.session(), person_id))


@bp.get("/new")
@admin_only
@confirmed
def new() -> ResponseReturnValue:
    return _page(form=PersonForm(formdata=None, access="staff", active=True), adding=True)


@bp.post("/add")
@admin_only
@confirmed
def add() -> ResponseReturnValue:
    form = PersonForm()
    form.active.data = True
    if not form.validate() or not _may_be_password(form):
        return _page(form=form, adding=True, code=422)
    password_hash = _typed_hash(form)
    try:
        with transaction() as session:
            added = people.add_person(session, person(), form.fields(), password_hash)
    except Invalid as error:
        return _page(form=_with_error(form, error), adding=True, code=422)
    if form.entry.data == "password":
        flash(_("%(name)s can now sign in and will be asked to choose a new password.", name=added.name))
    else:
        _give_link(added.id, by_email=form.entry.data == "email")
    return redirect(url_for("people.open_person", person_id=added.id) + "#person", 303)


def _may_be_password(form: PersonForm) -> bool:
    return form.entry.data != "password" or says_nothing_against(form.password, form.name.data or "", form.email.data or "")


def _typed_hash(form: PersonForm) -> str | None:
    return passwords().hash(form.password.data or "") if form.entry.data == "password" else None


def _give_link(person_id: int, *, by_email: bool) -> None:
    """A link to choose a password by: as a message, or shown once to be handed over."""
    with transaction() as session:
        invited, purpose, token = people.invite(session, person(), person_id)
    kind: SignInEmailKind = "reset" if purpose is Purpose.RESET else "invitation"
    path = url_for("sign_in.link", token=token) if purpose is Purpose.RESET else url_for("sign_in.invitation", token=token)
    if not by_email:
        cookie["link"] = [person_id, path]
        return
    with force_locale(invited.language or setting(db.session(), "language")):
        subject, text = _message_of(purpose)
        post.send(kind, invited, subject, text, path, language())
    flash(_("An e-mail with a link is on its way to %(email)s.", email=invited.email))


def _message_of(purpose: Purpose) -> tuple[str, str]:
    if purpose is Purpose.RESET:
        return _("Choose a new Potok password"), _("An administrator sent you this link to choose a new password. It works for an hour.")
    return _("Your account in Potok"), _("Your company keeps its orders in Potok. Use this link to choose a password. It works for a week.")


@bp.post("/<int:person_id>/invite")
@admin_only
@confirmed
def invite(person_id: int) -> ResponseReturnValue:
    _give_link(person_id, by_email=request.form.get("by") == "email")
    return redirect(url_for("people.open_person", person_id=person_id) + "#person", 303)


@bp.post("/<int:person_id>/sign-out")
@admin_only
@confirmed
def sign_out(person_id: int) -> ResponseReturnValue:
    with transaction() as session:
        count = people.sign_out(session, person(), person_id)
    flash(ngettext("%(num)d session ended.", "%(num)d sessions ended.", count))
    return redirect(url_for("people.open_person", person_id=person_id) + "#person", 303)


@bp.post("/<int:person_id>/change")
@admin_only
@confirmed
def change(person_id: int) -> ResponseReturnValue:
    form = PersonForm()
    form.entry.data = "password" if form.password.data else ""
    if not form.validate() or not _may_be_password(form):
        return _page(opened=people.find_person(db.session(), person_id), form=form, code=422)
    password_hash = _typed_hash(form)
    leaving = _rules_of_leaver(person_id, form)
    if leaving and request.form.get("sure") != "1":
        return _page(opened=people.find_person(db.session(), person_id), form=form, leaving=leaving, code=409)
    try:
        with transaction() as session:
            people.change_person(session, person(), person_id, form.fields())
            if password_hash:
                people.set_first_password(session, person(), person_id, password_hash)
    except (Invalid, Conflict) as error:
        db.session.rollback()
        code = 422 if isinstance(error, Invalid) else 409
        return _page(opened=people.find_person(db.session(), person_id), form=_with_error(form, error), code=code)
    flash(_("Saved"))
    return redirect(url_for("people.open_person", person_id=person_id), 303)


def _rules_of_leaver(person_id: int, form: PersonForm) -> list[str]:
    """Names of rules that point at somebody who is about to leave."""
    if form.active.data or not people.find_person(db.session(), person_id).active:
        return []
    return dependents.names(db.session()).get(Reference(ReferenceKind.PERSON, person_id), [])


@bp.post("/roles/add")
@admin_only
@confirmed
def add_role() -> ResponseReturnValue:
    with transaction() as session:
        people.add_role(session, person(), name_of("name", 80))
    return redirect(url_for("people.show") + "#roles", 303)


@bp.post("/roles/<int:role_id>/rename")
@admin_only
@confirmed
def rename_role(role_id: int) -> ResponseReturnValue:
    with transaction() as session:
        people.rename_role(session, person(), role_id, name_of("name", 80))
    flash(_("Saved"))
    return redirect(url_for("people.show") + "#roles", 303)


@bp.post("/roles/<int:role_id>/remove")
@admin_only
@confirmed
def remove_role(role_id: int) -> ResponseReturnValue:
    named = dependents.names(db.session()).get(Reference(ReferenceKind.ROLE, role_id), [])
    with transaction() as session:
        people.remove_role(session, person(), role_id)
    if named:
        count = len(named)
        flash(ngettext("The role is removed. %(num)d rule is now broken.", "The role is removed. %(num)d rules are now broken.", count))
    return redirect(url_for("people.show") + "#roles", 303)


def _with_error(form: PersonForm, error: Invalid | Conflict) -> PersonForm:
    field = form[error.field] if isinstance(error, Invalid) and error.field in form else form.email
    if isinstance(error, Conflict):
        field = form.access
    field.errors = [str(error.reason)]
    return form


def _page(
    *,
    opened: Person | None = None,
    form: PersonForm | None = None,
    adding: bool = False,
    removing: int | None = None,
    leaving: Sequence[str] = (),
    code: int = 200,
) -> ResponseReturnValue:
    """removing: the id of a role. leaving: rules that name the person who is to leave."""
    session = db.session()
    shown = cookie.pop("link", None)
    link = current_app.config["POTOK"].public_url + shown[1] if shown and opened is not None and shown[0] == opened.id else ""
    if opened is not None and form is None:
        form = PersonForm(
            formdata=None,
            name=opened.name,
            email=opened.email,
            phone=opened.phone,
            access=opened.access,
            language=opened.language,
            role_ids=opened.role_ids,
            active=opened.active,
            chat=opened.chat,
        )
    html = render_template(
        "settings/people.html",
        rows=all_people(session),
        roles=all_roles(session),
        statuses=all_statuses(session),
        opened=opened,
        form=form,
        adding=adding,
        query=request.args,
        removing=removing,
        rules=dependents.names(session) if removing else {},
        leaving=leaving,
        link=link,
        sign_ins=sign_ins_here(opened.id) if opened else [],
    )
    return html, code
