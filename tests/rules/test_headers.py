"""Header fields on the wire, read by a strict reader of our own: what it reads is what was given."""

import email
import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules.transports import RenderedMessage
from rules.transports.account import Account
from rules.transports.compose import Composed, Unsendable, compose
from rules.transports.headers import BadValue, wire_address
from tests import rfc2047
from tests.mailserver import LOOPBACK, USER, WORD, Certificates, MailServer

ACCOUNT = Account("potok@melnikov.example", "ООО «Мельников»", "127.0.0.1", 25, "none", "", "")
MESSAGE = RenderedMessage("<potok.1.abc@potok.example>", 1, "Ольга Белова", "olga@melnikov.example", "Тема", "текст", "<p>текст</p>", "ru")

PARTS = st.one_of(
    st.text(alphabet="абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁ", min_size=1, max_size=40),
    st.sampled_from(["₽", "123\u00a0456,00\u00a0₽", "😀", "👨‍👩‍👧‍👦", "e\u0301", "и\u0306"]),
    st.sampled_from(["=?", "?=", "=?utf-8?q?x?=", "=?utf-8?b?0J8=?=", "_", "=20"]),
    st.sampled_from(['"', "\\", "'", ",", "<", ">", "(", ")", ";", ":", "@", ".", "«", "»", "a@b.example", '"a" <b@c.example>,']),
    st.sampled_from([" ", "  ", "\t", "\r\n", "\r\nBcc: evil@x.example", "\n\n", "\0", "\x1b[31m", "\x85", "\u2028", "\ud800", "\u00a0"]),
    st.text(alphabet="abcXYZ0189-", min_size=1, max_size=120),
    st.text(max_size=20),
)
TEXTS = st.lists(st.tuples(PARTS, st.sampled_from(["", " "])), max_size=25).map(lambda parts: "".join(a + b for a, b in parts)[:400])
SPACES = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def normalised(text: str) -> str:
    """What a header field can't hold, or doesn't tell apart: control characters, line breaks and runs of blanks are one blank."""
    return SPACES.sub(" ", text).strip(" ")


def account_at(server: MailServer, certificates: Certificates) -> Account:
    return Account(USER, "Potok", "127.0.0.1", server.port, "starttls", USER, WORD, ca_file=certificates.ca_file, reach=LOOPBACK)


def read(composed: Composed) -> dict[str, str]:
    return rfc2047.fields(composed.content, is_utf8=bool(composed.options))


@settings(max_examples=100)
@given(subject=TEXTS, name=TEXTS, sender=TEXTS, copies=st.lists(TEXTS, max_size=3))
@example("К-0038: осталось 123 456,00 ₽", "Константинопольский", "Константинопольский", [])
@example("К-0038: отгрузка 29 декабря 2026 года, остаток 1 234 567,00 ₽, предоплата получена", "А" * 120, "Б" * 120, ["В" * 120] * 3)
@example("=?utf-8?q?x?=", "=?utf-8?q?x?=", "=?utf-8?b?0J8=?=", ['a" <b@c.example>', "О'Нил, Иван"])
@example("a" * 400, "a" * 120, "\\" * 120, ['"' * 120])
def test_what_is_read_is_what_was_given(subject: str, name: str, sender: str, copies: list[str]) -> None:
    cc = tuple((copy, f"copy{n}@melnikov.example") for n, copy in enumerate(copies))
    message = replace(MESSAGE, subject=subject, name=name, cc=cc, reply_to="answers@melnikov.example")
    found = read(compose(message, replace(ACCOUNT, sender_name=sender)))
    assert rfc2047.text(found.get("subject", "")) == normalised(subject)
    assert rfc2047.mailboxes(found["from"]) == [(normalised(sender), ACCOUNT.address)]
    assert rfc2047.mailboxes(found["to"]) == [(normalised(name), MESSAGE.address)]
    assert rfc2047.mailboxes(found.get("cc", "")) == [(normalised(copy), address) for copy, address in cc]
    assert rfc2047.mailboxes(found["reply-to"]) == [("", "answers@melnikov.example")]
    assert "bcc" not in found


