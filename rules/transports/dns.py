"""Names to addresses: the system's own way, or name servers given by DNS_SERVERS; and what a domain says of its mail."""

import ipaddress
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name
import dns.resolver

LOOK_S = 4.0


class NameNotFound(OSError):
    """There is no server of this name."""


@dataclass(frozen=True)
class ServiceRecord:
    """What an SRV record says: where a service of a domain is."""

    host: str
    port: int


def addresses(host: str, name_servers: str = "") -> list[str]:
    """Where to connect for a host: itself, unless name servers of our own are to be asked. Raises NameNotFound."""
    if not name_servers or _is_address(host):
        return [host]
    found = _ask(host, "A", name_servers) + _ask(host, "AAAA", name_servers)
    if not found:
        raise NameNotFound(f"Name or service not known: {host}")
    return [str(one) for one in found]


def mail_hosts(domain: str, name_servers: str = "") -> list[str]:
    """The MX of a domain, the preferred first, without the last dot; empty where there are none or nobody answers."""
    found = sorted(_ask(domain, "MX", name_servers), key=lambda one: (one.preference, str(one.exchange)))
    return [str(one.exchange).rstrip(".").casefold() for one in found if str(one.exchange) != "."]


def services(name: str, domain: str, name_servers: str = "") -> list[ServiceRecord]:
    """SRV records of «_imaps._tcp» and the like (RFC 6186, RFC 8314), the preferred first."""
    found = sorted(_ask(f"{name}.{domain}", "SRV", name_servers), key=lambda one: (one.priority, -one.weight))
    return [ServiceRecord(str(one.target).rstrip(".").casefold(), int(one.port)) for one in found if str(one.target) != "."]


def _ask(name: str, kind: str, name_servers: str) -> list[Any]:
    try:
        return list(_resolver(name_servers).resolve(name, kind, lifetime=LOOK_S, search=False))
    except (dns.exception.DNSException, UnicodeError, ValueError):
        return []


def _resolver(name_servers: str) -> dns.resolver.Resolver:
    if not name_servers:
        return dns.resolver.get_default_resolver()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = []
    for one in name_servers.split(","):
        host, _colon, port = one.strip().partition(":")
        resolver.nameservers.append(host)
        resolver.port = int(port or 53)
    return resolver


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
