"""Settings → Hosts inside: what accounts and gateways may reach in the firm's own network."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.errors import Conflict, Invalid
from kanban.http.guard import admin_only, confirmed, person
from kanban.i18n import _
from kanban.transactions import transaction
from rules.mail import named_hosts

bp = Blueprint("hosts", __name__, url_prefix="/settings/hosts")


@bp.get("")
@admin_only
@confirmed
def show() -> ResponseReturnValue:
    """?host: a name to begin with."""
    return _page(request.args.get("host", "")[:253])


@bp.post("/add")
@admin_only
@confirmed
def add() -> ResponseReturnValue:
    typed = request.form.get("host", "")[:300]
    try:
        with transaction() as session:
            host = named_hosts.name_host(session, person(), typed)
    except (Invalid, Conflict) as refused:
        return _page(typed, str(refused.reason), 422 if isinstance(refused, Invalid) else 409)
    flash(_("%(host)s is now allowed.", host=host))
    return redirect(url_for("hosts.show"), 303)


@bp.post("/remove")
@admin_only
@confirmed
def remove() -> ResponseReturnValue:
    with transaction() as session:
        named_hosts.forget_host(session, person(), request.form.get("host", ""))
    flash(_("The host is no longer allowed."))
    return redirect(url_for("hosts.show"), 303)


def _page(typed: str = "", reason: str = "", code: int = 200) -> ResponseReturnValue:
    of_server = current_app.config["POTOK"].inner_hosts.replace(",", " ").split()
    rows = named_hosts.named(db.session())
    return render_template("settings/hosts.html", rows=rows, of_server=of_server, typed=typed, reason=reason), code
