"""A mail server in a process of its own, and when all that is due has reached it."""

import time

from tests.bareserver import Arrival, ServerProcess

QUIET_S, MOST_S = 0.8, 90.0
WINDOW_S = 15  # as shipped: what is measured within it is not disturbed by its own e-mails
AT_ONCE = {"UNDO_WINDOW_S": "0"}


def mail_settings(mail: ServerProcess) -> dict[str, str]:
    """By which Potok sends there."""
    return {
        "UNDO_WINDOW_S": str(WINDOW_S),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mail.port),
        "SMTP_SECURITY": "none",
        "SMTP_FROM": "potok@melnikov.example",
    }


def wait_until_sent(mail: ServerProcess, least: int) -> list[Arrival]:
    """All that has arrived, once there are so many and no more come."""
    end, arrived, since = time.monotonic() + MOST_S, mail.arrivals(), time.monotonic()
    while time.monotonic() < end and (len(arrived) < least or time.monotonic() - since < QUIET_S):
        time.sleep(0.05)
        count, arrived = len(arrived), mail.arrivals()
        since = since if len(arrived) == count else time.monotonic()
    if len(arrived) < least:
        raise RuntimeError(f"only {len(arrived)} of {least} e-mails arrived")
    return arrived


def wait_past_window(mail: ServerProcess) -> None:
    """Until the e-mails of all moves so far have left."""
    time.sleep(WINDOW_S + 1)
    wait_until_sent(mail, 0)
