"""Where accounts and gateways lead: anywhere in public, inside only where an administrator has named the host, to the machine's own
services never."""

import pytest
from flask import Flask
from sqlalchemy import select

from kanban.db import db
from kanban.models import SecurityEvent, Setting
from kanban.transactions import transaction
from rules.definition.channels import Channel
from rules.mail.discovery import _fetch
from rules.mail.named_hosts import name_hosts_in_use, named
from rules.models import Gateway, MailAccount
from rules.transports import RenderedMessage
from rules.transports.gateways import OpenGateway, sealed
from rules.transports.reach import NOWHERE_INSIDE, NotAllowed, read_reach
from rules.transports.services import ServiceKey
from rules.transports.smpp import Smpp
from rules.transports.smtp import Smtp
from rules.transports.webhook import Webhook
from rules.transports.wire import Wire
from tests.cast import Cast, Signed
from tests.fakegateways import FakeHttp, FakeSmpp
from tests.fakenet import FakeDns
from tests.mailserver import LOOPBACK
from tests.rules.test_hostile_servers import account, smtp_server

EVERYWHERE = read_reach("0.0.0.0/0 ::/0 any.example")
MESSAGE = RenderedMessage("<potok.1.abc@host>", 1, "Гузель", "+79001234567", "Заказ", "Готов", "")


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "77.88.55.88"])
def test_public_addresses_are_reached(address: str) -> None:
    NOWHERE_INSIDE.require("any.example", address)


@pytest.mark.parametrize(
    "address",
    [
        "fec0::1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:5",
        "::7f00:1",
        "::ffff:0:127.0.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.5",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.5",
        "2002:a00:5::1",
    ],
)
def test_inner_addresses_are_reached_once_the_host_is_named(address: str) -> None:
    with pytest.raises(NotAllowed, match="not allowed yet"):
        read_reach("other.example").require("any.example", address)
    for text in ("any.example", "ANY.example.", "0.0.0.0/0 ::/0"):
        read_reach(text).require("any.example", address)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "0.0.0.0",
        "::",
        "168.63.129.16",
        "fd20:ce::254",
        "64:ff9b::a9fe:a9fe",
        "::a9fe:a9fe",
        "224.0.0.1",
        "ff02::1",
        "::ffff:169.254.169.254",
    ],
)
def test_the_machines_own_services_never(address: str) -> None:
    with pytest.raises(NotAllowed, match="never"):
        EVERYWHERE.require("any.example", address)


def test_an_address_that_is_named_may_be_reached_by_any_name() -> None:
    for text in ("192.168.1.5", "fd00::5", "[fd00::5]"):
        read_reach(text).require("mail.firma.local", "192.168.1.5" if "." in text else "fd00::5")
    with pytest.raises(NotAllowed):
        read_reach("192.168.1.5").require("mail.firma.local", "192.168.1.6")


def test_a_name_is_judged_by_where_it_leads_when_it_is_connected_to() -> None:
    """A name server that says one thing to a check and another to the connection is asked once, by the connection."""
    with smtp_server() as server, FakeDns({("mail.evil.example", "A"): ["127.0.0.1"]}, port=0) as names:
        asked = f"{names.address}:{names.port}"
        with pytest.raises(NotAllowed):
            Wire().open("mail.evil.example", server.port, 2, asked)
        there = account(server.port, host="mail.evil.example", name_servers=asked, reach=NOWHERE_INSIDE)
        with pytest.raises(NotAllowed), Smtp(there, 5) as transport:
            transport.sign_in()
        assert _fetch(there, "mail.evil.example", "/") == b"" and server.heard == []


@pytest.mark.parametrize("path", ["/hook", "/moved"])
def test_a_webhook_leads_neither_inside_nor_elsewhere(path: str) -> None:
    with FakeHttp() as fake:
        with Webhook(OpenGateway(Channel.SMS, ServiceKey.WEBHOOK, {"url": fake.url + path}), 5) as transport:
            answer = transport.send(MESSAGE)
        assert answer.outcome == "retry" and "not allowed yet" in answer.text and fake.requests == []
        fake.answers = [(302, "x" * 5000)]
        with Webhook(OpenGateway(Channel.SMS, ServiceKey.WEBHOOK, {"url": fake.url + path}, reach=LOOPBACK), 5) as transport:
            answer = transport.send(MESSAGE)
        assert answer.outcome == "retry" and answer.text.startswith("error=302 xxx") and len(answer.text) < 300
        assert [one[0] for one in fake.requests] == [path], "a redirect is an answer like another, and followed by nobody"


