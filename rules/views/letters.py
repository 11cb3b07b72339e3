"""Settings → Letters: the log, a letter as it was sent, its attempts, «Send again» and «Cancel», the log as a table; and an
order's letters as a part."""

from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from kanban import clock
from kanban.config import Config
from kanban.db import db, transaction
from kanban.errors import Conflict, NotFound
from kanban.htmx import fragment
from kanban.i18n import _, day_short
from kanban.live import publish
from kanban.models import Order
from kanban.policy import may_administer
from kanban.security import LETTER_POLICY
from kanban.views.csv_answer import csv_answer
from kanban.views.guard import admin_only, confirmed, person, signed_in
from rules.actions import is_hidden
from rules.logs.letter_export import letter_rows
from rules.logs.letter_figures import PARTS, figures
from rules.logs.letter_log import MOST_PAGE, PERIODS, LogFilter, log_choices, log_page, opened, read_log_filter
from rules.mail.accounts import system_account
from rules.mail.health import resting
from rules.models import SECRET_KINDS, Message
from rules.post import outbox
from rules.post.addressees import DROPPED
from rules.post.frame import letter_of
from rules.running.mentions import MENTION
from rules.running.reminders import TODO
from rules.views.bars import bars
from rules.words.silence import dropped_words, silences_of

bp = Blueprint("letters", __name__)
OF_ORDER = 12


@bp.get("/settings/letters")
@admin_only
def show() -> Any:
    return _page(None)


@bp.get("/settings/letters/<int:letter_id>")
@admin_only
def open_letter(letter_id: int) -> Any:
    return _page(_find(letter_id))


