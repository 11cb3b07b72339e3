"""Named errors become answers: a sentence in the reader's language and the right status code. Never a 500 for typing."""

import logging
from typing import assert_never

from flask import Flask, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException

from kanban.db import db
from kanban.errors import Busy, Conflict, Forbidden, Invalid, Lacking, NotFound, Refused, Unwritable
from kanban.faults import as_refusal
from kanban.htmx import fragment, is_htmx, toast_part
from kanban.i18n import _
from kanban.transactions import Saved, what_was_saved

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
CODES: dict[type[Refused], int] = {NotFound: 404, Forbidden: 403, Invalid: 422, Lacking: 422, Conflict: 409, Busy: 503, Unwritable: 503}


def init_errors(app: Flask) -> None:
    app.register_error_handler(Refused, refused)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DataError, _unfit)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(Exception, unexpected)


def refused(error: Refused) -> ResponseReturnValue:
    """For htmx a toast with the reason; else a page with it."""
    code, saved = CODES.get(type(error), 422), what_was_saved()
    if not isinstance(error, Busy | Unwritable):
        return answer(str(error.reason), code)
    response = make_response(answer(str(error.reason) if saved is Saved.NOTHING else _reason(saved), code))
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def answer(reason: str, code: int, **parts: object) -> ResponseReturnValue:
    if request.path.startswith("/live"):
        return reason, code
    if is_htmx():
        return fragment(toast_part(render_template("_toast_refused.html", reason=reason, **parts)), code, reswap="none")
    page = "errors/page.html" if current_user and current_user.is_authenticated else "errors/signed_out.html"
    return render_template(page, reason=reason, code=code), code


def _stale_form(_error: CSRFError) -> ResponseReturnValue:
    return answer(_("This form has expired. Reload the page and try again."), 400)


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    reasons = {
        403: _("You don't have permission to do this."),
        404: _("Page not found."),
        405: _("Method not allowed."),
        413: _("This is too large."),
        415: _("Only form data is accepted here."),
        429: _("Too many attempts. Wait a few minutes and try again."),
    }
    return answer(reasons.get(error.code, _("This request is not valid.")), error.code)


def _unfit(_error: DataError) -> ResponseReturnValue:
    """Too long or too large for its column, or with a zero character in it, where no form looked at it first."""
    if what_was_saved() is not Saved.NOTHING:
        return unexpected(_error)
    db.session.rollback()
    return answer(_("This request is not valid."), 422)


def _database(error: OperationalError) -> ResponseReturnValue:
    """Where something was read; what writes is refused by transaction() already."""
    refusal = as_refusal(error)
    if refusal is None or what_was_saved() is not Saved.NOTHING:
        return unexpected(error)
    db.session.rollback()
    return refused(refusal)


def unexpected(_error: Exception) -> ResponseReturnValue:
    reason = _reason(what_was_saved())
    db.session.rollback()
    log.exception("unexpected error at %s", request.endpoint)
    return answer(reason, 500)


def _reason(saved: Saved) -> str:
    match saved:
        case Saved.NOTHING:
            return _("Something went wrong on our side. Nothing was changed. Please try again.")
        case Saved.ALL:
            return _("Your change was saved, but showing the result failed. Reload the page.")
        case Saved.PART:
            return _("Something went wrong on our side. Only part of your change was saved: reload the page before you try again.")
    assert_never(saved)
