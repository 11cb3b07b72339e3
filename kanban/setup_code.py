"""The code that the first start asks for: whoever finds an empty Potok first is not its administrator for that.

It is printed at the start and kept in the instance folder, readable by its owner only, until the firm is set up.
"""

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
    try:
        with os.fdopen(os.open(path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("-".join("".join(secrets.choice(SIGNS) for _ in range(4)) for _ in range(2)))
    except FileExistsError:
        pass
    return path().read_text().strip()


def is_right(typed: str) -> bool:
    return hmac.compare_digest(typed.strip().upper().encode(), read().encode())


def forget() -> None:
    path().unlink(missing_ok=True)
