"""The parts of the Internet a mail account is found by, on a loopback address: a DNS server and an HTTPS server of our own."""

import socketserver
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import trustme

ADDRESS = "127.0.0.25"


class FakeDns:
    """`with FakeDns({("kuhni.example", "MX"): ["10 mail.kuhni.example."]}) as names:` answers over UDP at address:port.

    records: (name without the last dot, type) → values as in a zone file; may be changed while it runs. A name in no record is
    NXDOMAIN; a name with records of other types has an empty answer. asked: every question as (name, type), in order.
    """

    def __init__(self, records: dict[tuple[str, str], list[str]], address: str = ADDRESS, port: int = 53) -> None:
        self.records = records
        self.asked: list[tuple[str, str]] = []
        self._server = _DnsServer((address, port), _DnsHandler)
        self._server.owner = self
        self.address, self.port = address, int(self._server.server_address[1])

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        records = {(known.lower(), of): values for (known, of), values in self.records.copy().items()}
        if records.get((name, kind)):
            response.answer.append(dns.rrset.from_text_list(question.name, 60, dns.rdataclass.IN, kind, records[name, kind]))
        elif name not in {known for known, _ in records}:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    def __enter__(self) -> "FakeDns":
        _serve(self._server)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _DnsServer(socketserver.UDPServer):
    owner: FakeDns


class _DnsHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, connection = self.request
        response = cast(_DnsServer, self.server).owner.answer(dns.message.from_wire(data))
        connection.sendto(response.to_wire(), self.client_address)


class HttpsServer:
    """`with HttpsServer(ca, ("autoconfig.kuhni.example",)) as server:` has a certificate for these names and the address.

    pages: (host, path without query) → the bytes of a 200; anything else is a 404. asked: every request as (host, path with
    query), in order.
    """

    def __init__(self, ca: trustme.CA, names: tuple[str, ...], address: str = ADDRESS, port: int = 443) -> None:
        self.pages: dict[tuple[str, str], bytes] = {}
        self.asked: list[tuple[str, str]] = []
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ca.issue_cert(*names, address).configure_cert(context)
        self._server = _WebServer((address, port), _WebHandler)
        self._server.owner = self
        # the handshake is left to the connection's own thread: a silent client must not stop the others
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.address, self.port = address, self._server.server_port

    def __enter__(self) -> "HttpsServer":
        _serve(self._server)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _WebServer(ThreadingHTTPServer):
    owner: HttpsServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that trusts no CA of ours breaks the handshake: its own test says so."""


class _WebHandler(BaseHTTPRequestHandler):
    timeout = 5

    def do_GET(self) -> None:
        owner = cast(_WebServer, self.server).owner
        host = self.headers.get("Host", "").partition(":")[0].lower()
        owner.asked.append((host, self.path))
        page = owner.pages.get((host, urlsplit(self.path).path))
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(page or b"")))
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _serve(server: socketserver.BaseServer) -> None:
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()


def autoconfig_xml(domain: str, host: str) -> bytes:
    """What Thunderbird reads at autoconfig.DOMAIN/mail/config-v1.1.xml: IMAP 993 and SMTP 465, both TLS from the first byte.

    https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat
    """
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="{domain}">
    <domain>{domain}</domain>
    <displayName>{domain}</displayName>
    <displayShortName>{domain}</displayShortName>
    <incomingServer type="imap">
      <hostname>{host}</hostname>
      <port>993</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>{host}</hostname>
      <port>465</port>
      <socketType>SSL</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>
  </emailProvider>
</clientConfig>
""".encode()
