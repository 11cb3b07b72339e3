"""Transports of SMS and messengers against small servers on loopback: what they send, and what an answer means."""

import json
import logging
import time
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from apprise.plugins.smsc import NotifySMSC
from apprise.plugins.telegram import NotifyTelegram

from rules.definition.channels import Channel
from rules.post.routes import gateway_transport
from rules.transports import Answer, RenderedMessage
from rules.transports.gateways import OpenGateway
from rules.transports.services import ServiceKey
from rules.transports.smpp import Smpp
from tests.fakegateways import LONG_S, FakeHttp, FakeSmpp
from tests.mailserver import LOOPBACK, free_port

TEXT = 'Заказ <b>К-0001</b> & "готов" :smile:\nПриезжайте\\n {{ order }} *x* _y_'
SMS = RenderedMessage("<potok.1.abc@host>", 1, "Хасанова Гузель", "+79001234567", "Заказ", TEXT, "")
CHAT = RenderedMessage("<potok.1.abc@host>", 1, "Ольга Белова", "-1001234567", "Заказ", TEXT, "")
SMSC = OpenGateway(Channel.SMS, ServiceKey.SMSC, {"login": "firma", "password": "p%41:/@#ss я&x", "sender": "Kuhni"})
TELEGRAM = OpenGateway(Channel.CHAT, ServiceKey.TELEGRAM, {"token": "123456789:AAE_secret-token"})


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHttp]:
    """Apprise's own addresses of SMSC.ru and Telegram lead here."""
    with FakeHttp() as fake:
        monkeypatch.setattr(NotifySMSC, "notify_url", f"{fake.url}/sys/send.php")
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"{fake.url}/bot")
        yield fake


@pytest.fixture
def smpp() -> Iterator[FakeSmpp]:
    with FakeSmpp() as fake:
        yield fake


def webhook(fake: FakeHttp, path: str = "/hook/secret-path?key=secret-key", **fields: str) -> OpenGateway:
    return OpenGateway(Channel.SMS, ServiceKey.WEBHOOK, {"url": fake.url + path, **fields}, reach=LOOPBACK)


def send(gateway: OpenGateway, message: RenderedMessage = SMS, deadline_s: float = 5) -> Answer:
    with gateway_transport(gateway, deadline_s) as transport:
        return transport.send(message)


def operator(fake: FakeSmpp, **fields: str) -> OpenGateway:
    values = {"host": "127.0.0.1", "port": str(fake.port), "login": "firma", "password": "secret", "sender": "Kuhni"}
    return OpenGateway(Channel.SMS, ServiceKey.SMPP, values | fields, reach=LOOPBACK)


def test_a_webhook_gets_json(http: FakeHttp) -> None:
    assert send(webhook(http, token="word")).outcome == "sent"
    path, headers, _body = http.requests[0]
    assert path == "/hook/secret-path?key=secret-key" and headers["Authorization"] == "Bearer word"
    assert http.posted[0] == {
        "version": "1.0",
        "message": TEXT,
        "to": "+79001234567",
        "name": "Хасанова Гузель",
        "id": "<potok.1.abc@host>",
    }


def test_smsc_gets_its_form_whatever_signs_are_in_it(http: FakeHttp) -> None:
    http.answers = [(200, '{"id": 1, "cnt": 1}')]
    assert send(SMSC).outcome == "sent"
    path, _headers, body = http.requests[0]
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert path == "/sys/send.php"
    assert form == {"login": "firma", "psw": "p%41:/@#ss я&x", "phones": "79001234567", "fmt": "3", "sender": "Kuhni", "mes": TEXT}


def test_telegram_gets_a_text_and_no_markup(http: FakeHttp) -> None:
    assert send(TELEGRAM, CHAT).outcome == "sent"
    path, _headers, body = http.requests[0]
    sent = json.loads(body)
    assert path == "/bot123456789:AAE_secret-token/sendMessage" and sent["chat_id"] == -1001234567 and sent["parse_mode"] == "HTML"
    assert "&lt;b&gt;К-0001&lt;/b&gt; &amp;" in sent["text"] and "<b>" not in sent["text"] and "*x* _y_" in sent["text"]


