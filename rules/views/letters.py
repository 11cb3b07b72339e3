"""Settings → Letters: the log, a letter as it was sent, its attempts, «Send again»; and an order's letters as a part."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy import func, or_, select

from kanban import clock
from kanban.config import Config
from kanban.db import db, transaction
from kanban.errors import NotFound
from kanban.htmx import fragment
from kanban.i18n import _
from kanban.ids import read_id
from kanban.models import Order, Person
from kanban.policy import may_administer
from kanban.security import LETTER_POLICY
from kanban.views.guard import admin_only, person, signed_in
from rules import outbox
from rules.accounts import system_account
from rules.frame import letter_of
from rules.models import STATES, Delivery, Message, Rule
from rules.silence import silences_of

bp = Blueprint("letters", __name__)
PAGE = 50
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
    letter = letter_of(_find(letter_id), _config().public_url)
    response = Response(letter.html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = LETTER_POLICY
    return response


@bp.get("/settings/letters/<int:letter_id>/text")
@admin_only
def text(letter_id: int) -> Any:
    return Response(letter_of(_find(letter_id), _config().public_url).text, mimetype="text/plain")


@bp.post("/settings/letters/<int:letter_id>/send-again")
@admin_only
def send_again(letter_id: int) -> Any:
    host = urlsplit(_config().public_url).hostname or "potok"
    with transaction() as session:
        again = outbox.send_again(session, letter_id, host)
        if again is None:
            raise NotFound(_("There is no such letter."))
    flash(_("A second copy is on its way."))
    return redirect(url_for("letters.open_letter", letter_id=again.id), 303)


@bp.get("/orders/<int:order_id>/letters")
@signed_in
def of_order(order_id: int) -> Any:
    """The letters of an order with their state; a part of its page."""
    order = db.session.get(Order, order_id)
    if order is None:
        raise NotFound(_("There is no such order."))
    rows = db.session.scalars(select(Message).where(Message.order_id == order_id).order_by(Message.id.desc()).limit(OF_ORDER + 1)).all()
    return fragment(
        render_template(
            "letters/_of_order.html",
            letters=rows[:OF_ORDER],
            has_more=len(rows) > OF_ORDER,
            order=order,
            opens=may_administer(person()),
            silences=silences_of(db.session(), order_id),
        )
    )


def _page(letter: Message | None) -> Any:
    arguments = request.args
    state = arguments.get("state", "")
    page = max(1, min(arguments.get("page", 1, type=int), 100_000))
    query = select(Message).order_by(Message.id.desc())
    if state in STATES:
        query = query.where(Message.state.in_(("waiting", "sending")) if state == "waiting" else Message.state == state)
    words = arguments.get("q", "").replace("\x00", "").strip()[:100]
    if words:
        fields = (Message.address, Message.name, Message.subject)
        query = query.where(or_(*(func.lower(field).contains(words.casefold(), autoescape=True) for field in fields)))
    if read_id(arguments.get("rule")):
        query = query.where(Message.rule_id == read_id(arguments.get("rule")))
    if read_id(arguments.get("person")):
        query = query.where(Message.person_id == read_id(arguments.get("person")))
    rows = db.session.scalars(query.limit(PAGE + 1).offset((page - 1) * PAGE)).all()
    opened = _opened(letter) if letter else {}
    return render_template(
        "letters/page.html", rows=rows[:PAGE], has_more=len(rows) > PAGE, page=page, state=state, q=words, counts=_counts(), letter=letter,
        is_tray=not _config().smtp_host and system_account(db.session(), _config()) is None, rules=_names(Rule), people=_names(Person),
        rule=read_id(arguments.get("rule")), person_id=read_id(arguments.get("person")), query=_query(state, words), **opened,
    )  # fmt: skip


def _query(state: str, words: str) -> dict[str, Any]:
    kept = {
        "state": state or None,
        "q": words or None,
        "rule": read_id(request.args.get("rule")),
        "person": read_id(request.args.get("person")),
    }
    return {name: value for name, value in kept.items() if value}


def _names(model: Any) -> list[tuple[int, str]]:
    return [(id_, name) for id_, name in db.session.execute(select(model.id, model.name).order_by(model.name))]


def _counts() -> dict[str, int]:
    """Letters of the last 30 days by state."""
    rows = db.session.execute(
        select(Message.state, func.count()).where(Message.created_at > clock.now() - timedelta(days=30)).group_by(Message.state)
    )
    counts = dict.fromkeys(STATES, 0) | dict(rows.all())
    return counts | {"waiting": counts["waiting"] + counts["sending"]}


def _opened(letter: Message) -> dict[str, Any]:
    deliveries = db.session.scalars(select(Delivery).where(Delivery.message_id == letter.id).order_by(Delivery.id.desc()).limit(50)).all()
    rule = db.session.get(Rule, letter.rule_id) if letter.rule_id else None
    order = db.session.get(Order, letter.order_id) if letter.order_id else None
    return {"deliveries": deliveries, "letter_rule": rule, "letter_order": order}


def _find(letter_id: int) -> Message:
    message = db.session.get(Message, letter_id)
    if message is None:
        raise NotFound(_("There is no such letter."))
    return message


def _config() -> Config:
    config: Config = current_app.config["POTOK"]
    return config
