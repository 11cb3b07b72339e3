"""A mail account's servers, found from its address: five stages, from what we know to what we try out.

No stage sends a password. What a stage finds is shown and can be corrected before anything is saved.
"""

import contextlib
import http.client
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from kanban.domains import ascii_domain
from kanban.i18n import N_, _
from rules.mail.providers import FoundServers, Provider, Server, find_by_mx, find_provider
from rules.mail.steps import DiscoveryStep
from rules.transports import dns, imap, words
from rules.transports.account import Account
from rules.transports.smtp import Smtp
from rules.transports.wire import Bounded, Wire, tls_context

STAGES = ("table", "mx", "autoconfig", "srv", "probe")
STAGE_NAMES = {
    "table": N_("Known providers"),
    "mx": N_("The domain's mail hosts (MX)"),
    "autoconfig": N_("The domain's own settings (autoconfig)"),
    "srv": N_("Services listed in DNS (SRV)"),
    "probe": N_("Usual servers and ports"),
}
TRY_S = 5.0
MOST_BYTES = 65_536
SENDING_TRIES = (
    ("smtp.{}", 465, "tls"),
    ("mail.{}", 465, "tls"),
    ("{}", 465, "tls"),
    ("smtp.{}", 587, "starttls"),
    ("mail.{}", 587, "starttls"),
    ("{}", 587, "starttls"),
)
RECEIVING_TRIES = (
    ("imap.{}", 993, "tls"),
    ("mail.{}", 993, "tls"),
    ("{}", 993, "tls"),
    ("imap.{}", 143, "starttls"),
    ("mail.{}", 143, "starttls"),
    ("{}", 143, "starttls"),
)


def look(stage: str, account: Account) -> tuple[DiscoveryStep, FoundServers | None]:
    """One stage for the account's address. Never raises for what a network does; takes 10 s at most."""
    domain = _ascii(account.address.rpartition("@")[2])
    found, seen, small = _LOOKS[stage](account, domain)
    return DiscoveryStep(_(STAGE_NAMES[stage]), "true" if found else "later", seen, small), found


def skipped(stage: str) -> DiscoveryStep:
    return DiscoveryStep(_(STAGE_NAMES[stage]), "later", _("skipped"))


Looked = tuple[FoundServers | None, str, str]


def _table(account: Account, domain: str) -> Looked:
    provider = find_provider(account.address)
    if provider is None:
        return None, _("%(domain)s is not among them", domain=domain), ""
    return _of_provider(provider, provider.name, "")


def _mx(account: Account, domain: str) -> Looked:
    hosts = dns.mail_hosts(domain, account.name_servers)
    if not hosts:
        return None, _("none, or no response"), ""
    provider = find_by_mx(hosts)
    if provider is None:
        return None, _("not a provider we know"), hosts[0]
    return _of_provider(provider, provider.hosted_name or provider.name, hosts[0])


def _of_provider(provider: Provider, name: str, small: str) -> Looked:
    return FoundServers(provider.smtp, provider.imap, provider=provider), name, small or _servers(provider.smtp, provider.imap)


def _autoconfig(account: Account, domain: str) -> Looked:
    address = quote(account.address)
    for host, path in (
        (f"autoconfig.{domain}", f"/mail/config-v1.1.xml?emailaddress={address}"),
        (domain, "/.well-known/autoconfig/mail/config-v1.1.xml"),
        ("autoconfig.thunderbird.net", f"/v1.1/{domain}"),
    ):
        found = _described(_fetch(account, host, path), account.address)
        if found:
            return found, host, _servers(found.smtp, found.imap)
    return None, _("not found"), ""


def _fetch(account: Account, host: str, path: str) -> bytes:
    """The body of a 200 by HTTPS; b"" for anything else. No redirects: they may lead anywhere."""
    wire = Wire()
    try:
        with wire.deadline(TRY_S), contextlib.closing(http.client.HTTPSConnection(host, timeout=TRY_S)) as connection:
            bare = wire.open(host, 443, TRY_S, account.name_servers, account.reach)
            connection.sock = tls_context(account).wrap_socket(bare, server_hostname=host)
            connection.request("GET", path, headers={"Accept": "text/xml", "User-Agent": "Potok", "Connection": "close"})
            answer: Any = connection.getresponse()
            answer.fp = Bounded(answer.fp, 2 * MOST_BYTES)  # a chunk of less than nothing would be read to its end
            return bytes(answer.read(MOST_BYTES)) if answer.status == 200 else b""
    except (OSError, http.client.HTTPException, ValueError):
        return b""
    finally:
        wire.cut()
        wire.let_go()


