"""Ways into the world, one slice each. A transport takes letters and says what became of each."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol


@dataclass(frozen=True)
class Letter:
    """A message ready to leave: both bodies made, nothing left to look up.

    thread: what all letters of one order refer to, or "". unsubscribe: a way to ask for no more, or "".
    """

    message_id: str
    event_id: int | None
    name: str
    address: str
    subject: str
    text: str
    html: str
    language: str = "en"
    reply_to: str = ""
    thread: str = ""
    unsubscribe: str = ""
    list_id: str = ""


@dataclass(frozen=True)
class Answer:
    """What became of one attempt.

    outcome: sent, retry (will pass), failed (never will), tray, or unclear (taken, but never answered for).
    by_account: the account is at fault, not the letter. pause_s: how long the other side asks to be left alone.
    """

    outcome: str
    text: str
    by_account: bool = False
    pause_s: int | None = None


class Transport(Protocol):
    """One connection at most; send() never raises for what a server or a network does."""

    def __enter__(self) -> "Transport": ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def send(self, letter: Letter) -> Answer: ...
