"""Where Potok connects to for others: anywhere in public, inside the firm's own network only to what an administrator has named, and
never to what belongs to the machine alone. Asked of each address a name leads to, at the moment of connecting."""

import contextlib
import ipaddress
from dataclasses import dataclass

from kanban.config import Config
from kanban.db import db
from kanban.domains import ascii_domain
from kanban.proxies import Network
from kanban.settings import setting

MOST_NAMED = 100
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Services of a cloud that hand out the machine's own keys; link-local ones are refused as such.
METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254")))
# Networks in which an IPv4 address is dressed as IPv6: its last 32 bits (RFC 4291, 6052, 8215, 2765).
DRESSED = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")))
LOOPBACK = ipaddress.IPv6Address("::1")


class NotAllowed(OSError):
    """An address that Potok does not connect to. Its words are for administrators."""


@dataclass(frozen=True)
class Reach:
    """names: hosts as they are written in settings, in small letters. networks: whatever lies in them."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def require(self, host: str, address: str) -> None:
        """host: as it was written; address: what it led to. Raises NotAllowed."""
        found = _plain(ipaddress.ip_address(address.partition("%")[0]))
        if found in METADATA or found.is_link_local or found.is_unspecified or found.is_multicast:
            raise NotAllowed(f"{host} is {address}: Potok never connects there")
        is_public = found.is_global and not getattr(found, "is_site_local", False)
        if is_public or normal(host) in self.names or any(found in network for network in self.networks):
            return
        raise NotAllowed(f"{host} is {address}, inside your own network, and not allowed yet")


NOWHERE_INSIDE = Reach()


def _plain(address: Address) -> Address:
    """An IPv4 address that is dressed as IPv6 is judged as what it is."""
    if address.version == 4 or address == LOOPBACK or address.is_unspecified:
        return address
    if any(address in network for network in DRESSED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or address


def normal(host: str) -> str:
    """One spelling of a name. What is no name stays as it is."""
    host = host.strip().strip("[]").rstrip(".").casefold()
    try:
        return ascii_domain(host)
    except UnicodeError:
        return host


def read_reach(text: str) -> Reach:
    """Names, addresses and networks between commas or spaces. Raises ValueError for a network that is none."""
    names, networks = set(), []
    for part in text.replace(",", " ").split():
        if "/" in part:
            networks.append(ipaddress.ip_network(part))
        else:
            names.add(normal(part))
            with contextlib.suppress(ValueError):  # an address: names that lead to it are allowed too
                networks.append(ipaddress.ip_network(normal(part)))
    return Reach(frozenset(names), tuple(networks))


def reach_of(config: Config) -> Reach:
    """What the environment and the page of hosts allow. The server of SMTP_HOST is named by being set."""
    return read_reach(f"{config.inner_hosts} {config.smtp_host} {setting(db.session(), 'inner_hosts')}")
