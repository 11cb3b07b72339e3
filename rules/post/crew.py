"""The senders of a lane: threads that take letters off its desk and hand them over, each by a connection of its own."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Flask

from kanban import clock
from kanban.config import Config
from rules.models import Message
from rules.post.desk import Desk, Tried
from rules.post.frame import letter_of
from rules.post.transports import Answer, Transport

log = logging.getLogger(__name__)

MOST_SENDERS = 4
HELD_UP_S = 1.0


@dataclass
class Crew:
    app: Flask
    config: Config
    desk: Desk
    name: str
    senders: list[threading.Thread] = field(default_factory=list)

    def man(self, transport: Callable[[], Transport]) -> None:
        """One sender; another where all of them have been at one letter for long."""
        count = len(self.senders)
        if self.desk.ready and (count == 0 or (count < MOST_SENDERS and self.desk.is_held_up(count, HELD_UP_S))):
            sender = threading.Thread(target=self._send, args=(transport,), name=f"sender-{self.name}-{count}", daemon=True)
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
                answer = None if self._lease_is_short(message) else self._hand_over(way, message)
                self.desk.finish(Tried(message, answer, clock.now()))

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

    def _lease_is_short(self, message: Message) -> bool:
        left = message.lease_until - clock.now() if message.lease_until else timedelta(0)
        return left.total_seconds() < self.config.letter_deadline_s