@pytest.mark.parametrize(
    ("gateway", "status", "body", "outcome", "by_account"),
    [
        (TELEGRAM, 400, '{"ok":false,"description":"Bad Request: chat not found"}', "failed", False),
        (TELEGRAM, 403, '{"ok":false,"description":"Forbidden: bot was blocked by the user"}', "failed", False),
        (TELEGRAM, 401, '{"ok":false,"description":"Unauthorized"}', "retry", True),
        (TELEGRAM, 404, '{"ok":false,"description":"Not Found"}', "retry", True),
        (TELEGRAM, 502, "<html>Bad gateway</html>", "retry", True),
        (SMSC, 200, '{"error":"authorise error","error_code":2}', "retry", True),
        (SMSC, 200, '{"error":"no money","error_code":3}', "retry", True),
        (SMSC, 200, '{"error":"duplicate request, wait a minute","error_code":9}', "retry", True),
        (SMSC, 200, '{"error":"message is denied","error_code":6}', "failed", False),
        (SMSC, 200, '{"error":"invalid number","error_code":7}', "failed", False),
        (SMSC, 200, '{"error":"can not deliver to this number","error_code":8}', "failed", False),
        (SMSC, 500, "", "retry", True),
    ],
)
def test_a_refusal_is_the_messages_fault_or_the_gateways(
    http: FakeHttp, gateway: OpenGateway, status: int, body: str, outcome: str, by_account: bool
) -> None:
    http.answers = [(status, body)]
    answer = send(gateway, CHAT if gateway is TELEGRAM else SMS)
    assert (answer.outcome, answer.by_account) == (outcome, by_account) and answer.text


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, "failed"), (422, "failed"), (401, "retry"), (404, "retry"), (302, "retry"), (503, "retry")]
)
def test_a_webhooks_refusal_is_told_in_its_own_words(http: FakeHttp, status: int, outcome: str) -> None:
    http.answers = [(status, '{"why": "Такого номера нет"}')]
    answer = send(webhook(http))
    assert answer.outcome == outcome and f"error={status}" in answer.text and "Такого номера нет" in answer.text
    assert len(http.requests) == 1, "no redirect is followed"


def test_telegram_says_how_long_to_wait(http: FakeHttp) -> None:
    http.answers = [(429, '{"ok":false,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}')]
    answer = send(TELEGRAM, CHAT)
    assert answer.outcome == "retry" and answer.by_account and answer.pause_s == 35


def test_a_dropped_connection_is_unclear(http: FakeHttp) -> None:
    http.drops = True
    answer = send(webhook(http))
    assert answer.outcome == "unclear" and answer.by_account


def test_a_dripping_service_is_left_in_time(http: FakeHttp) -> None:
    http.drips = True
    began = time.monotonic()
    answer = send(webhook(http), deadline_s=1)
    assert answer.outcome == "sent" and time.monotonic() - began < LONG_S, "it said 200; what it goes on saying is nothing to wait for"


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{free_port()}/bot")
    answer = send(TELEGRAM, CHAT)
    assert answer.outcome == "retry" and answer.by_account and "Connection refused" in answer.text


@pytest.mark.parametrize("address", ["", "a b", "-", "1234:", "'; DROP", "1" * 40, "@@x", "123\r\n456"])
def test_an_address_that_is_none_fails_the_message_only(http: FakeHttp, address: str) -> None:
    message = RenderedMessage("<m@h>", 1, "", address, "", "текст", "")
    answer = send(TELEGRAM, message)
    assert answer.outcome in ("failed", "sent")
    assert all(isinstance(json.loads(body)["chat_id"], int | str) for _path, _headers, body in http.requests)


