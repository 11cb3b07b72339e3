"""Settings → SMS and messengers: a gateway for each of the two channels, proved by a test message."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for

from kanban import clock, journal
from kanban.config import Config
from kanban.db import db, transaction
from kanban.errors import Invalid, NotFound
from kanban.i18n import N_, _
from kanban.journal import Kind
from kanban.models import Person
from kanban.people import clean_chat, clean_phone
from kanban.phones import e164
from kanban.settings import country
from kanban.views.guard import admin_only, confirmed, person
from rules.forms.gateway import GatewayForm, read_gateway
from rules.mail.accounts import note_error, note_sent
from rules.mail.health import health_of_gateway
from rules.models import Gateway
from rules.post.gateways import GATEWAY_CHANNELS, SERVICES, Service, fields_of, find_gateway, sealed, services_of
from rules.post.outbox import Lane
from rules.post.transports import Answer, Letter
from rules.post.ways import way_of

bp = Blueprint("gateways", __name__, url_prefix="/settings/gateways")
TEST_DEADLINE_S = 20
NAMES = {"sms": N_("SMS"), "chat": N_("Messenger")}
CLEAN: dict[str, Callable[[str], str]] = {"sms": clean_phone, "chat": clean_chat}


@bp.get("")
@admin_only
@confirmed
def show() -> Any:
    """?sms=smpp&chat=webhook: with the fields of another service than the saved one."""
    return _page()


@bp.post("/<channel>/save")
@admin_only
@confirmed
def save(channel: str) -> Any:
    service = _service(channel, request.form.get("service"))
    with transaction() as session:
        stored = find_gateway(session, channel)
        kept = fields_of(stored, _config()) if stored is not None and stored.service == service.key else {}
        typed = read_gateway(request.form, service, kept)
        if not typed.errors:
            stored = stored or Gateway(channel=channel)
            stored.service, stored.sealed_fields = service.key, sealed(typed.values, _config())
            stored.per_hour, stored.per_day = typed.per_hour, typed.per_day
            stored.changed_at, stored.paused_until, stored.failures = clock.now(), None, 0
            stored.last_sent_at = stored.last_sent_at if kept else None
            stored.last_error, stored.last_error_at = "", None
            session.add(stored)
            journal.note(session, Kind.GATEWAY_CHANGED, person(), about=service.key, channel=channel)
    if typed.errors:
        return _page({channel: typed}, code=422)
    flash(_("Saved. Send a test message to be sure."))
    return redirect(url_for("gateways.show") + f"#{channel}", 303)


@bp.post("/<channel>/test")
@admin_only
@confirmed
def test(channel: str) -> Any:
    """A real message to the number or chat that was typed, at once; the service's own words come back."""
    stored = _stored(channel)
    typed = request.form.get("address", "")
    try:
        address = CLEAN[channel](typed[:200])
        if not address:
            raise Invalid(_("Write where the test message is to go."))
    except Invalid as error:
        return _page(answers={channel: (Answer("failed", ""), typed, str(error.reason))}, code=422)
    number = e164(address, country()) if channel == "sms" else address
    letter = Letter(
        f"<potok.test.{clock.now().timestamp():.6f}@potok>", None, person().name, number, "",
        _("Potok: a test message. If you read this, messages arrive."), "",
    )  # fmt: skip
    config = _config()
    way = way_of(stored, Lane(channel), replace(config, letter_deadline_s=min(config.letter_deadline_s, TEST_DEADLINE_S)))
    db.session.rollback()
    with way.open() as transport:
        answer = transport.send(letter)
    with transaction(numbered=False) as session:
        if answer.outcome == "sent":
            note_sent(session, channel, clock.now(), wakes=True)
        else:
            note_error(session, channel, answer.text, clock.now())
    return _page(answers={channel: (answer, typed, "")}, code=200 if answer.outcome == "sent" else 422)


@bp.post("/<channel>/remove")
@admin_only
@confirmed
def remove(channel: str) -> Any:
    """Its messages go to the tray."""
    with transaction() as session:
        stored = _stored(channel)
        journal.note(session, Kind.GATEWAY_CHANGED, person(), about=stored.service, channel=channel, removed=True)
        session.delete(stored)
    flash(_("Messages of this channel go to the tray now."))
    return redirect(url_for("gateways.show"), 303)


def _service(channel: str, key: str | None) -> Service:
    _require_channel(channel)
    service = SERVICES.get(key or "")
    if service is None or channel not in service.channels:
        raise Invalid(_("There is no such service."), "service")
    return service


def _stored(channel: str) -> Gateway:
    _require_channel(channel)
    stored = find_gateway(db.session(), channel)
    if stored is None:
        raise NotFound(_("Nothing is set up for this channel yet."))
    return stored


def _require_channel(channel: str) -> None:
    if channel not in GATEWAY_CHANNELS:
        raise NotFound(_("There is no such channel."))


def _page(typed: dict[str, GatewayForm] | None = None, answers: dict[str, Any] | None = None, code: int = 200) -> Any:
    me = db.session.get(Person, person().id)
    own = {"sms": me.phone, "chat": me.chat} if me else {}
    panels = [
        _panel(channel, (typed or {}).get(channel), (answers or {}).get(channel), own.get(channel, "")) for channel in GATEWAY_CHANNELS
    ]
    return render_template("gateways/page.html", panels=panels), code


def _panel(channel: str, typed: GatewayForm | None, answer: Any, own: str) -> dict[str, Any]:
    session = db.session()
    stored = find_gateway(session, channel)
    offered = services_of(channel)
    wanted = (request.form.get("service") if typed else request.args.get(channel)) or (stored.service if stored else "")
    service = next((one for one in offered if one.key == wanted), offered[0])
    kept = fields_of(stored, _config()) if stored is not None and stored.service == service.key else {}
    return {
        "channel": channel, "name": _(NAMES[channel]), "stored": stored, "offered": offered, "service": service,
        "saved_name": SERVICES[stored.service].name if stored else "",
        "errors": typed.errors if typed else {},
        "values": {one.name: _shown(one, (typed.values if typed else kept).get(one.name, one.default)) for one in service.fields},
        "saved": {one.name: _hidden(one.kind, kept[one.name]) for one in service.fields if one.secret and kept.get(one.name)},
        "per_hour": request.form.get("per_hour", "") if typed else (stored.per_hour if stored else 0),
        "per_day": request.form.get("per_day", "") if typed else (stored.per_day if stored else 0),
        "health": health_of_gateway(session, stored, clock.now()) if stored else None,
        "answer": answer[0] if answer else None, "address": answer[1] if answer else own, "address_error": answer[2] if answer else "",
    }  # fmt: skip


def _shown(one: Any, value: str) -> str:
    return "" if one.secret else value


def _hidden(kind: str, value: str) -> str:
    """What stands in place of a saved secret: of an address one sees where it leads."""
    if kind == "url":
        url = urlsplit(value)
        return f"{url.scheme}://{url.hostname}/••••••"
    return _("•••••• saved")


def _config() -> Config:
    config: Config = current_app.config["POTOK"]
    return config
