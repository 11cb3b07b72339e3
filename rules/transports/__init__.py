"""Ways into the world, one slice each. A transport takes letters and says what became of each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Letter:
    """A message ready to leave: both bodies made, nothing left to look up."""

    message_id: str
    event_id: int | None
    name: str
    address: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Answer:
    """outcome: sent, retry (will pass), failed (never will), tray. by_account: the account is at fault, not the letter."""

    outcome: str
    text: str
    by_account: bool = False
