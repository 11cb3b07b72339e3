"""The mail host, the DNS and the HTTPS server the tests of mail accounts stand on do what a real one does."""

import imaplib
import smtplib
import ssl
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import make_msgid

import dns.resolver
import pytest
import trustme

from tests.fakenet import FakeDns, HttpsServer, autoconfig_xml
from tests.mailhost import ADDRESS, IS_HERE, USERS, MailHost

pytestmark = [
    pytest.mark.mailhost,
    pytest.mark.skipif(not IS_HERE, reason="Postfix and Dovecot 2.3 are needed, and root: tests/install_mail.sh"),
]

POTOK, CLIENT = USERS
AUTOCONFIG = "autoconfig.kuhni.example"


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def context(ca: trustme.CA) -> ssl.SSLContext:
    """Trusts our CA and nobody else."""
    return ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())


@pytest.fixture(scope="module")
def host(ca: trustme.CA) -> Iterator[MailHost]:
    with MailHost(ca) as running:
        yield running


@pytest.fixture(scope="module")
def local_host(ca: trustme.CA) -> Iterator[MailHost]:
    """Its people sign in with the part before the @."""
    with MailHost(ca, login="local", address="127.0.0.26") as running:
        yield running


@pytest.fixture
def submission(host: MailHost, context: ssl.SSLContext) -> Iterator[smtplib.SMTP]:
    """Signed in on 465 as potok@."""
    with smtplib.SMTP_SSL(host.address, 465, timeout=10, context=context) as smtp:
        smtp.login(POTOK, USERS[POTOK])
        yield smtp


@pytest.fixture
def imap(host: MailHost, context: ssl.SSLContext) -> Iterator[imaplib.IMAP4_SSL]:
    """Signed in on 993 as client@."""
    with imaplib.IMAP4_SSL(host.address, 993, ssl_context=context, timeout=10) as connection:
        connection.login(CLIENT, USERS[CLIENT])
        yield connection


def make_message(to: str = CLIENT) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = POTOK, to, "Заказ 17 готов"
    message["Message-ID"] = make_msgid(domain="kuhni.example")
    message.set_content("Кухня ждёт вас.\n")
    return message


def test_a_message_by_465_arrives_and_is_found_by_imap(host: MailHost, submission: smtplib.SMTP, imap: imaplib.IMAP4_SSL) -> None:
    before = len(host.mailbox(CLIENT))
    message = make_message()
    submission.send_message(message)
    got = host.arrived(CLIENT, before + 1)[-1]
    assert (got["Subject"], got.get_content().strip()) == ("Заказ 17 готов", "Кухня ждёт вас.")
    imap.select("INBOX", readonly=True)
    _, (found,) = imap.search(None, "HEADER", "Message-ID", message["Message-ID"])
    assert len(found.split()) == 1


def test_587_wants_starttls_before_anything(host: MailHost, context: ssl.SSLContext) -> None:
    before = len(host.mailbox(CLIENT))
    with smtplib.SMTP(host.address, 587, timeout=10) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("auth")
        assert smtp.docmd("AUTH", "PLAIN")[0] in {503, 530}
        assert smtp.mail(POTOK)[0] == 530
        smtp.starttls(context=context)
        smtp.login(POTOK, USERS[POTOK])
        smtp.send_message(make_message())
    host.arrived(CLIENT, before + 1)


def test_143_wants_starttls_before_a_login(host: MailHost, context: ssl.SSLContext) -> None:
    with imaplib.IMAP4(host.address, 143, timeout=10) as imap:
        assert "LOGINDISABLED" in imap.capabilities
        imap.starttls(context)
        imap.login(CLIENT, USERS[CLIENT])


def test_without_our_ca_there_is_no_connection(host: MailHost) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        smtplib.SMTP_SSL(host.address, 465, timeout=10, context=ssl.create_default_context())


def test_a_wrong_password_is_535(host: MailHost, context: ssl.SSLContext) -> None:
    with smtplib.SMTP_SSL(host.address, 465, timeout=10, context=context) as smtp, pytest.raises(smtplib.SMTPAuthenticationError) as told:
        smtp.login(POTOK, "wrong")
    assert told.value.smtp_code == 535


def test_nobody_sends_unsigned(host: MailHost, context: ssl.SSLContext) -> None:
    with smtplib.SMTP_SSL(host.address, 465, timeout=10, context=context) as smtp, pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.send_message(make_message())


