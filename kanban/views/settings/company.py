"""Settings → Company: its name, its language and country, its organisations."""

import re
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban import people
from kanban.calendar import MOST_DAYS
from kanban.countries import countries
from kanban.db import db
from kanban.errors import Invalid
from kanban.firm import change_settings
from kanban.forms.fields import one_line
from kanban.http.filters import countries_by_name
from kanban.http.guard import admin_only, person
from kanban.i18n import LANGUAGES, _
from kanban.queries.firm import all_organisations
from kanban.settings import settings
from kanban.transactions import transaction

bp = Blueprint("company", __name__, url_prefix="/settings/company")


@bp.get("")
@admin_only
def show() -> ResponseReturnValue:
    firm, rows = settings(db.session()), all_organisations(db.session())
    return render_template(
        "settings/company.html",
        rows=rows,
        firm=firm,
        countries=countries_by_name(),
        days_off=shown_days(firm["days_off"]),
        worked_days=shown_days(firm["worked_days"]),
    )


@bp.post("/change")
@admin_only
def change() -> ResponseReturnValue:
    name, chosen = name_of("company"), request.form.get("language", "")
    if chosen not in LANGUAGES:
        raise Invalid(_("This language is not available."), "language")
    country = request.form.get("country", "")
    if country not in countries():
        raise Invalid(_("This choice no longer exists."), "country")
    with transaction() as session:
        change_settings(session, person(), company=name, language=chosen, country=country)
    flash(_("Saved"))
    return redirect(url_for("company.show"), 303)


@bp.post("/calendar")
@admin_only
def calendar() -> ResponseReturnValue:
    """Working days: public holidays of the country, days off of one's own, and days that are worked nevertheless."""
    off, worked = days_of("days_off"), days_of("worked_days")
    both = sorted(set(off) & set(worked))
    if both:
        raise Invalid(_("%(day)s can't be both a day off and a working day.", day=shown_days(both[0])), "worked_days")
    with transaction() as session:
        holidays = "yes" if request.form.get("public_holidays") == "yes" else ""
        change_settings(session, person(), public_holidays=holidays, days_off=" ".join(off), worked_days=" ".join(worked))
    flash(_("Saved"))
    return redirect(url_for("company.show"), 303)


def shown_days(days: str) -> str:
    """ISO days as they are typed: «31.12.2026, 11.01.2027»."""
    return ", ".join(f"{date.fromisoformat(day):%d.%m.%Y}" for day in days.split())


def days_of(field: str) -> list[str]:
    """«2026-12-31, 09.01.2027» → ISO days in order, each once. Raises Invalid."""
    days: set[str] = set()
    for part in re.split(r"[\s,;]+", request.form.get(field, "").strip())[: MOST_DAYS + 1]:
        try:
            found = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", part, re.ASCII)
            day = date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(part) if part else None
            days |= {day.isoformat()} if day else set()
        except ValueError:
            raise Invalid(_("“%(what)s” is not a valid date. Enter dates as 31.12.2026.", what=part[:40]), field) from None
    if len(days) > MOST_DAYS:
        raise Invalid(_("At most %(most)s days are allowed.", most=MOST_DAYS), field)
    return sorted(days)


@bp.post("/organisations/add")
@admin_only
def add() -> ResponseReturnValue:
    with transaction() as session:
        people.add_organisation(session, person(), name_of("name"))
    return redirect(url_for("company.show"), 303)


@bp.post("/organisations/<int:organisation_id>/change")
@admin_only
def change_organisation(organisation_id: int) -> ResponseReturnValue:
    with transaction() as session:
        people.change_organisation(session, person(), organisation_id, name_of("name"), request.form.get("active") == "1")
    flash(_("Saved"))
    return redirect(url_for("company.show"), 303)


@bp.post("/organisations/<int:organisation_id>/remove")
@admin_only
def remove(organisation_id: int) -> ResponseReturnValue:
    with transaction() as session:
        people.remove_organisation(session, person(), organisation_id)
    return redirect(url_for("company.show"), 303)


def name_of(field: str, most: int = 120) -> str:
    """A one-line name that is not empty. Raises Invalid."""
    name = one_line(request.form.get(field, "")) or ""
    if not name:
        raise Invalid(_("Enter a name."), field)
    if len(name) > most:
        raise Invalid(_("This is too long: at most %(most)s characters.", most=most), field)
    return name
