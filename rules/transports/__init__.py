"""Ways into the world, one slice each. A transport takes messages and says what became of each."""

import unicodedata
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

MOST_WORDS, MOST_READ = 1000, 10_000


def words(said: bytes | str) -> str:
    """What the other side said, as it can be kept and shown: one line without control characters (PostgreSQL refuses NUL)."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    plain = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in text[:MOST_READ])
    return " ".join(plain.split())[:MOST_WORDS]


@dataclass(frozen=True)
class RenderedMessage:
    """A message ready to leave: both bodies made, nothing left to look up.

    to, cc: (name, address) of those who stand in the heads, where it isn't simply whom it goes to.
    thread: what all messages of one order refer to, or "". unsubscribe: a way to ask for no more, or "".
    is_private: for its reader alone, so no copy of it is kept anywhere.
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
    to: tuple[tuple[str, str], ...] = ()
    cc: tuple[tuple[str, str], ...] = ()
    is_private: bool = False


@dataclass(frozen=True)
class Answer:
    """What became of one attempt.

    outcome: sent, retry (will pass), failed (never will), tray, or unclear (taken, but never answered for).
    by_account: the account is at fault, not the message. pause_s: how long the other side asks to be left alone.
    """

    outcome: str
    text: str
    by_account: bool = False
    pause_s: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", words(self.text))


class Transport(Protocol):
    """One connection at most; send() never raises for what a server or a network does."""

    def __enter__(self) -> "Transport": ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def send(self, message: RenderedMessage) -> Answer: ...
