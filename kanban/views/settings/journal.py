"""Settings → Security journal."""

from collections.abc import Mapping
from typing import assert_never

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from kanban.db import db
from kanban.http.csv_answer import csv_answer
from kanban.http.guard import admin_only, confirmed
from kanban.i18n import N_, _, ngettext
from kanban.journal import Kind
from kanban.models import SecurityEvent
from kanban.queries.journal import journal_page, journal_rows, read_journal_filter

bp = Blueprint("journal", __name__, url_prefix="/settings/journal")
KINDS: Mapping[Kind, str] = {
    Kind.SIGNED_IN: N_("sign-in"),
    Kind.SIGN_IN_FAILED: N_("failed sign-in"),
    Kind.LOCKED_OUT: N_("locked out"),
    Kind.UNLOCKED: N_("unlocked"),
    Kind.SIGNED_OUT: N_("sign-out"),
    Kind.SIGN_INS_ENDED: N_("sessions ended"),
    Kind.CONFIRM_FAILED: N_("wrong password at confirmation"),
    Kind.RESET_ASKED: N_("password reset requested"),
    Kind.PASSWORD_SET: N_("new password"),
    Kind.INVITED: N_("link issued"),
    Kind.PERSON_ADDED: N_("employee added"),
    Kind.PERSON_CHANGED: N_("employee changed"),
    Kind.ROLES_CHANGED: N_("roles changed"),
    Kind.EXPORTED: N_("export"),
    Kind.SETTING_CHANGED: N_("setting changed"),
    Kind.ACCOUNT_CHANGED: N_("mail account changed"),
    Kind.GATEWAY_CHANGED: N_("gateway changed"),
    Kind.BACKUP_ASKED: N_("backup requested"),
    Kind.RESTORED: N_("backup restored"),
}
BAD = (Kind.SIGN_IN_FAILED, Kind.LOCKED_OUT, Kind.CONFIRM_FAILED)
FIELDS = {
    "name": N_("name"),
    "phone": N_("phone"),
    "chat": N_("messenger"),
    "email": N_("e-mail address"),
    "access": N_("access"),
    "active": N_("works here"),
    "roles": N_("roles"),
    "company": N_("company"),
    "language": N_("language"),
    "country": N_("country"),
    "public_holidays": N_("public holidays"),
    "days_off": N_("company days off"),
    "worked_days": N_("company working days"),
    "letters_paused": N_("message pause"),
    "inner_hosts": N_("internal hosts"),
}
PARTS = {
    "sending": N_("sending"),
    "receiving": N_("receiving"),
    "other": N_("copies and limits"),
    "token": N_("token sign-in"),
    "removed": N_("removed"),
}


@bp.get("")
@admin_only
@confirmed
def show() -> ResponseReturnValue:
    """?before: the id that older lines come before."""
    chosen = read_journal_filter(request.args)
    rows, has_older = journal_page(db.session(), chosen, request.args.get("before"))
    return render_template(
        "settings/journal.html",
        rows=rows,
        has_older=has_older,
        chosen=chosen,
        kinds=KINDS,
        bad=BAD,
        told=told,
        kept_days=current_app.config["POTOK"].journal_kept_days,
        before=request.args.get("before"),
    )


@bp.get(".csv")
@admin_only
@confirmed
def table() -> ResponseReturnValue:
    head = [_("When"), _("What happened"), _("Who"), _("About"), _("More"), _("IP address")]
    rows = (
        [one.at, _(KINDS[Kind(one.kind)]), one.who, one.about, told(one), one.address]
        for one in journal_rows(db.engine, read_journal_filter(request.args))
    )
    return csv_answer("journal", head, rows)


def told(event: SecurityEvent) -> str:
    """What its kind does not say yet, "" where nothing."""
    kind, details, found = Kind(event.kind), event.details, ""
    match kind:
        case Kind.PERSON_CHANGED | Kind.SETTING_CHANGED:
            found = "; ".join(_changed(name, was, now) for name, (was, now) in details["changed"].items())
        case Kind.ROLES_CHANGED:
            found = _roles(details)
        case Kind.PERSON_ADDED:
            found = _value(details["access"])
        case Kind.PASSWORD_SET:
            found = {"own": _("by the employee"), "administrator": _("by an administrator")}.get(str(details["by"]), _("by a link"))
        case Kind.SIGN_INS_ENDED:
            found = ngettext("%(num)d session", "%(num)d sessions", int(details["count"]))
        case Kind.ACCOUNT_CHANGED:
            part, server = PARTS.get(details.get("part", "")), details.get("server")
            found = " · ".join([*([_(part)] if part else []), *([str(server)] if server else [])])
        case Kind.GATEWAY_CHANGED:
            found = _("removed") if details.get("removed") else str(details["channel"])
        case (
            Kind.SIGNED_IN
            | Kind.SIGN_IN_FAILED
            | Kind.LOCKED_OUT
            | Kind.UNLOCKED
            | Kind.SIGNED_OUT
            | Kind.CONFIRM_FAILED
            | Kind.RESET_ASKED
            | Kind.INVITED
            | Kind.EXPORTED
            | Kind.BACKUP_ASKED
            | Kind.RESTORED
        ):
            pass
        case _:
            assert_never(kind)
    return found


def _changed(name: str, was: object, now: object) -> str:
    return f"{_(FIELDS.get(name, name))}: {_value(was)} → {_value(now)}"


def _roles(details: dict[str, object]) -> str:
    what = details.get("what")
    if what == "moving":
        changed = details["changed"]
        was, now = changed if isinstance(changed, list) else ("", "")
        return _("who can move orders here: %(was)s → %(now)s", was=_value(was), now=_value(now))
    words = {"added": _("added"), "removed": _("removed"), "renamed": _("was “%(name)s”", name=details.get("was", ""))}
    return words.get(str(what), "")


def _value(value: object) -> str:
    words = {"admin": _("administrator"), "staff": _("employee"), "viewer": _("view only")}
    if isinstance(value, str) and value in words:
        return words[value]
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(map(str, value)) or "—" if isinstance(value, list) else str(value) or "—"
