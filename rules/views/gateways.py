"""Settings → SMS and messengers: a gateway for each channel that goes by one, proved by a test message."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from kanban import clock, journal
from kanban.config import Config
from kanban.db import db
from kanban.errors import Invalid, NotFound
from kanban.http.guard import admin_only, confirmed, person
from kanban.i18n import _
from kanban.journal import Kind
from kanban.models import Person
from kanban.transactions import Turn, transaction
from rules.definition.channels import GATEWAY_CHANNELS, Channel
from rules.forms.gateway import GatewayForm, read_gateway
from rules.models import Gateway
from rules.post.addresses import as_sent, clean, kept_address
from rules.post.health import health_of_gateway, note_error, note_sent
from rules.post.outbox import Lane
from rules.post.routes import route_of
from rules.transports import Answer, RenderedMessage
from rules.transports.gateways import fields_of, find_gateway, sealed
from rules.transports.services import SERVICES, GatewayService, services_of

bp = Blueprint("gateways", __name__, url_prefix="/settings/gateways")
TEST_DEADLINE_S = 20


@bp.get("")
@admin_only
@confirmed
def show() -> ResponseReturnValue:
    """?sms=smpp&chat=webhook: with the fields of another service than the saved one."""
    return _page()


@bp.post("/<code>/save")
@admin_only
@confirmed
def save(code: str) -> ResponseReturnValue:
    channel = _channel(code)
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


@bp.post("/<code>/test")
@admin_only
@confirmed
def test(code: str) -> ResponseReturnValue:
    """A real message to the number or chat that was typed, at once; the service's own words come back."""
    channel = _channel(code)
    stored = _stored(channel)
    typed = request.form.get("address", "")
    try:
        address = clean(typed[:200], channel)
        if not address:
            raise Invalid(_("Enter where to send the test message."))
    except Invalid as error:
        return _page(answers={channel: (Answer("failed", ""), typed, str(error.reason))}, code=422)
    message = RenderedMessage(
        f"<potok.test.{clock.now().timestamp():.6f}@potok>",
        None,
        person().name,
        as_sent(address, channel),
        "",
        _("Potok: test message. If you can read this, messages arrive."),
        "",
    )
    config = _config()
    route = route_of(stored, Lane(channel), replace(config, letter_deadline_s=min(config.letter_deadline_s, TEST_DEADLINE_S)))
    db.session.rollback()
    with route.open() as transport:
        answer = transport.send(message)
    with transaction(Turn.NONE) as session:
        used = find_gateway(session, channel)
        if used is not None and answer.outcome == "sent":
            note_sent(session, used, clock.now(), wakes=True)
        elif used is not None:
            note_error(session, used, answer.text, clock.now())
    return _page(answers={channel: (answer, typed, "")}, code=200 if answer.outcome == "sent" else 422)


@bp.post("/<code>/remove")
@admin_only
@confirmed
def remove(code: str) -> ResponseReturnValue:
    """Its messages go to the tray."""
    channel = _channel(code)
    with transaction() as session:
        stored = _stored(channel)
        journal.note(session, Kind.GATEWAY_CHANGED, person(), about=stored.service, channel=channel, removed=True)
        session.delete(stored)
    flash(_("Messages on this channel will no longer be sent."))
    return redirect(url_for("gateways.show"), 303)


def _channel(code: str) -> Channel:
    if code not in GATEWAY_CHANNELS:
        raise NotFound(_("Channel not found."))
    return Channel(code)


def _service(channel: Channel, key: str | None) -> GatewayService:
    service = SERVICES.get(key or "")
    if service is None or channel not in service.channels:
        raise Invalid(_("This service is not available."), "service")
    return service


def _stored(channel: Channel) -> Gateway:
    stored = find_gateway(db.session(), channel)
    if stored is None:
        raise NotFound(_("This channel is not set up yet."))
    return stored


def _page(
    typed: dict[Channel, GatewayForm] | None = None, answers: dict[Channel, object] | None = None, code: int = 200
) -> ResponseReturnValue:
    me = db.session.get(Person, person().id)
    panels = [
        _panel(channel, (typed or {}).get(channel), (answers or {}).get(channel), kept_address(me, channel) if me else "")
        for channel in GATEWAY_CHANNELS
    ]
    return render_template("gateways/page.html", panels=panels), code


def _panel(channel: Channel, typed: GatewayForm | None, answer: Any, own: str) -> dict[str, object]:
    session = db.session()
    stored = find_gateway(session, channel)
    offered = services_of(channel)
    wanted = (request.form.get("service") if typed else request.args.get(channel)) or (stored.service if stored else "")
    service = next((one for one in offered if one.key == wanted), offered[0])
    kept = fields_of(stored, _config()) if stored is not None and stored.service == service.key else {}
    return {
        "channel": channel,
        "stored": stored,
        "offered": offered,
        "service": service,
        "saved_name": SERVICES[stored.service].name if stored else "",
        "errors": typed.errors if typed else {},
        "values": {one.name: _shown(one, (typed.values if typed else kept).get(one.name, one.default)) for one in service.fields},
        "saved": {one.name: _hidden(one.kind, kept[one.name]) for one in service.fields if one.secret and kept.get(one.name)},
        "per_hour": request.form.get("per_hour", "") if typed else (stored.per_hour if stored else 0),
        "per_day": request.form.get("per_day", "") if typed else (stored.per_day if stored else 0),
        "health": health_of_gateway(session, stored, clock.now()) if stored else None,
        "answer": answer[0] if answer else None,
        "address": answer[1] if answer else own,
        "address_error": answer[2] if answer else "",
    }


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
