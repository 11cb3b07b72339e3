"""The first run: an empty Potok asks for language, company, administrator and preset, once."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask import session as cookie
from sqlalchemy.orm import Session
from wtforms import PasswordField, RadioField, SelectField
from wtforms.validators import DataRequired

from kanban import setup_code
from kanban.boards import BoardFields, StatusFields, add_board, add_status
from kanban.db import db, transaction
from kanban.errors import Conflict, Invalid
from kanban.forms.fields import PotokForm, line
from kanban.guesses import site_of
from kanban.i18n import LANGUAGES, _, _l, force_locale, language
from kanban.people import PersonFields, add_organisation, add_person
from kanban.presets import PRESETS, Loaded, load_preset, read
from kanban.presets.demo import is_empty
from kanban.security import doors, enter, passwords
from kanban.settings import DEFAULTS, write_setting
from kanban.views import first_steps
from kanban.views.sign_in import says_nothing_against
from kanban.views.words import countries_by_name

bp = Blueprint("setup", __name__)

# Set by app.py: hands the preset's rules section to the rules package.
load_rules: Callable[[Session, Loaded, str], object] = lambda session, loaded, language: None  # noqa: E731


class SetupForm(PotokForm):
    language = RadioField(_l("Language"), choices=list(LANGUAGES))
    country = SelectField(_l("Country"), choices=countries_by_name, default=DEFAULTS["country"])
    company = line(_l("Company"), 120, DataRequired(_l("Write the name of your company.")))
    name = line(_l("Your name"), 120, DataRequired(_l("Write your name.")))
    email = line(_l("E-mail"), 254, DataRequired(_l("Write your e-mail address.")))
    password = PasswordField(_l("Password"), [DataRequired(_l("Write a password."))])
    code = line(_l("Code of the first start"), 40)
    preset = RadioField(_l("Process"), choices=[*PRESETS, "empty"], default="kitchen")


def needed() -> bool:
    """Whether nobody is there yet. Once somebody is, this is never asked of the database again."""
    if _Done.yes:
        return False
    empty = is_empty(db.session())
    db.session.rollback()
    _Done.yes = not empty
    return empty


class _Done:
    yes = False


def forget() -> None:
    """For another database in the same process."""
    _Done.yes = False
    first_steps.forget()


@bp.before_app_request
def _send_to_setup() -> Any:
    open_pages = ("setup.", "assets.", "doors.language", "health.", "doors.security_txt")
    if request.endpoint and not request.endpoint.startswith(open_pages) and needed():
        return redirect(url_for("setup.show"))
    return None


@bp.get("/setup")
def show() -> Any:
    if not needed():
        return redirect(url_for("doors.home"))
    setup_code.read()  # where the database is empty though nothing was started here
    return _page(SetupForm(formdata=None, language=language(), preset="kitchen"))


@bp.post("/setup")
def found() -> Any:
    if not needed():
        return redirect(url_for("doors.home"), 303)
    form = SetupForm()
    if not form.validate():
        return _page(form, 422)
    if not doors().guesses.hit("resets", f"setup {site_of(request.remote_addr or '')}"):
        abort(429)
    if not setup_code.is_right(form.code.data or ""):
        form.code.errors = [
            _("This is not the code. It is printed at the start, and kept in %(file)s.", file=f"instance/{setup_code.path().name}")
        ]
        return _page(form, 422)
    if not says_nothing_against(form.password, form.name.data or "", form.email.data or "", form.company.data or ""):
        return _page(form, 422)
    chosen = str(form.language.data)
    password_hash = passwords().hash(form.password.data or "")
    try:
        with force_locale(chosen), transaction() as session:
            if not is_empty(session):
                raise Conflict(_("Potok has been set up already. Sign in."))
            person = _found(session, form, chosen, password_hash)
    except Invalid as error:
        form.email.errors = [str(error.reason)]
        return _page(form, 422)
    setup_code.forget()
    cookie["language"] = chosen
    enter(person, stay=True)
    return redirect(url_for("doors.home"), 303)


def _found(session: Session, form: SetupForm, chosen: str, password_hash: str) -> Any:
    write_setting(session, "company", form.company.data or "")
    write_setting(session, "language", chosen)
    write_setting(session, "country", form.country.data)
    add_organisation(session, None, form.company.data or "")
    fields = PersonFields(form.name.data or "", form.email.data or "", access="admin", language=chosen)
    person = add_person(session, None, fields, password_hash)
    if form.preset.data in PRESETS:
        load_rules(session, load_preset(session, str(form.preset.data), chosen), chosen)
    else:
        _empty_board(session)
    return person


def _empty_board(session: Session) -> None:
    board = add_board(session, None, BoardFields(_("Orders"), _("Order"), _("O-")))
    for name, tone, phase in ((_("New"), "violet", "new"), (_("In work"), "azure", "active"), (_("Done"), "slate", "done")):
        add_status(session, None, board.id, StatusFields(name, tone, phase))


def _page(form: SetupForm, code: int = 200) -> Any:
    presets = {name: read(name) for name in PRESETS}
    return render_template("doors/setup.html", form=form, presets=presets), code
