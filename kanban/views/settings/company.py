"""Settings → Company: its name, its language, its organisations."""

import re
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select

from kanban import people
from kanban.calendar import COUNTRIES, MOST_DAYS_OFF
from kanban.db import db, transaction
from kanban.errors import Invalid
from kanban.forms.fields import one_line
from kanban.i18n import LANGUAGES, _
from kanban.models import Order, Organisation
from kanban.settings import settings, write_setting
from kanban.views.guard import admin_only, person

bp = Blueprint("company", __name__, url_prefix="/settings/company")


@bp.get("")
@admin_only
def show() -> Any:
    orders = select(func.count(Order.id)).where(Order.organisation_id == Organisation.id).scalar_subquery()
    firm = settings(db.session())
    rows = db.session.execute(select(Organisation, orders).order_by(Organisation.name, Organisation.id)).all()
    return render_template(
        "settings/company.html", rows=rows, countries=COUNTRIES, language_of_letters=firm["language"],
        company=firm["company"], holidays=firm["holidays"], days_off=firm["days_off"],
    )  # fmt: skip


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


@bp.post("/calendar")
@admin_only
def calendar() -> Any:
    """Working days: public holidays of a country, and days off of one's own."""
    country, days = request.form.get("holidays", ""), days_of(request.form.get("days_off", ""))
    if country not in COUNTRIES:
        raise Invalid(_("This choice no longer exists."), "holidays")
    with transaction() as session:
        write_setting(session, "holidays", country)
        write_setting(session, "days_off", " ".join(days))
    flash(_("Saved"))
    return redirect(url_for("company.show"), 303)


def days_of(text: str) -> list[str]:
    """«2026-12-31, 09.01.2027» → ISO days in order, each once. Raises Invalid."""
    days: set[str] = set()
    for part in re.split(r"[\s,;]+", text.strip())[: MOST_DAYS_OFF + 1]:
        try:
            found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", part, re.ASCII)
            day = date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(part) if part else None
            days |= {day.isoformat()} if day else set()
        except ValueError:
            raise Invalid(_("“%(what)s” is no day. Write days such as 31.12.2026.", what=part[:40]), "days_off") from None
    if len(days) > MOST_DAYS_OFF:
        raise Invalid(_("At most %(most)s days.", most=MOST_DAYS_OFF), "days_off")
    return sorted(days)


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
