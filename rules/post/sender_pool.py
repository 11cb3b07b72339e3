"""The senders of a lane: threads that take messages off its queue and hand them over, each by a connection of its own."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask

from kanban import clock
from kanban.config import Config
from rules.models import Message
from rules.post.in_flight import InFlightQueue, Tried
from rules.post.rendering import render_message
from rules.transports import Answer, Transport

log = logging.getLogger(__name__)


@dataclass
class SenderPool:
    app: Flask
    config: Config
    queue: InFlightQueue
    name: str
    senders: list[threading.Thread] = field(default_factory=list)

    def scale(self, transport: Callable[[], Transport]) -> None:
        """A sender for each message under way."""
        while len(self.senders) < self.queue.under_way:
            sender = threading.Thread(target=self._send, args=(transport,), name=f"sender-{self.name}-{len(self.senders)}", daemon=True)
            self.senders.append(sender)
            sender.start()

    def stop(self) -> None:
        """Each ends with the message in its hand."""
        self.queue.close()
        for sender in self.senders:
            sender.join()

    def _send(self, transport: Callable[[], Transport]) -> None:
        """A sender: message after message over one connection, until the queue is closed."""
        with self.app.app_context(), transport() as opened:
            while (message := self.queue.take()) is not None:
                self.queue.finish(Tried(message, self._answer(opened, message), clock.now()))

    def _answer(self, opened: Transport, message: Message) -> Answer:
        try:
            rendered = render_message(message, self.config.public_url)
        except Exception as error:
            log.exception("message %s could not be made", message.id)
            return Answer("failed", type(error).__name__)
        try:
            return opened.send(rendered)
        except Exception as error:  # a sender that died would hold its lane, and the message, for ever
            log.exception("message %s: the transport failed", message.id)
            return Answer("unclear", type(error).__name__)