def _described(xml: bytes, address: str) -> FoundServers | None:
    """clientConfig of Thunderbird's format 1.1; a document type of its own is refused (it could grow without bounds)."""
    if not xml or b"\0" in xml or b"<!" in xml.replace(b"<!--", b""):  # with zeros it is UTF-16, where a “<!” looks otherwise
        return None
    try:
        root = ElementTree.fromstring(xml)
    except (ElementTree.ParseError, LookupError, ValueError):  # the last two: an encoding that there isn't, or that can't be read
        return None
    outgoing = _first(root.iter("outgoingServer"), "smtp")
    if outgoing is None:
        return None
    smtp, username = outgoing
    incoming = _first(root.iter("incomingServer"), "imap")
    local, _at, domain = address.rpartition("@")
    for word, value in (("%EMAILADDRESS%", address), ("%EMAILLOCALPART%", local), ("%EMAILDOMAIN%", domain)):
        username = username.replace(word, value)
    return FoundServers(smtp, incoming[0] if incoming else None, username)


def _first(servers: Iterable[ElementTree.Element], kind: str) -> tuple[Server, str] | None:
    """The first server of a kind that speaks TLS."""
    for one in servers:
        host, port = (one.findtext("hostname") or "").strip(), (one.findtext("port") or "").strip()
        security = {"SSL": "tls", "STARTTLS": "starttls"}.get((one.findtext("socketType") or "").strip().upper())
        is_host = re.fullmatch(r"[A-Za-z0-9.-]{1,253}", host)
        if one.get("type") == kind and security and is_host and re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) < 65_536:
            return Server(host.lower(), int(port), security), words(one.findtext("username") or "")[:254]
    return None


def _srv(account: Account, domain: str) -> Looked:
    smtp = _service(account, domain, ("_submissions._tcp", "tls"), ("_submission._tcp", "starttls"))
    if smtp is None:
        return None, _("none found"), ""
    imap_ = _service(account, domain, ("_imaps._tcp", "tls"), ("_imap._tcp", "starttls"))
    return FoundServers(smtp, imap_), smtp.host, _servers(smtp, imap_)


def _service(account: Account, domain: str, *kinds: tuple[str, str]) -> Server | None:
    for name, security in kinds:
        for one in dns.services(name, domain, account.name_servers):
            return Server(one.host, one.port, security)
    return None


def _probe(account: Account, domain: str) -> Looked:
    """Every usual triple at once; the first of the list that shows a good certificate is taken."""
    bare = replace(account, username="", password="", token="", oauth="", timeout_s=int(TRY_S))
    with ThreadPoolExecutor(len(SENDING_TRIES) + len(RECEIVING_TRIES)) as pool:
        smtp = [(one, pool.submit(_reaches_smtp, bare, one)) for one in _servers_of(SENDING_TRIES, domain)]
        imap_ = [(one, pool.submit(_reaches_imap, bare, one)) for one in _servers_of(RECEIVING_TRIES, domain)]
        sending = next((one for one, answer in smtp if answer.result()), None)
        receiving = next((one for one, answer in imap_ if answer.result()), None)
    if sending is None:
        return None, _("no response with a valid certificate"), ""
    return FoundServers(sending, receiving), sending.host, _servers(sending, receiving)


def _servers_of(tries: Iterable[tuple[str, int, str]], domain: str) -> list[Server]:
    return [Server(host.format(domain), port, security) for host, port, security in tries]


def _reaches_smtp(account: Account, server: Server) -> bool:
    try:
        with Smtp(replace(account, host=server.host, port=server.port, security=server.security), TRY_S) as smtp:
            smtp.sign_in()
    except Exception:
        return False
    return True


def _reaches_imap(account: Account, server: Server) -> bool:
    there = replace(account, receive_host=server.host, receive_port=server.port, receive_security=server.security)
    try:
        with imap.reached(there, TRY_S):
            return True
    except imap.ERRORS:
        return False


_LOOKS: dict[str, Callable[[Account, str], Looked]] = {
    "table": _table,
    "mx": _mx,
    "autoconfig": _autoconfig,
    "srv": _srv,
    "probe": _probe,
}


def _servers(smtp: Server, imap_: Server | None) -> str:
    return ", ".join(f"{one.host}:{one.port}" for one in (smtp, imap_) if one)


def _ascii(domain: str) -> str:
    """«почта.рф» as DNS writes it."""
    try:
        return ascii_domain(domain)
    except UnicodeError:
        return domain
