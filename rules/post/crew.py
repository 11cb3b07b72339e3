"""The senders of a lane: threads that take letters off its desk and hand them over, each by a connection of its own."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask

from kanban import clock
from kanban.config import Config
from rules.models import Message
from rules.post.desk import Desk, Tried
from rules.post.frame import letter_of
from rules.post.transports import Answer, Transport

log = logging.getLogger(__name__)


@dataclass
class Crew:
    app: Flask
    config: Config
    desk: Desk
    name: str
    senders: list[threading.Thread] = field(default_factory=list)

    def man(self, transport: Callable[[], Transport]) -> None:
        """A sender for each letter under way."""
        while len(self.senders) < self.desk.under_way:
            sender = threading.Thread(target=self._send, args=(transport,), name=f"sender-{self.name}-{len(self.senders)}", daemon=True)
            self.senders.append(sender)
            sender.start()

    def go_home(self) -> None:
        """Each ends with the letter in its hand."""
        self.desk.close()
        for sender in self.senders:
            sender.join()

    def _send(self, transport: Callable[[], Transport]) -> None:
        """A sender: letter after letter over one connection, until the desk is closed."""
        with self.app.app_context(), transport() as way:
            while (message := self.desk.take()) is not None:
                self.desk.finish(Tried(message, self._hand_over(way, message), clock.now()))

    def _hand_over(self, way: Transport, message: Message) -> Answer:
        try:
            letter = letter_of(message, self.config.public_url)
        except Exception as error:
            log.exception("letter %s could not be made", message.id)
            return Answer("failed", type(error).__name__)
        try:
            return way.send(letter)
        except Exception as error:  # a sender that died would hold its lane, and the letter, for ever
            log.exception("letter %s: the transport stumbled", message.id)
            return Answer("unclear", type(error).__name__)
