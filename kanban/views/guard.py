"""What every view begins with: who asks, and what they may."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import g, redirect, request, url_for
from flask_login import current_user

from kanban.actor import Actor, actor_of
from kanban.db import db
from kanban.htmx import current_page, go, is_htmx
from kanban.i18n import _
from kanban.policy import require_admin
from kanban.security import is_confirmed
from kanban.views.confirm_page import confirm_page
from kanban.views.errors import answer

P = ParamSpec("P")
R = TypeVar("R")


def person() -> Actor:
    """Who asks. Only behind signed_in."""
    if "actor" not in g:
        g.actor = actor_of(db.session(), current_user)
    return cast(Actor, g.actor)


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """Everyone else is sent to the door, and back here afterwards."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        if not current_user.is_authenticated:
            if is_htmx() or request.method != "GET" or request.path.startswith("/live"):
                return answer(_("You are signed out. Sign in again to go on."), 401)
            return redirect(url_for("sign_in.show", next=request.full_path.rstrip("?")))
        if current_user.must_change_password and request.endpoint not in ("sign_in.first_password", "sign_in.sign_out"):
            return go(url_for("sign_in.first_password"))
        return view(*args, **kwargs)

    return cast(Callable[P, R], guarded)


def confirmed(view: Callable[P, R]) -> Callable[P, R]:
    """Behind signed_in or admin_only: the password was typed lately in this browser, else it is asked for once more.

    A form that was opened in time has as long again to be sent; one that comes later waits in the page that asks.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        if is_confirmed(times=1 if request.method == "GET" else 2):
            return view(*args, **kwargs)
        if is_htmx():
            if request.method == "GET":
                return go(url_for("sign_in.show_confirm", next=current_page()[0]))
            door = url_for("sign_in.show_confirm", next=url_for("sign_in.confirmed"))
            return answer(_("Your password is asked for once more. Then press again: what you typed stays here."), 403, door=door)
        if request.method == "GET":
            return redirect(url_for("sign_in.show_confirm", next=request.full_path.rstrip("?")))
        return confirm_page(again=request.full_path.rstrip("?"), code=403)

    return cast(Callable[P, R], guarded)


def admin_only(view: Callable[P, R]) -> Callable[P, R]:
    """Signed in, and an administrator."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        require_admin(person())
        return view(*args, **kwargs)

    return signed_in(guarded)
