"""Secrets as they are stored: encrypted by Fernet, with a key that is not in the database."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken


def seal(secret: str, key: str) -> str:
    """A secret as it is stored: Fernet, with a key that is not in the database."""
    return _box(key).encrypt(secret.encode()).decode() if secret else ""


def unseal(sealed: str, key: str) -> str:
    """The secret, or "" where it was sealed with another key (then the server's refusal says the rest)."""
    try:
        return _box(key).decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken:
        return ""


def _box(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
