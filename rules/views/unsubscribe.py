"""«No more messages»: the link and the one click of every message that a rule sends; and the switch on one's own page."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.errors import NotFound
from kanban.htmx import fragment, is_htmx
from kanban.http.guard import person, signed_in
from kanban.i18n import _
from kanban.security import csrf
from kanban.settings import setting
from kanban.transactions import Turn, transaction
from rules.mail.mailboxes import AccountKey, find
from rules.post.unsubscribe import address_of, is_off, switch_messages

bp = Blueprint("unsubscribe", __name__)


@bp.get("/letters/<token>")
def show(token: str) -> ResponseReturnValue:
    """A page that asks: programs that follow links in messages must change nothing."""
    address = _address(token)
    off, company = is_off(db.session(), address), setting(db.session(), "company")
    return render_template("unsubscribe/page.html", token=token, address=address, is_off=off, company=company)


@bp.post("/letters/<token>")
@csrf.exempt  # type: ignore[untyped-decorator]
def switch(token: str) -> ResponseReturnValue:
    """Also the one click of a mail program, which sends «List-Unsubscribe=One-Click» and knows no cookie: the token is enough."""
    address = _address(token)
    with transaction(Turn.NONE) as session:
        switch_messages(session, address, on=request.form.get("messages") == "on")
    if request.form.get("List-Unsubscribe") == "One-Click":
        return show(token)  # RFC 8058, 3.1: no redirect, since programs lose a POST on the way
    return redirect(url_for("unsubscribe.show", token=token), 303)


@bp.get("/me/messages")
@signed_in
def own() -> ResponseReturnValue:
    """A part of one's own page; a page of its own without htmx."""
    account = find(db.session(), AccountKey("person", person().id))
    values = {"is_off": is_off(db.session(), person().email), "account": account}
    if is_htmx():
        return fragment(render_template("unsubscribe/_own.html", **values))
    return render_template("unsubscribe/own.html", **values)


@bp.post("/me/messages")
@signed_in
def switch_own() -> ResponseReturnValue:
    is_on = request.form.get("messages") == "on"
    with transaction(Turn.NONE) as session:
        switch_messages(session, person().email, on=is_on)
    flash(_("You will get e-mails again.") if is_on else _("Unsubscribed. You will still get notices at the bell."))
    return redirect(url_for("personal.show"), 303)


def _address(token: str) -> str:
    address = address_of(token, current_app.config["POTOK"].secret_key)
    if address is None:
        raise NotFound(_("This link is incomplete. Open it again from the e-mail."))
    return address
