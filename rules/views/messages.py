"""Settings → Messages: the log, a message as it was sent, its attempts, «Send again» and «Cancel», the log as a table; and an
order's messages as a part."""

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban import clock
from kanban.config import Config
from kanban.db import db
from kanban.errors import Conflict, NotFound
from kanban.htmx import fragment
from kanban.http.csv_answer import csv_answer
from kanban.http.guard import admin_only, confirmed, person, signed_in
from kanban.http.kept import follows_feed
from kanban.i18n import _
from kanban.ids import Arguments
from kanban.live import publish
from kanban.policy import may_administer
from kanban.queries.order import get_order
from kanban.security import MESSAGE_POLICY
from kanban.transactions import transaction
from rules.definition.channels import Channel
from rules.logs.message_export import message_rows
from rules.logs.message_figures import PARTS, figures
from rules.logs.message_log import (
    MOST_PAGE,
    PERIODS,
    LogFilter,
    find_message,
    log_choices,
    log_page,
    messages_of_order,
    opened,
    read_log_filter,
)
from rules.mail.accounts import system_account
from rules.models import SECRET_KINDS, Message
from rules.post import outbox
from rules.post.addressees import DROPPED
from rules.post.health import resting
from rules.post.layout import read_layout
from rules.post.rendering import render_message
from rules.views.bars import bars
from rules.views.chips import Chip, period_chips
from rules.words.reasons import dropped_words, skipped_of

bp = Blueprint("messages", __name__)
OF_ORDER = 12


@bp.get("/settings/messages")
@admin_only
@follows_feed
def show() -> ResponseReturnValue:
    return _page(None)


@bp.get("/settings/messages/<int:message_id>")
@admin_only
@follows_feed
def open_message(message_id: int) -> ResponseReturnValue:
    return _page(_find(message_id))


@bp.get("/settings/letters")
@bp.get("/settings/letters/<int:message_id>")
@admin_only
def moved(message_id: int | None = None) -> ResponseReturnValue:
    """Where the log was once: e-mails to administrators that lead there are still in mailboxes."""
    if message_id is None:
        return redirect(url_for("messages.show", **_kept()), 301)
    return redirect(url_for("messages.open_message", message_id=message_id, **_kept()), 301)


