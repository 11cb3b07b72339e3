"""«No more letters»: the link and the one click of every letter that a rule sends; and the switch on one's own page."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for

from kanban.db import db, transaction
from kanban.errors import NotFound
from kanban.htmx import fragment, is_htmx
from kanban.i18n import _
from kanban.security import csrf
from kanban.settings import setting
from kanban.views.guard import person, signed_in
from rules.mail.mailboxes import Which, find
from rules.post.unsubscribe import address_of, is_off, switch_letters

bp = Blueprint("unsubscribe", __name__)


@bp.get("/letters/<token>")
def show(token: str) -> Any:
    """A page that asks: programs that follow links in letters must change nothing."""
    address = _address(token)
    off, company = is_off(db.session(), address), setting(db.session(), "company")
    return render_template("unsubscribe/page.html", token=token, address=address, is_off=off, company=company)


@bp.post("/letters/<token>")
@csrf.exempt  # type: ignore[untyped-decorator]
def switch(token: str) -> Any:
    """Also the one click of a mail program, which sends «List-Unsubscribe=One-Click» and knows no cookie: the token is enough."""
    address = _address(token)
    with transaction(numbered=False) as session:
        switch_letters(session, address, on=request.form.get("letters") == "on")
    if request.form.get("List-Unsubscribe") == "One-Click":
        return show(token)  # RFC 8058, 3.1: no redirect, since programs lose a POST on the way
    return redirect(url_for("unsubscribe.show", token=token), 303)


@bp.get("/me/letters")
@signed_in
def own() -> Any:
    """A part of one's own page; a page of its own without htmx."""
    account = find(db.session(), Which("person", person().id))
    values = {"is_off": is_off(db.session(), person().email), "account": account}
    if is_htmx():
        return fragment(render_template("unsubscribe/_own.html", **values))
    return render_template("unsubscribe/own.html", **values)


@bp.post("/me/letters")
@signed_in
def switch_own() -> Any:
    is_on = request.form.get("letters") == "on"
    with transaction(numbered=False) as session:
        switch_letters(session, person().email, on=is_on)
    flash(_("Letters come to your mailbox again.") if is_on else _("No more letters: you find your news at the bell."))
    return redirect(url_for("personal.show"), 303)


def _address(token: str) -> str:
    address = address_of(token, current_app.config["POTOK"].secret_key)
    if address is None:
        raise NotFound(_("This link is not whole. Open it from the letter again."))
    return address
