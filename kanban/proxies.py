"""Who asks, where a proxy stands in between: its word counts only if it is one of the firm's own."""

import ipaddress
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST_PROXIES = 8
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


def read_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks such as `127.0.0.1, 10.0.0.0/8`. Raises ValueError."""
    return tuple(ipaddress.ip_network(part) for part in text.replace(",", " ").split())


class TrustedProxies:
    """The address, scheme and host a visitor came by, from the X-Forwarded-… fields of proxies in `networks`.

    The address is the last one that no trusted proxy has. Nobody says under which path Potok stands: it is always the root.
    """

    def __init__(self, app: WsgiApp, networks: tuple[Network, ...]) -> None:
        self._app, self._networks = app, networks
        self._behind = cache(lambda proxies: ProxyFix(app, x_for=proxies, x_proto=1, x_host=1))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["SCRIPT_NAME"] = ""
        if not self._is_proxy(environ.get("REMOTE_ADDR", "")):
            return self._app(environ, start_response)
        return self._behind(self._proxies(environ.get("HTTP_X_FORWARDED_FOR", "")))(environ, start_response)

    def _proxies(self, forwarded_for: str) -> int:
        """How many stand in a row between the visitor and us; 0 where the field names nobody."""
        named = [one.strip() for one in forwarded_for.split(",")]
        proxies = 1
        while proxies < min(len(named), MOST_PROXIES) and self._is_proxy(named[-proxies]):
            proxies += 1
        return proxies if _address(named[-proxies]) else 0

    def _is_proxy(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._networks)


def _address(text: str) -> Address | None:
    try:
        return plain_address(text)
    except ValueError:
        return None


def plain_address(text: str) -> Address:
    """An IPv4 address as such, though a socket of both kinds shows it as IPv6. Raises ValueError."""
    found = ipaddress.ip_address(text)
    return getattr(found, "ipv4_mapped", None) or found