@bp.get("/settings/letters/<int:letter_id>/html")
@admin_only
def html(letter_id: int) -> Any:
    """The letter itself, for the frame that shows it: it can run nothing and load nothing."""
    letter = letter_of(_find_readable(letter_id), _config().public_url)
    response = Response(letter.html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = LETTER_POLICY
    return response


@bp.get("/settings/letters/<int:letter_id>/text")
@admin_only
def text(letter_id: int) -> Any:
    return Response(letter_of(_find_readable(letter_id), _config().public_url).text, mimetype="text/plain")


@bp.post("/settings/letters/<int:letter_id>/send-again")
@admin_only
def send_again(letter_id: int) -> Any:
    host = _config().public_host
    with transaction() as session:
        again = outbox.send_again(session, letter_id, host)
        if again is None:
            raise NotFound(_("There is no such letter."))
    flash(_("A second copy is on its way."))
    return redirect(url_for("letters.open_letter", letter_id=again.id, **_kept()), 303)


@bp.post("/settings/letters/<int:letter_id>/cancel")
@admin_only
def cancel(letter_id: int) -> Any:
    letter = _find(letter_id)
    with transaction() as session:
        if not outbox.cancel_one(session, letter_id):
            raise Conflict(_("This letter does not wait any more: it is leaving or has left, so it can't be cancelled."))
        publish(session, "letters", *([f"letters-{letter.order_id}"] if letter.order_id else []))
    flash(_("The letter is cancelled."))
    return redirect(url_for("letters.open_letter", letter_id=letter_id, **_kept()), 303)


@bp.get("/settings/letters.csv")
@admin_only
@confirmed
def table() -> Any:
    """The filtered log for a spreadsheet."""
    rows = letter_rows(
        db.engine, read_log_filter(request.args).conditions(), _states() | _channels() | {code: dropped_words(code) for code in DROPPED}
    )
    return csv_answer("letters", _columns(), rows)


@bp.get("/orders/<int:order_id>/letters")
@signed_in
def of_order(order_id: int) -> Any:
    """The letters of an order with their state; a part of its page."""
    order = db.session.get(Order, order_id)
    if order is None:
        raise NotFound(_("There is no such order."))
    told = select(Message).where(Message.order_id == order_id, Message.kind.not_in((MENTION, TODO)))  # those stand beside it already
    opens = may_administer(person())
    found = db.session.scalars(told.order_by(Message.id.desc()).limit(OF_ORDER + 1)).all()
    rows = [one for one in found if opens or not is_hidden(one.layout)]
    return fragment(
        render_template(
            "letters/_of_order.html",
            letters=rows[:OF_ORDER],
            has_more=len(found) > OF_ORDER,
            order=order,
            opens=opens,
            silences=silences_of(db.session(), order_id, hidden=opens),
        )
    )


def _page(letter: Message | None) -> Any:
    session, chosen, page = db.session(), read_log_filter(request.args), _page_number()
    rows, has_more = log_page(session, chosen, page)
    choices, numbers = log_choices(session), figures(session)
    return render_template(
        "letters/page.html", rows=rows, has_more=has_more, page=page, chosen=chosen, choices=choices, figures=numbers, parts=PARTS,
        bars=bars(numbers.days), applied=_applied(chosen, choices.rules, choices.people, choices.accounts), periods=PERIODS,
        states=_states(), channels=_channels(), opened=opened(session, letter) if letter else None, kept=_kept(),
        resting=resting(session, clock.now()), is_tray=not _config().smtp_host and system_account(session, _config()) is None,
    )  # fmt: skip


def _page_number() -> int:
    return max(1, min(request.args.get("page", 1, type=int), MOST_PAGE))


def _kept() -> dict[str, Any]:
    """The filter and the page of the log, as they go into each link."""
    page = _page_number()
    return read_log_filter(request.args).query(page=page if page > 1 else None)


def _applied(chosen: LogFilter, *names: list[tuple[int, str]]) -> list[tuple[str, str, dict[str, Any]]]:
    """What the filter's menu holds, as chips: name, value and the filter without it."""
    rules, people, accounts = (dict(one) for one in names)
    found: list[tuple[str, str, dict[str, Any]]] = []
    if chosen.rule:
        found.append((_("Rule"), rules.get(chosen.rule, "?"), chosen.query(rule=None)))
    if chosen.person:
        found.append((_("Recipient"), people.get(chosen.person, "?"), chosen.query(person=None)))
    if chosen.channel:
        found.append((_("Channel"), _channels()[chosen.channel], chosen.query(channel=None)))
    if chosen.account:
        name = _("the firm's own") if chosen.account == "firm" else accounts.get(int(chosen.account), "?")
        found.append((_("Mail account"), name, chosen.query(account=None)))
    if chosen.days:
        found.append((_("Period"), _("last %(days)s days", days=chosen.days), chosen.query(days=None)))
    if chosen.since:
        found.append((_("Since"), day_short(chosen.since), chosen.query(**{"from": None})))
    if chosen.until:
        found.append((_("Until"), day_short(chosen.until), chosen.query(to=None)))
    return found


def _states() -> dict[str, str]:
    return {
        "waiting": _("waits"), "sending": _("leaving"), "sent": _("sent"), "failed": _("not delivered"), "cancelled": _("cancelled"),
        "tray": _("in the tray"),
    }  # fmt: skip


def _channels() -> dict[str, str]:
    return {"email": _("e-mail"), "sms": _("SMS"), "chat": _("messenger"), "notice": _("notice in Potok")}


def _columns() -> list[str]:
    """The head of the table, in the order of rules.logs.letter_export.COLUMNS."""
    return [
        _("Queued"), _("State"), _("Channel"), _("Name"), _("Address"), _("Subject"), _("Order"), _("Rule"), _("Sender"), _("Tries"),
        _("Sent at"), _("Answer"), "Message-ID",
    ]  # fmt: skip


def _find(letter_id: int) -> Message:
    message = db.session.get(Message, letter_id)
    if message is None:
        raise NotFound(_("There is no such letter."))
    return message


def _find_readable(letter_id: int) -> Message:
    """Nobody reads the link that opens somebody's account."""
    message = _find(letter_id)
    if message.kind in SECRET_KINDS:
        raise NotFound(_("The text of this letter is not shown: its link opens an account."))
    if not message.text_kept:
        raise NotFound(_("The text of this message is no longer kept."))
    return message


def _config() -> Config:
    config: Config = current_app.config["POTOK"]
    return config