@pytest.mark.parametrize(
    "bad",
    [
        b"Subject: =?utf-8?b?0J8 0J8=?=",
        b"Subject: =?utf-8?b?0J8\r\n 0J8=?=",
        b"Subject: =?utf-8?q?" + b"a" * 64 + b"?=",
        b"Subject: =?utf-8?b?0A==?= =?utf-8?b?nw==?=",
        b"Subject: =?koi8-r?b?8A==?=",
        b"Subject: a=?utf-8?b?0J8=?=",
        b'From: "=?utf-8?b?0J8=?=" <a@b.example>',
        b"From: =?utf-8?b?0J8=?=<a@b.example>",
        b"From: =?utf-8?q?a,b?= <a@b.example>",
        b"From: <=?utf-8?b?0J8=?=@b.example>",
        b"From: \xd0\x9f <a@b.example>",
        b"From: a@b.example>, <c",
        b"From: a b@c.example",
        b"Subject: " + b"a" * 990,
        b"Subject: =?utf-8?b?0J8=?= " + b"a" * 60,
        b"Subject: a\r\n \r\n b",
        b"Subject: a\nBcc: b@c.example",
        b"Subject: a\r\nSubject: b",
        b"Subject: =?utf-8?b?0J9=?=",
        b"Subject: =?utf-8?q?=D0=9F_?b?=",
    ],
)
def test_the_reader_forgives_nothing(bad: bytes) -> None:
    with pytest.raises(rfc2047.BadHeader):
        found = rfc2047.fields(bad + b"\r\n\r\n")
        rfc2047.text(found.get("subject", ""))
        rfc2047.mailboxes(found.get("from", ""))


def test_one_click_is_an_address_on_the_web_and_nothing_else() -> None:
    url = "https://potok.example/letters/" + "ImlyYUBtYWlsLmV4YW1wbGUi." * 10
    found = read(compose(replace(MESSAGE, unsubscribe=url), ACCOUNT))
    assert found["list-unsubscribe"] == f"<{url}>"
    assert found["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


def test_a_message_asks_for_no_answer_by_machine_but_for_bounces() -> None:
    found = read(compose(replace(MESSAGE, thread="<potok.order.7@potok.example>", list_id="<orders.potok.example>"), ACCOUNT))
    assert found["auto-submitted"] == "auto-generated"
    assert found["x-auto-response-suppress"] == "DR, RN, NRN, OOF, AutoReply"
    assert found["message-id"] == MESSAGE.message_id and found["list-id"] == "<orders.potok.example>"
    assert found["references"] == found["in-reply-to"] == "<potok.order.7@potok.example>"
    assert "reply-to" not in found and "cc" not in found and found["x-potok-event"] == "1"


def test_both_bodies_stand_at_the_top_with_whole_lines() -> None:
    message = replace(MESSAGE, text="раз\nдва\r\nтри\n", html="<p>раз\nдва</p>")
    parts = email.message_from_bytes(compose(message, ACCOUNT).content)
    assert parts.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parts.get_payload()] == ["text/plain", "text/html"]
    bodies = [part.get_payload(decode=True).decode() for part in parts.get_payload()]
    assert bodies == ["раз\r\nдва\r\nтри\r\n", "<p>раз\r\nдва</p>"]
    alone = email.message_from_bytes(compose(replace(message, html=""), ACCOUNT).content)
    assert alone.get_content_type() == "text/plain"


RF, HOST = "xn--e1afmkfd.xn--p1ai", "xn--80aatcn8h.xn--p1ai"


@pytest.mark.parametrize(
    ("address", "wired"),
    [
        ("ivan@пример.рф", f"ivan@{RF}"),
        ("ivan@ПРИМЕР.РФ", f"ivan@{RF}"),
        ("иван@пример.рф", f"иван@{RF}"),
        (" a@b.example ", "a@b.example"),
        ("o'neil+x@faß.example", "o'neil+x@xn--fa-hia.example"),
        ("root@localhost", "root@localhost"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("ivan@mail.firma_1.local", "ivan@mail.firma_1.local"),
    ],
)
def test_an_address_on_the_wire(address: str, wired: str) -> None:
    assert wire_address(address) == wired


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ivan",
        "@b.example",
        "a@",
        "a b@c.example",
        "a@b.example\r\nBcc: c@d.example",
        "a@b@c.example",
        "a@b.example, c@d.example",
        "<a@b.example>",
        "Иван <a@b.example>",
        "a@при мер.рф",
        "a@-пример-.рф",
        "a@" + "я" * 70 + ".рф",
        '"a"@b.example',
        "a\0@b.example",
    ],
)
def test_what_is_no_address_is_never_written(address: str) -> None:
    with pytest.raises(BadValue):
        wire_address(address)
    with pytest.raises(Unsendable, match="recipient's address"):
        compose(replace(MESSAGE, address=address), ACCOUNT)
    with pytest.raises(Unsendable, match="own address") as refused:
        compose(MESSAGE, replace(ACCOUNT, address=address))
    assert refused.value.by_account


