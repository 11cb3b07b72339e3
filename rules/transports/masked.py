"""What a service said, without what must not be seen."""

import html
from urllib.parse import parse_qsl, quote, urlsplit

from rules.transports.gateways import OpenGateway

MOST_WORDS = 1000


def masked(words: str, gateway: OpenGateway) -> str:
    """Without what must not be seen: a token stands in the address that a connection error names."""
    hidden = {part for secret in gateway.secrets for part in _parts_of(secret)}
    forms = {form for one in hidden for form in (one, quote(one), quote(one, safe=""), html.escape(one))}
    for form in sorted(forms, key=len, reverse=True):
        words = words.replace(form, "•••")
    return words[:MOST_WORDS]


def _parts_of(secret: str) -> list[str]:
    """Of an address all but the host is secret; its short words, such as “api”, give nothing away."""
    if "://" not in secret:
        return [secret]
    url = urlsplit(secret)
    parts = [
        url.path.strip("/"),
        url.query,
        *url.path.split("/"),
        *(value for _name, value in parse_qsl(url.query)),
        url.password or "",
        url.username or "",
    ]
    return [part for part in parts if len(part) > 4]
