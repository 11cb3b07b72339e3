"""Addresses that asked for no more messages: by one click in a mail program (RFC 8058), by a link, or on one's own page.

The token names an address and is signed with SECRET_KEY; it holds as long as that key.
"""

import hashlib

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from kanban import clock
from kanban.security import signer
from rules.models import Unsubscribed

MOST_TOKEN = 1000


def token_of(address: str, secret_key: str) -> str:
    return str(_signer(secret_key).dumps(address.casefold()))


def address_of(token: str, secret_key: str) -> str | None:
    """The address, or None where the token is none of ours."""
    try:
        return str(_signer(secret_key).loads(token[:MOST_TOKEN]))
    except BadSignature:
        return None


def _signer(secret_key: str) -> URLSafeSerializer:
    sha1 = {"key_derivation": "django-concat", "digest_method": hashlib.sha1}  # how the links of earlier e-mails are signed
    return signer(secret_key, "unsubscribe", fallback_signers=[sha1])


def is_off(session: Session, address: str) -> bool:
    return session.get(Unsubscribed, address.casefold()) is not None


def switch_messages(session: Session, address: str, on: bool) -> None:
    """Twice the same changes nothing."""
    found = session.get(Unsubscribed, address.casefold())
    if on and found is not None:
        session.delete(found)
    elif not on and found is None:
        session.add(Unsubscribed(address=address.casefold(), at=clock.now()))
