"""Domain names with letters outside ASCII («пример.рф») as DNS and mail servers know them (IDNA 2008, RFC 5891; mapped by UTS 46)."""

from urllib.parse import urlsplit

import idna
from werkzeug.urls import iri_to_uri


def ascii_domain(domain: str) -> str:
    """«пример.рф» → «xn--e1afmkfd.xn--p1ai»; what is ASCII stays as it is. Raises UnicodeError where it is no domain name."""
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")


def ascii_url(url: str) -> str:
    """«https://заказы.рф/доска» as it can stand in a header field or a redirect. Raises ValueError where it is no address of the web."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("no address of the web")
    host, colon, port = parts.netloc.partition(":") if not parts.netloc.startswith("[") else (parts.netloc, "", "")
    return iri_to_uri(parts._replace(netloc=ascii_domain(host) + colon + port).geturl())