@pytest.mark.parametrize(("to", "code"), [("someone@elsewhere.example", 554), ("nobody@kuhni.example", 550)])
def test_others_are_refused_at_rcpt(submission: smtplib.SMTP, to: str, code: int) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as told:
        submission.send_message(make_message(to))
    assert told.value.recipients[to][0] == code


def test_a_copy_is_kept_in_the_sent_folder(host: MailHost, imap: imaplib.IMAP4_SSL) -> None:
    _, folders = imap.list()
    assert any(b"\\Sent" in folder and folder.endswith(b"Sent") for folder in folders if isinstance(folder, bytes))
    message = make_message()
    assert imap.append("Sent", "\\Seen", "", message.as_bytes())[0] == "OK"
    assert [kept["Message-ID"] for kept in host.mailbox(CLIENT, "Sent")] == [message["Message-ID"]]


def test_a_full_mailbox_refuses(host: MailHost, submission: smtplib.SMTP, imap: imaplib.IMAP4_SSL, context: ssl.SSLContext) -> None:
    host.set_full(CLIENT)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as told:
        submission.send_message(make_message())
    assert told.value.recipients[CLIENT] == (552, b"5.2.2 <client@kuhni.example>: Recipient address rejected: Mailbox is full")
    with imaplib.IMAP4_SSL(host.address, 993, ssl_context=context, timeout=10) as later:
        later.login(CLIENT, USERS[CLIENT])
        answer, (reason, *_) = later.append("Sent", "", "", make_message().as_bytes())
    assert (answer, b"[OVERQUOTA]" in reason) == ("NO", True)
    host.set_full(CLIENT, False)
    before = len(host.mailbox(CLIENT))
    submission.send_message(make_message())
    host.arrived(CLIENT, before + 1)


def test_where_people_sign_in_with_the_local_part(local_host: MailHost, context: ssl.SSLContext) -> None:
    with smtplib.SMTP_SSL(local_host.address, 465, timeout=10, context=context) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError) as told:
            smtp.login(POTOK, USERS[POTOK])
        assert told.value.smtp_code == 535
        smtp.login(local_host.login_name(POTOK), USERS[POTOK])
        smtp.send_message(make_message())
    local_host.arrived(CLIENT)
    with imaplib.IMAP4_SSL(local_host.address, 993, ssl_context=context, timeout=10) as imap:
        imap.login("client", USERS[CLIENT])
        assert imap.select("INBOX") == ("OK", [b"1"])


def test_dns_answers_from_the_table() -> None:
    records = {("kuhni.example", "MX"): ["10 mail.kuhni.example."], ("_imaps._tcp.kuhni.example", "SRV"): ["0 1 993 mail.kuhni.example."]}
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.lifetime = [ADDRESS], 3
    with FakeDns(records) as names:
        assert [str(mx.exchange) for mx in resolver.resolve("kuhni.example", "MX")] == ["mail.kuhni.example."]
        assert [srv.port for srv in resolver.resolve("_imaps._tcp.Kuhni.example", "SRV")] == [993]
        with pytest.raises(dns.resolver.NoAnswer):
            resolver.resolve("kuhni.example", "AAAA")
        with pytest.raises(dns.resolver.NXDOMAIN):
            resolver.resolve("mail.kuhni.example", "A")
        names.records["mail.kuhni.example", "A"] = [ADDRESS]
        assert [str(a.address) for a in resolver.resolve("mail.kuhni.example", "A")] == [ADDRESS]
        assert names.asked[:2] == [("kuhni.example", "MX"), ("_imaps._tcp.kuhni.example", "SRV")]


def test_https_serves_its_pages(ca: trustme.CA, context: ssl.SSLContext) -> None:
    path = "/mail/config-v1.1.xml"
    with HttpsServer(ca, (AUTOCONFIG,)) as server:
        server.pages[AUTOCONFIG, path] = autoconfig_xml("kuhni.example", "mail.kuhni.example")
        url = f"https://{ADDRESS}{path}?emailaddress=potok%40kuhni.example"
        request = urllib.request.Request(url, headers={"Host": AUTOCONFIG})
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:
            tree = ET.fromstring(answer.read())
        with pytest.raises(urllib.error.HTTPError) as told:
            urllib.request.urlopen(f"https://{ADDRESS}/", timeout=5, context=context)
        told.value.close()
    assert told.value.code == 404
    assert (tree.findtext(".//incomingServer/port"), tree.findtext(".//outgoingServer/port")) == ("993", "465")
    assert server.asked == [(AUTOCONFIG, f"{path}?emailaddress=potok%40kuhni.example"), (ADDRESS, "/")]