def test_domains_outside_ascii_are_idna_wherever_they_stand() -> None:
    message = replace(
        MESSAGE,
        address="ivan@пример.рф",
        cc=(("Копия", "cc@пример.рф"),),
        reply_to="re@пример.рф",
        message_id="<potok.1.a@заказы.рф>",
        thread="<potok.order.1@заказы.рф>",
    )
    composed = compose(message, replace(ACCOUNT, address="potok@пример.рф"))
    found = read(composed)
    assert (composed.sender, composed.recipient, composed.options) == (f"potok@{RF}", f"ivan@{RF}", ())
    assert rfc2047.mailboxes(found["from"]) == [("ООО «Мельников»", f"potok@{RF}")]
    assert rfc2047.mailboxes(found["to"]) == [("Ольга Белова", f"ivan@{RF}")]
    assert rfc2047.mailboxes(found["cc"]) == [("Копия", f"cc@{RF}")]
    assert found["reply-to"] == f"re@{RF}"
    assert found["message-id"] == f"<potok.1.a@{HOST}>" and found["references"] == f"<potok.order.1@{HOST}>"


def test_an_ipv6_host_of_a_message_id_stands_in_brackets() -> None:
    assert read(compose(replace(MESSAGE, message_id="<potok.1.a@::1>"), ACCOUNT))["message-id"] == "<potok.1.a@[::1]>"


@pytest.mark.parametrize(
    "changed",
    [
        {"message_id": "<1@x>\r\nBcc: evil@x.example"},
        {"unsubscribe": "https://x/\r\nBcc: evil@x.example"},
        {"list_id": "<x>\nBcc: y@x"},
        {"thread": "<1@x\r\n>"},
        {"language": "ru\r\nBcc: evil@x.example"},
        {"unsubscribe": "https://заказы.рф/"},
        {"message_id": "нет"},
    ],
)
def test_our_own_values_bring_no_fields_in(changed: dict[str, str]) -> None:
    with pytest.raises(Unsendable):
        compose(replace(MESSAGE, **changed), ACCOUNT)


def test_a_cyrillic_local_part_is_for_servers_that_offer_smtputf8() -> None:
    message = replace(MESSAGE, address="иван@пример.рф", cc=(("Пётр", "пётр@пример.рф"),), reply_to="ответ@пример.рф")
    with pytest.raises(Unsendable, match="SMTPUTF8") as refused:
        compose(message, ACCOUNT)
    assert not refused.value.by_account
    composed = compose(message, ACCOUNT, smtputf8=True)
    found = read(composed)
    assert composed.options == ("SMTPUTF8", "BODY=8BITMIME") and composed.recipient == f"иван@{RF}"
    assert rfc2047.mailboxes(found["to"], is_utf8=True) == [("Ольга Белова", f"иван@{RF}")]
    assert rfc2047.mailboxes(found["cc"], is_utf8=True) == [("Пётр", f"пётр@{RF}")]
    assert rfc2047.mailboxes(found["reply-to"], is_utf8=True) == [("", f"ответ@{RF}")]


def test_a_copys_cyrillic_local_part_costs_the_others_no_message() -> None:
    message = replace(MESSAGE, cc=(("Пётр", "пётр@пример.рф"), ("Анна", "anna@b.example")), reply_to="ответ@пример.рф")
    composed = compose(message, ACCOUNT)
    found = read(composed)
    assert rfc2047.mailboxes(found["cc"]) == [("Пётр пётр@пример.рф", ""), ("Анна", "anna@b.example")]
    assert "reply-to" not in found and composed.options == ()


def test_an_ordinary_message_needs_no_smtputf8() -> None:
    assert compose(MESSAGE, ACCOUNT, smtputf8=True).options == ()
