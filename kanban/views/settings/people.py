"""Settings → Employees and roles."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_security import hash_password
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from wtforms import BooleanField, PasswordField, SelectField, SelectMultipleField
from wtforms.validators import DataRequired, Length, Optional

from kanban import people
from kanban.db import db, transaction
from kanban.dependents import dependents
from kanban.errors import Conflict, Invalid
from kanban.forms.fields import PotokForm, line
from kanban.i18n import LANGUAGES, _, _l, ngettext
from kanban.ids import read_id
from kanban.models import ACCESSES, Person, Role, Status
from kanban.people import PersonFields
from kanban.views.guard import admin_only, person
from kanban.views.settings.company import name_of

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
    password = PasswordField(_l("New password"), [Optional(), Length(min=8, max=200, message=_l("At least 8 characters."))])

    def fields(self) -> PersonFields:
        return PersonFields(
            self.name.data or "", self.email.data or "", self.phone.data or "", str(self.access.data), str(self.language.data or ""),
            [id_ for id_ in self.role_ids.data or [] if id_], bool(self.active.data), self.chat.data or "",
        )  # fmt: skip


@bp.get("")
@admin_only
def show() -> Any:
    """?removing=<role id>: asks first."""
    return _page(removing=read_id(request.args.get("removing")))


@bp.get("/<int:person_id>")
@admin_only
def open_person(person_id: int) -> Any:
    return _page(opened=people.find_person(db.session(), person_id))


@bp.get("/new")
@admin_only
def new() -> Any:
    return _page(form=PersonForm(formdata=None, access="staff", active=True), adding=True)


@bp.post("/add")
@admin_only
def add() -> Any:
    form = PersonForm()
    form.active.data = True
    if form.validate() and not form.password.data:
        form.password.errors = [_("Give a first password; the person can change it.")]
    if form.errors or form.password.errors:
        return _page(form=form, adding=True, code=422)
    password_hash = hash_password(form.password.data)
    try:
        with transaction() as session:
            added = people.add_person(session, person(), form.fields(), password_hash)
    except Invalid as error:
        return _page(form=_with_error(form, error), adding=True, code=422)
    flash(_("%(name)s can sign in now.", name=added.name))
    return redirect(url_for("people.open_person", person_id=added.id), 303)


@bp.post("/<int:person_id>/change")
@admin_only
def change(person_id: int) -> Any:
    form = PersonForm()
    if not form.validate():
        return _page(opened=people.find_person(db.session(), person_id), form=form, code=422)
    password_hash = hash_password(form.password.data) if form.password.data else None
    leaving = _rules_of_leaver(person_id, form)
    if leaving and request.form.get("sure") != "1":
        return _page(opened=people.find_person(db.session(), person_id), form=form, leaving=leaving, code=409)
    try:
        with transaction() as session:
            people.change_person(session, person(), person_id, form.fields())
            if password_hash:
                people.set_password(session, person_id, password_hash)
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
def add_role() -> Any:
    with transaction() as session:
        people.add_role(session, person(), name_of("name", 80))
    return redirect(url_for("people.show") + "#roles", 303)


@bp.post("/roles/<int:role_id>/rename")
@admin_only
def rename_role(role_id: int) -> Any:
    with transaction() as session:
        people.rename_role(session, person(), role_id, name_of("name", 80))
    flash(_("Saved"))
    return redirect(url_for("people.show") + "#roles", 303)


@bp.post("/roles/<int:role_id>/remove")
@admin_only
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
        removing=removing, rules=dependents.names(session) if removing else {}, leaving=leaving,
    )  # fmt: skip
    return html, code
