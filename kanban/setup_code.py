"""The code that the first start asks for: whoever finds an empty Potok first is not its administrator for that.

It is printed at the start and kept in the instance folder, readable by its owner only, until the firm is set up.
"""

import contextlib
import hmac
import os
import secrets
from pathlib import Path

from flask import current_app

SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is taken for another


def path() -> Path:
    return Path(current_app.instance_path) / "setup_code"


def read() -> str:
    """The code, made where there is none yet."""
    if _kept() == "":  # left by a full disk, say
        path().unlink(missing_ok=True)
    if not path().exists():
        draft = path().with_suffix(f".{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("-".join("".join(secrets.choice(SIGNS) for _ in range(4)) for _ in range(2)))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path())  # whole or not at all, and the first one stays
        draft.unlink()
    return _kept() or ""


def _kept() -> str | None:
    return path().read_text().strip() if path().exists() else None


def is_right(typed: str) -> bool:
    code = read()
    return bool(code) and hmac.compare_digest(_signs(typed), _signs(code))


def _signs(code: str) -> bytes:
    """Without the dash and blanks, in capitals: as people type it."""
    return "".join(code.split()).replace("-", "").upper().encode()


def forget() -> None:
    path().unlink(missing_ok=True)
