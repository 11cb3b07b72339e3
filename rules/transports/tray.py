"""The tray: where messages lie while no mail account is set. They can be read there, and are never sent by themselves."""

from types import TracebackType

from rules.transports import Answer, RenderedMessage


class Tray:
    def __enter__(self) -> "Tray":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def send(self, message: RenderedMessage) -> Answer:
        return Answer("tray", "")
