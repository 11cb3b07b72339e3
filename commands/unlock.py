"""`python app.py unlock EMAIL`."""

from flask import Flask

from kanban import people
from kanban.config import Config
from kanban.transactions import transaction


def unlock(app: Flask, config: Config, email: str) -> int:
    """For somebody who is locked out, or has no password and no mail: lifts the limits, and prints a link that works once."""
    with app.app_context(), transaction() as session:
        token = people.unlock(session, email)
        print(f"{config.public_url}/reset/{token}" if token else f"Nobody who works here has the address {email}.")
    return 0 if token else 1
