"""What every view begins with: who asks, and what they may."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, cast

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kanban.actor import Actor
from kanban.htmx import current_page, go, is_htmx
from kanban.http.confirm_page import confirm_page
from kanban.http.errors import answer
from kanban.i18n import _
from kanban.policy import require_admin
from kanban.security import is_confirmed

P = ParamSpec("P")


def person() -> Actor:
    """Who asks. Only behind signed_in."""
    if "actor" not in g:
        g.actor = current_user.actor
    return cast(Actor, g.actor)


def signed_in(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Everyone else is sent to the sign-in page, and back here afterwards."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not current_user.is_authenticated:
            if is_htmx() or request.method != "GET" or request.path.startswith("/live"):
                return answer(_("You are signed out. Sign in again to continue."), 401)
            return redirect(url_for("sign_in.show", next=request.full_path.rstrip("?")))
        if current_user.must_change_password and request.endpoint not in ("sign_in.first_password", "sign_in.sign_out"):
            return go(url_for("sign_in.first_password"))
        return view(*args, **kwargs)

    return guarded


def confirmed(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Behind signed_in or admin_only: the password was typed lately in this browser, else it is asked for once more.

    A form that was opened in time has as long again to be sent; one that comes later waits in the page that asks.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if is_confirmed(times=1 if request.method == "GET" else 2):
            return view(*args, **kwargs)
        if is_htmx():
            if request.method == "GET":
                return go(url_for("sign_in.show_confirm", next=current_page()[0]))
            confirm_url = url_for("sign_in.show_confirm", next=url_for("sign_in.confirmed"))
            reason = _("Enter your password again, then repeat the action: what you entered is kept here.")
            return answer(reason, 403, confirm_url=confirm_url)
        if request.method == "GET":
            return redirect(url_for("sign_in.show_confirm", next=request.full_path.rstrip("?")))
        return confirm_page(again=request.full_path.rstrip("?"), code=403)

    return guarded


def admin_only(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Signed in, and an administrator."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        require_admin(person())
        return view(*args, **kwargs)

    return signed_in(guarded)