def test_secrets_are_neither_answered_nor_logged(http: FakeHttp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    heard: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        http.answers = [(500, "secret-key secret-path"), (500, "")]
        words = [send(webhook(http, token="secret-token")).text, send(SMSC).text]
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{free_port()}/bot")
        words += [send(TELEGRAM, CHAT).text, send(OpenGateway(Channel.CHAT, ServiceKey.TELEGRAM, {"token": "broken-secret"}), CHAT).text]
        dead = OpenGateway(
            Channel.SMS,
            ServiceKey.WEBHOOK,
            {"url": f"http://u:secret-word@127.0.0.1:{free_port()}/secret-path?k=secret-key"},
            reach=LOOPBACK,
        )
        words.append(send(dead).text)
    finally:
        logging.getLogger().removeHandler(handler)
    assert all(words) and not [word for word in words if "secret" in word or "p%41" in word]
    assert not [line for line in heard if "p%41:/@#ss" in line or "secret-token" in line or "AAE_" in line]


def test_a_secret_is_not_in_a_gateways_own_words() -> None:
    assert "secret" not in repr(TELEGRAM)


def test_smpp_sends_many_messages_by_one_connection(smpp: FakeSmpp) -> None:
    long, short = (
        RenderedMessage("<1@h>", 1, "", "+79001234567", "", TEXT + TEXT[:40], ""),
        RenderedMessage("<2@h>", 1, "", "+79007654321", "", "Short", ""),
    )
    with Smpp(operator(smpp), 5) as transport:
        answers = [transport.send(long), transport.send(short)]
    assert [one.outcome for one in answers] == ["sent", "sent"] and answers[1].text == "ESME_ROK id3"
    assert smpp.connections == 1 and len(smpp.submitted) == 3, "the first text takes two parts"
    assert b"79001234567\0" in smpp.submitted[0] and b"Kuhni\0" in smpp.submitted[0] and "Заказ".encode("utf-16-be") in smpp.submitted[0]
    assert smpp.submitted[2].endswith(b"\x05Short")


@pytest.mark.parametrize(
    ("status", "outcome", "by_account"),
    [(11, "failed", False), (1, "failed", False), (88, "retry", True), (20, "retry", True), (10, "retry", True)],
)
def test_an_operator_refuses_a_message(smpp: FakeSmpp, status: int, outcome: str, by_account: bool) -> None:
    smpp.statuses = [status]
    with Smpp(operator(smpp, sender="+79000000000"), 5) as transport:
        answer = transport.send(RenderedMessage("<2@h>", 1, "", "+79007654321", "", "Short", ""))
        again = transport.send(RenderedMessage("<3@h>", 1, "", "+79007654321", "", "Short", ""))
    assert (answer.outcome, answer.by_account) == (outcome, by_account) and answer.text.startswith(f"({status}) ")
    assert again.outcome == "sent" and smpp.connections == 1


def test_an_operator_refuses_the_sign_in(smpp: FakeSmpp) -> None:
    smpp.bind_status = 14
    with Smpp(operator(smpp), 5) as transport:
        answer = transport.send(SMS)
    assert answer.outcome == "retry" and answer.by_account and "14" in answer.text and "secret" not in answer.text


def test_an_operator_drops_the_connection_or_falls_silent(smpp: FakeSmpp) -> None:
    smpp.drops_at_submit = True
    with Smpp(operator(smpp), 5) as transport:
        assert transport.send(SMS) == Answer("unclear", "the server closed the connection (closed in the middle)", by_account=True)
    smpp.drops_at_submit, smpp.is_silent = False, True
    with Smpp(operator(smpp), 1) as transport:
        began = time.monotonic()
        answer = transport.send(SMS)
    assert answer.outcome == "unclear" and time.monotonic() - began < LONG_S


@pytest.mark.parametrize(
    "garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x10" + b"\xff" * 12, b"\0\0\0\x01", b"\x7f\xff\xff\xff\0"]
)
def test_an_operator_talks_nonsense(smpp: FakeSmpp, garbage: bytes) -> None:
    smpp.garbage = garbage
    with Smpp(operator(smpp), 2) as transport:
        answer = transport.send(SMS)
    assert answer.outcome == "unclear" and answer.by_account and answer.text


@pytest.mark.parametrize("service", ["smsc", "telegram", "webhook", "smpp"])
def test_settings_of_another_key_are_said(service: str) -> None:
    transport = gateway_transport(OpenGateway(Channel.SMS, ServiceKey(service), {}), 2)
    answer = transport.send(SMS)
    assert answer.outcome == "retry" and answer.by_account and "another key" in answer.text


def test_no_operator_there() -> None:
    gateway = OpenGateway(
        Channel.SMS,
        ServiceKey.SMPP,
        {"host": "127.0.0.1", "port": str(free_port()), "login": "a", "password": "b", "sender": "c"},
        reach=LOOPBACK,
    )
    with Smpp(gateway, 5) as transport:
        answer = transport.send(SMS)
    assert answer.outcome == "retry" and answer.by_account and "refused" in answer.text