def test_an_operator_inside_is_named_first() -> None:
    with FakeSmpp() as fake:
        fields = {"host": "127.0.0.1", "port": str(fake.port), "login": "firma", "password": "secret", "sender": "Kuhni"}
        with Smpp(OpenGateway(Channel.SMS, ServiceKey.SMPP, fields), 5) as transport:
            assert "not allowed yet" in transport.send(MESSAGE).text
        assert fake.connections == 0
        with Smpp(OpenGateway(Channel.SMS, ServiceKey.SMPP, fields, reach=read_reach("127.0.0.1")), 5) as transport:
            assert transport.send(MESSAGE).outcome == "sent"


def now_named() -> list[str]:
    db.session.rollback()
    return named(db.session())


def test_an_administrator_names_a_host_and_takes_it_back(app: Flask, cast: Cast) -> None:
    owner, manager = Signed(app.test_client(), cast.email("owner")), Signed(app.test_client(), cast.email("manager"))
    for bad in ("", "a b", "-x", "10.0.0.0/99", "http://a.example/", "x" * 300):
        assert owner.post("/settings/hosts/add", {"host": bad}).status_code == 422, bad
    assert manager.post("/settings/hosts/add", {"host": "mail.firma.local"}).status_code == 403
    assert owner.post("/settings/hosts/add", {"host": "Mail.Firma.local."}).status_code == 303
    assert owner.post("/settings/hosts/add", {"host": "mail.firma.local"}).status_code == 409
    assert "mail.firma.local" in owner.get("/settings/hosts").text and now_named() == ["mail.firma.local"]
    assert owner.post("/settings/hosts/remove", {"host": "mail.firma.local"}).status_code == 303 and now_named() == []
    changes = db.session.scalars(select(SecurityEvent.details).where(SecurityEvent.kind == "setting_changed")).all()
    assert [one["changed"]["inner_hosts"] for one in changes] == [["", "mail.firma.local"], ["mail.firma.local", ""]]


def test_what_was_in_use_before_is_named_once(app: Flask, cast: Cast) -> None:
    config = app.config["POTOK"]
    with transaction() as session:
        session.add(
            MailAccount(
                kind="system", address="a@firma.local", host="Mail.firma.local", receive_host="imap.firma.local", port=25, security="tls"
            )
        )
        fields = {"host": "smpp.firma.local", "port": "2775", "login": "a", "password": "b"}
        session.add(Gateway(channel="sms", service="smpp", sealed_fields=sealed(fields, config)))
        session.execute(Setting.__table__.delete().where(Setting.name == "inner_hosts"))  # type: ignore[attr-defined]
        name_hosts_in_use(session, config)
        assert named(session) == ["imap.firma.local", "mail.firma.local", "smpp.firma.local"]
        session.add(MailAccount(kind="named", address="b@firma.local", host="later.firma.local", port=25, security="tls"))
        name_hosts_in_use(session, config)
        assert "later.firma.local" not in named(session)


def test_who_is_no_administrator_sees_what_kind_of_error_it_is_and_no_more(app: Flask, cast: Cast) -> None:
    """The raw banner of a server inside the firm tells what runs there."""
    with smtp_server(b"554 internal-router-7 SSH-2.0-secret\r\n") as server:
        seen = {}
        for who in ("manager", "owner"):
            signed = Signed(app.test_client(), cast.email(who))
            form = {
                "address": f"{who}@melnikov.example",
                "password": "x",
                "sender_name": "Я",
                "host": "127.0.0.1",
                "port": "587",
                "security": "none",
                "username": "a",
                "timeout_s": "5",
            }
            assert signed.post("/me/mail/sending", form).status_code == 303
            with transaction() as session:
                for one in session.scalars(select(MailAccount)):
                    one.port = server.port
            signed.get("/me/mail/sending")
            seen[who] = signed.post("/me/mail/check/sign-in").text
    assert "internal-router-7" in seen["owner"] and "internal-router-7" not in seen["manager"]


def test_who_only_looks_has_no_account(app: Flask, cast: Cast) -> None:
    viewer = Signed(app.test_client(), cast.email("viewer"))
    assert viewer.get("/me/mail/sending").status_code == 403 and "/me/mail" not in viewer.get("/me/messages").text
    assert viewer.post("/me/mail/find/mx", {"address": "a@firma.local"}).status_code == 403
