"""What every view begins with: who asks, and what they may."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import g, redirect, request, url_for
from flask_login import current_user

from kanban.actor import Actor, actor_of
from kanban.db import db
from kanban.htmx import is_htmx
from kanban.i18n import _
from kanban.policy import require_admin
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
            return redirect(url_for("security.login", next=request.full_path.rstrip("?")))
        return view(*args, **kwargs)

    return cast(Callable[P, R], guarded)


def admin_only(view: Callable[P, R]) -> Callable[P, R]:
    """Signed in, and an administrator."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        require_admin(person())
        return view(*args, **kwargs)

    return signed_in(guarded)
