"""Settings → Company: its name, its language, its organisations."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select

from kanban import people
from kanban.db import db, transaction
from kanban.errors import Invalid
from kanban.forms.fields import one_line
from kanban.i18n import LANGUAGES, _
from kanban.models import Order, Organisation
from kanban.settings import setting, write_setting
from kanban.views.guard import admin_only, person

bp = Blueprint("company", __name__, url_prefix="/settings/company")


@bp.get("")
@admin_only
def show() -> Any:
    orders = select(func.count(Order.id)).where(Order.organisation_id == Organisation.id).scalar_subquery()
    rows = db.session.execute(select(Organisation, orders).order_by(Organisation.name, Organisation.id)).all()
    return render_template(
        "settings/company.html", rows=rows, company=setting(db.session(), "company"), firm_language=setting(db.session(), "language")
    )


@bp.post("/change")
@admin_only
def change() -> Any:
    name, chosen = name_of("company"), request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise Invalid(_("There is no such language."), "language")
    with transaction() as session:
        write_setting(session, "company", name)
        write_setting(session, "language", chosen)
    flash(_("Saved"))
    return redirect(url_for("company.show"), 303)


@bp.post("/organisations/add")
@admin_only
def add() -> Any:
    with transaction() as session:
        people.add_organisation(session, person(), name_of("name"))
    return redirect(url_for("company.show"), 303)


@bp.post("/organisations/<int:organisation_id>/change")
@admin_only
def change_organisation(organisation_id: int) -> Any:
    with transaction() as session:
        people.change_organisation(session, person(), organisation_id, name_of("name"), request.form.get("active") == "1")
    flash(_("Saved"))
    return redirect(url_for("company.show"), 303)


@bp.post("/organisations/<int:organisation_id>/remove")
@admin_only
def remove(organisation_id: int) -> Any:
    with transaction() as session:
        people.remove_organisation(session, person(), organisation_id)
    return redirect(url_for("company.show"), 303)


def name_of(field: str, most: int = 120) -> str:
    """A one-line name that is not empty. Raises Invalid."""
    name = one_line(request.form.get(field, "")) or ""
    if not name:
        raise Invalid(_("Write a name."), field)
    if len(name) > most:
        raise Invalid(_("This is too long: at most %(most)s characters.", most=most), field)
    return name
