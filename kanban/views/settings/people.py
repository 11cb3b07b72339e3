"""Settings → Employees and roles."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask import session as cookie
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from wtforms import BooleanField, PasswordField, RadioField, SelectField, SelectMultipleField
from wtforms.validators import DataRequired, Optional

from kanban import people
from kanban.db import db, transaction
from kanban.dependents import dependents
from kanban.errors import Conflict, Invalid
from kanban.forms.fields import PotokForm, line
from kanban.i18n import LANGUAGES, _, _l, force_locale, language, ngettext
from kanban.ids import read_id
from kanban.models import ACCESSES, DoorKind, Person, Role, Status
from kanban.people import PersonFields
from kanban.security import passwords, post
from kanban.settings import setting
from kanban.sign_ins import Purpose
from kanban.views.guard import admin_only, confirmed, person
from kanban.views.settings.company import name_of
from kanban.views.sign_in import says_nothing_against, sign_ins_here

bp = Blueprint("people", __name__, url_prefix="/settings/people")


class PersonForm(PotokForm):
    name = line(_l("Full name"), 120, DataRequired(_l("Write a name.")))
    email = line(_l("E-mail for sign-in and letters"), 254, DataRequired(_l("Write an e-mail address.")))
    phone = line(_l("Phone"), 40)
    chat = line(_l("Messenger"), 80)
    access = SelectField(_l("Access"), choices=list(ACCESSES))
    language = SelectField(_l("Language"), choices=["", *LANGUAGES])
    role_ids = SelectMultipleField(_l("Roles"), coerce=lambda value: read_id(str(value)), validate_choice=False)
    active = BooleanField(_l("Works here"))
    entry = RadioField(_l("How they come in"), [Optional()], choices=["letter", "link", "password"], default="letter")
    password = PasswordField(_l("First password"))

    def fields(self) -> PersonFields:
        return PersonFields(
            self.name.data or "", self.email.data or "", self.phone.data or "", str(self.access.data), str(self.language.data or ""),
            [id_ for id_ in self.role_ids.data or [] if id_], bool(self.active.data), self.chat.data or "",
        )  # fmt: skip


@bp.get("")
@admin_only
@confirmed
def show() -> Any:
    """?removing=<role id>: asks first."""
    return _page(removing=read_id(request.args.get("removing")))


@bp.get("/<int:person_id>")
@admin_only
@confirmed
def open_person(person_id: int) -> Any:
    return _page(opened=people.find_person(db.session(), person_id))


@bp.get("/new")
@admin_only
@confirmed
def new() -> Any:
    return _page(form=PersonForm(formdata=None, access="staff", active=True), adding=True)


@bp.post("/add")
@admin_only
@confirmed
def add() -> Any:
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
        flash(_("%(name)s can sign in now, and chooses a new password then.", name=added.name))
    else:
        _give_link(added.id, by_letter=form.entry.data == "letter")
    return redirect(url_for("people.open_person", person_id=added.id) + "#person", 303)


def _may_be_password(form: PersonForm) -> bool:
    return form.entry.data != "password" or says_nothing_against(form.password, form.name.data or "", form.email.data or "")


def _typed_hash(form: PersonForm) -> str | None:
    return passwords().hash(form.password.data or "") if form.entry.data == "password" else None


def _give_link(person_id: int, *, by_letter: bool) -> None:
    """A link to choose a password by: as a letter, or shown once to be handed over."""
    with transaction() as session:
        invited, purpose, token = people.invite(session, person(), person_id)
    kind: DoorKind = "reset" if purpose is Purpose.RESET else "invitation"
    path = url_for("sign_in.link", token=token) if purpose is Purpose.RESET else url_for("sign_in.invitation", token=token)
    if not by_letter:
        cookie["link"] = [person_id, path]
        return
    with force_locale(invited.language or setting(db.session(), "language")):
        subject, text = _letter_of(purpose)
        post.send(kind, invited, subject, text, path, language())
    flash(_("A letter with a link is on its way to %(email)s.", email=invited.email))


def _letter_of(purpose: Purpose) -> tuple[str, str]:
    if purpose is Purpose.RESET:
        return _("A new password for Potok"), _("An administrator sent you this link to choose a new password by. It works for an hour.")
    return _("Your account in Potok"), _("Orders of your firm are kept in Potok. By this link you choose a password. It works for a week.")


@bp.post("/<int:person_id>/invite")
@admin_only
@confirmed
def invite(person_id: int) -> Any:
    _give_link(person_id, by_letter=request.form.get("by") == "letter")
    return redirect(url_for("people.open_person", person_id=person_id) + "#person", 303)


@bp.post("/<int:person_id>/sign-out")
@admin_only
@confirmed
def sign_out(person_id: int) -> Any:
    with transaction() as session:
        count = people.sign_out(session, person(), person_id)
    flash(ngettext("%(num)d sign-in ended.", "%(num)d sign-ins ended.", count))
    return redirect(url_for("people.open_person", person_id=person_id) + "#person", 303)


@bp.post("/<int:person_id>/change")
@admin_only
@confirmed
def change(person_id: int) -> Any:
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
    return dependents.names(db.session()).get(("person", person_id), [])


@bp.post("/roles/add")
@admin_only
@confirmed
def add_role() -> Any:
    with transaction() as session:
        people.add_role(session, person(), name_of("name", 80))
    return redirect(url_for("people.show") + "#roles", 303)


@bp.post("/roles/<int:role_id>/rename")
@admin_only
@confirmed
def rename_role(role_id: int) -> Any:
    with transaction() as session:
        people.rename_role(session, person(), role_id, name_of("name", 80))
    flash(_("Saved"))
    return redirect(url_for("people.show") + "#roles", 303)


@bp.post("/roles/<int:role_id>/remove")
@admin_only
@confirmed
def remove_role(role_id: int) -> Any:
    named = dependents.names(db.session()).get(("role", role_id), [])
    with transaction() as session:
        people.remove_role(session, person(), role_id)
    if named:
        count = len(named)
        flash(ngettext("The role is removed. %(num)d rule is broken now.", "The role is removed. %(num)d rules are broken now.", count))
    return redirect(url_for("people.show") + "#roles", 303)


def _with_error(form: PersonForm, error: Invalid | Conflict) -> PersonForm:
    field = form[error.field] if isinstance(error, Invalid) and error.field in form else form.email
    if isinstance(error, Conflict):
        field = form.access
    field.errors = [str(error.reason)]
    return form


def _page(*, opened: Person | None = None, form: PersonForm | None = None, adding: bool = False, removing: int | None = None,
          leaving: Sequence[str] = (), code: int = 200) -> Any:  # fmt: skip
    """removing: the id of a role. leaving: rules that name the person who is to leave."""
    session = db.session()
    shown = cookie.pop("link", None)
    link = current_app.config["POTOK"].public_url + shown[1] if shown and opened is not None and shown[0] == opened.id else ""
    rows = session.scalars(
        select(Person).order_by(Person.active.desc(), Person.name, Person.id).options(selectinload(Person.held_roles))
    ).all()
    roles = session.scalars(select(Role).order_by(Role.position, Role.id)).all()
    statuses = session.scalars(
        select(Status).order_by(Status.board_id, Status.position).options(selectinload(Status.answering), selectinload(Status.moving))
    ).all()
    if opened is not None and form is None:
        form = PersonForm(
            formdata=None, name=opened.name, email=opened.email, phone=opened.phone, access=opened.access, language=opened.language,
            role_ids=opened.role_ids, active=opened.active, chat=opened.chat,
        )  # fmt: skip
    html = render_template(
        "settings/people.html", rows=rows, roles=roles, statuses=statuses, opened=opened, form=form, adding=adding, query=request.args,
        removing=removing, rules=dependents.names(session) if removing else {}, leaving=leaving, link=link,
        sign_ins=sign_ins_here(opened.id) if opened else [],
    )  # fmt: skip
    return html, code
