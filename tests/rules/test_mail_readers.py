"""Letters as they arrive over SMTP, read by mail programs that forgive nothing: mutt, reformime, Email::MIME, and our own strict reader."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rules.transports.smtp import Smtp
from tests import mailreaders, rfc2047
from tests.mailserver import Certificates, MailServer
from tests.rules.test_headers import MESSAGE, account_at

needs_readers = pytest.mark.skipif(not mailreaders.IS_HERE, reason="mutt, reformime and Email::MIME are needed: tests/install_mail.sh")

# (name, subject)
CASES = (
    ("Ольга Белова", "К-0038: Предоплата"),
    ("Константинопольский", "К-0038: осталось 123 456,00 ₽"),
    ("Константинопольская-Новороссийская Александра Владиславовна", "К-0038: отгрузка 29 декабря 2026 года, остаток 1 234 567,00 ₽"),
    ("Анна-Мария Ёжикова", "Осталось 123\u00a0456,00\u00a0₽ до 29\u00a0декабря, а всего заказ на 1\u00a0234\u00a0567,00\u00a0₽"),
    ("😀 Кухни 👨‍👩‍👧‍👦 и ко", "👨‍👩‍👧‍👦" * 12),
    ("Белова, Ольга (Казань); <цех>", 'Кухня "Лофт", <белая>; (угловая)'),
    ("Smith, John; a@b.example", "Quote: (a) <b> [c] \\ ; , . 'd'"),
    ("=?utf-8?q?x?=", "=?utf-8?b?0J8=?= и =?utf-8?q?x?="),
    ("Не =?слово?=", "= ? =?= ?="),
    ("и\u0306 е\u0308 " * 12, "Е\u0301" * 60),
    ("А" * 120, "Б" * 400),
    ("a" * 120, "x" * 400),
    ('J. R. "Bob" O\'Neil \\ Co', "Plain text that is long enough to be folded, " * 5),
    ("_=20_", "100% = _all_ =20 паспорт №\u202f5"),
)
SECOND = ("Виктор Новосельцев-Преображенский, цех № 2", "виктор@пример.рф"), ("Plain, Name", "plain@melnikov.example")


@needs_readers
def test_names_and_subjects_arrive_as_they_were_typed(mail_server: MailServer, certificates: Certificates, tmp_path: Path) -> None:
    for name, subject in CASES:
        with Smtp(replace(account_at(mail_server, certificates), sender_name=name), 10) as smtp:
            cc = tuple((f"{person} {name}", address.replace("виктор", "viktor")) for person, address in SECOND)
            answer = smtp.send(replace(MESSAGE, name=name, subject=subject, text="Строка письма", cc=cc))
            assert answer.outcome == "sent", answer
    messages = mail_server.handler.messages
    shown_by_mutt = mailreaders.mutt(messages, tmp_path)
    assert len(messages) == len(shown_by_mutt) == len(CASES)
    for (name, subject), message, (by_mutt, body) in zip(CASES, messages, shown_by_mutt, strict=True):
        expected = _expected(name, subject)
        found = rfc2047.fields(message)
        strictly = {field: rfc2047.mailboxes(found[field.lower()]) for field in ("From", "To", "Cc")}
        assert strictly | {"Subject": rfc2047.text(found["subject"])} == expected
        assert _shown(mailreaders.email_mime(message)) == expected
        assert _shown(mailreaders.reformime(message)) == expected
        assert _for_mutt(_shown(by_mutt)) == _for_mutt(expected) and "Строка письма" in body


def _expected(name: str, subject: str) -> dict[str, object]:
    typed = name.strip()
    cc = [(f"{person} {typed}", address) for (person, _), address in zip(SECOND, (f"viktor@{RF}", "plain@melnikov.example"), strict=True)]
    return {"From": [(typed, MESSAGE_FROM)], "To": [(typed, MESSAGE.address)], "Cc": cc, "Subject": subject.strip()}


RF, MESSAGE_FROM = "xn--e1afmkfd.xn--p1ai", "potok@melnikov.example"


def _shown(fields: dict[str, str]) -> dict[str, object]:
    return {name: value if name == "Subject" else mailreaders.people(value) for name, value in fields.items()}


def _for_mutt(fields: dict[str, object]) -> dict[str, object]:
    """Mutt shows names without quotation marks and backslashes, whatever stands in the letter."""
    return {
        name: value if isinstance(value, str) else [(re.sub(r'["\\]', "", person), address) for person, address in value]  # type: ignore[attr-defined]
        for name, value in fields.items()
    }