@bp.get("/settings/messages/<int:message_id>/html")
@admin_only
def html(message_id: int) -> ResponseReturnValue:
    """The message itself, for the frame that shows it: it can run nothing and load nothing."""
    message = render_message(_find_readable(message_id), _config().public_url)
    response = Response(message.html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = MESSAGE_POLICY
    return response


@bp.get("/settings/messages/<int:message_id>/text")
@admin_only
def text(message_id: int) -> ResponseReturnValue:
    return Response(render_message(_find_readable(message_id), _config().public_url).text, mimetype="text/plain")


@bp.post("/settings/messages/<int:message_id>/send-again")
@admin_only
def send_again(message_id: int) -> ResponseReturnValue:
    host = _config().public_host
    with transaction() as session:
        again = outbox.send_again(session, message_id, host)
        if again is None:
            raise NotFound(_("Message not found."))
    flash(_("A second copy is on its way."))
    return redirect(url_for("messages.open_message", message_id=again.id, **_kept()), 303)


@bp.post("/settings/messages/<int:message_id>/cancel")
@admin_only
def cancel(message_id: int) -> ResponseReturnValue:
    message = _find(message_id)
    with transaction() as session:
        if not outbox.cancel_one(session, message_id):
            raise Conflict(_("This message is no longer waiting: it is being sent or has been sent, so it can't be cancelled."))
        publish(session, "messages", *([f"messages-{message.order_id}"] if message.order_id else []))
    flash(_("The message is cancelled."))
    return redirect(url_for("messages.open_message", message_id=message_id, **_kept()), 303)


@bp.get("/settings/messages.csv")
@admin_only
@confirmed
def table() -> ResponseReturnValue:
    """The filtered log for a spreadsheet."""
    rows = message_rows(
        db.engine, read_log_filter(request.args).conditions(), _states() | _channels() | {code: dropped_words(code) for code in DROPPED}
    )
    return csv_answer("messages", _columns(), rows)


@bp.get("/orders/<int:order_id>/messages")
@signed_in
def of_order(order_id: int) -> ResponseReturnValue:
    """The messages of an order with their state; a part of its page."""
    order = get_order(db.session(), order_id)
    opens = may_administer(person())
    found = messages_of_order(db.session(), order_id, OF_ORDER + 1)
    rows = [message for message in found if opens or not read_layout(message.layout).is_hidden]
    return fragment(
        render_template(
            "messages/_of_order.html",
            messages=rows[:OF_ORDER],
            has_more=len(found) > OF_ORDER,
            order=order,
            opens=opens,
            skipped=skipped_of(db.session(), order_id, hidden=opens),
        )
    )


def _page(message: Message | None) -> ResponseReturnValue:
    session, chosen, page = db.session(), read_log_filter(request.args), _page_number()
    rows, has_more = log_page(session, chosen, page)
    choices, numbers = log_choices(session), figures(session)
    return render_template(
        "messages/page.html",
        rows=rows,
        has_more=has_more,
        page=page,
        chosen=chosen,
        choices=choices,
        figures=numbers,
        parts=PARTS,
        bars=bars(numbers.days),
        applied=_applied(chosen, choices.rules, choices.people, choices.accounts),
        periods=PERIODS,
        states=_states(),
        channels=_channels(),
        opened=opened(session, message) if message else None,
        kept=_kept(),
        resting=resting(session, clock.now()),
        is_tray=not _config().smtp_host and system_account(session, _config()) is None,
    )


def _page_number() -> int:
    return max(1, min(request.args.get("page", 1, type=int), MOST_PAGE))


def _kept() -> Arguments:
    """The filter and the page of the log, as they go into each link."""
    page = _page_number()
    return read_log_filter(request.args).query(page=page if page > 1 else None)


def _applied(chosen: LogFilter, *names: list[tuple[int, str]]) -> list[Chip]:
    """What the filter's menu holds, as chips: name, value and the filter without it."""
    rules, people, accounts = (dict(one) for one in names)
    found: list[Chip] = []
    if chosen.rule:
        found.append(Chip(_("Rule"), rules.get(chosen.rule, "?"), chosen.query(rule=None)))
    if chosen.person:
        found.append(Chip(_("Recipient"), people.get(chosen.person, "?"), chosen.query(person=None)))
    if chosen.channel:
        found.append(Chip(_("Channel"), _channels()[chosen.channel], chosen.query(channel=None)))
    if chosen.account:
        name = _("company account") if chosen.account == "firm" else accounts.get(int(chosen.account), "?")
        found.append(Chip(_("Mail account"), name, chosen.query(account=None)))
    return found + period_chips(chosen)


def _states() -> dict[str, str]:
    return {
        "waiting": _("in queue"),
        "sending": _("being sent"),
        "sent": _("sent"),
        "failed": _("not delivered"),
        "cancelled": _("cancelled"),
        "tray": _("not sent"),
    }


def _channels() -> dict[str, str]:
    return {channel.value: channel.label for channel in Channel}


def _columns() -> list[str]:
    """The head of the table, in the order of rules.logs.message_export.COLUMNS."""
    return [
        _("Queued"),
        _("State"),
        _("Channel"),
        _("Name"),
        _("Address"),
        _("Subject"),
        _("Order"),
        _("Rule"),
        _("Sender"),
        _("Tries"),
        _("Sent at"),
        _("Response"),
        "Message-ID",
    ]


def _find(message_id: int) -> Message:
    return find_message(db.session(), message_id)


def _find_readable(message_id: int) -> Message:
    """Nobody reads the link that opens somebody's account."""
    message = _find(message_id)
    if message.kind in SECRET_KINDS:
        raise NotFound(_("The text of this e-mail is not shown: its link gives access to an account."))
    if not message.text_kept:
        raise NotFound(_("The text of this message is no longer kept."))
    return message


def _config() -> Config:
    config: Config = current_app.config["POTOK"]
    return config
