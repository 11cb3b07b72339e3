"""Notices of the bell: the message itself is what is shown, so it has arrived once it is marked sent."""

from types import TracebackType

from rules.transports import Answer, RenderedMessage


class Notice:
    def __enter__(self) -> "Notice":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def send(self, message: RenderedMessage) -> Answer:
        return Answer("sent", "")
