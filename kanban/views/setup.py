"""The first run: an empty Potok asks for language, company, administrator and preset, once."""

from collections.abc import Callable

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import PasswordField, RadioField, SelectField
from wtforms.validators import DataRequired

from kanban import guesses, setup_code
from kanban.boards import BoardFields, StatusFields, add_board, add_status
from kanban.db import db
from kanban.errors import Conflict, Invalid
from kanban.forms.fields import PotokForm, line
from kanban.guesses import site_of
from kanban.http.filters import countries_by_name
from kanban.i18n import LANGUAGES, _, _l, force_locale, language
from kanban.models import Person
from kanban.people import PersonFields, add_organisation, add_person
from kanban.presets import PRESETS, load_preset, read
from kanban.presets.demo import is_empty
from kanban.presets.loaded import Loaded
from kanban.security import enter, passwords
from kanban.settings import DEFAULTS, write_setting
from kanban.transactions import transaction
from kanban.views import first_steps
from kanban.views.sign_in import says_nothing_against

bp = Blueprint("setup", __name__)

# Set by app.py: hands the preset's rules section to the rules package.
load_rules: Callable[[Session, Loaded, str], object] = lambda session, loaded, language: None  # noqa: E731


class SetupForm(PotokForm):
    language = RadioField(_l("Language"), choices=list(LANGUAGES))
    country = SelectField(_l("Country"), choices=countries_by_name, default=DEFAULTS["country"])
    company = line(_l("Company"), 120, DataRequired(_l("Enter your company name.")))
    name = line(_l("Your name"), 120, DataRequired(_l("Enter your name.")))
    email = line(_l("E-mail"), 254, DataRequired(_l("Enter your e-mail address.")))
    password = PasswordField(_l("Password"), [DataRequired(_l("Enter a password."))])
    code = line(_l("Setup code"), 40)
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
def _send_to_setup() -> ResponseReturnValue | None:
    open_pages = ("setup.", "assets.", "home.language", "health.", "home.security_txt")
    if request.endpoint and not request.endpoint.startswith(open_pages) and needed():
        return redirect(url_for("setup.show"))
    return None


@bp.get("/setup")
def show() -> ResponseReturnValue:
    if not needed():
        return redirect(url_for("home.show"))
    setup_code.read()  # where the database is empty though nothing was started here
    return _page(SetupForm(formdata=None, language=language(), preset="kitchen"))


@bp.post("/setup")
def found() -> ResponseReturnValue:
    if not needed():
        return redirect(url_for("home.show"), 303)
    form = SetupForm()
    if not form.validate():
        return _page(form, 422)
    if not guesses.hit("resets", f"setup {site_of(request.remote_addr or '')}"):
        abort(429)
    if not setup_code.is_right(form.code.data or ""):
        form.code.errors = [_("Wrong code. It is printed at startup and stored in %(file)s.", file=f"instance/{setup_code.path().name}")]
        return _page(form, 422)
    if not says_nothing_against(form.password, form.name.data or "", form.email.data or "", form.company.data or ""):
        return _page(form, 422)
    chosen = str(form.language.data)
    password_hash = passwords().hash(form.password.data or "")
    try:
        with force_locale(chosen), transaction() as session:
            if not is_empty(session):
                raise Conflict(_("Potok is already set up. Sign in."))
            person = _found(session, form, chosen, password_hash)
    except Invalid as error:
        form.email.errors = [str(error.reason)]
        return _page(form, 422)
    setup_code.forget()
    cookie["language"] = chosen
    enter(person, stay=True)
    return redirect(url_for("home.show"), 303)


def _found(session: Session, form: SetupForm, chosen: str, password_hash: str) -> Person:
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
    for name, tone, phase in ((_("New"), "violet", "new"), (_("In progress"), "azure", "active"), (_("Done"), "slate", "done")):
        add_status(session, None, board.id, StatusFields(name, tone, phase))


def _page(form: SetupForm, code: int = 200) -> ResponseReturnValue:
    presets = {name: read(name) for name in PRESETS}
    return render_template("sign_in/setup.html", form=form, presets=presets), code
