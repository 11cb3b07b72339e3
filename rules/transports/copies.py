"""SMTP with a copy of each message in the folder of sent messages. A copy that can't be kept harms no message: the delivery says so."""

import time
from types import TracebackType

from kanban import clock
from rules.transports import Answer, RenderedMessage, imap
from rules.transports.account import Account
from rules.transports.smtp import Smtp

COPY_S, LEAST_S = 10.0, 1.0


class KeepsCopies:
    """A Transport. After the first copy that fails no more are tried over this connection. RenderedMessage and copy together keep to the
    deadline: a lease that ended in the middle of a copy would have the message sent twice."""

    def __init__(self, account: Account, deadline_s: float) -> None:
        self._account, self._deadline_s = account, deadline_s
        self._smtp = Smtp(account, deadline_s)
        self._folder = imap.SentFolder(account)
        self._trouble = ""

    def __enter__(self) -> "KeepsCopies":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._smtp.close()
        self._folder.close()

    def send(self, message: RenderedMessage) -> Answer:
        ends_at = time.monotonic() + self._deadline_s
        answer = self._smtp.send(message)
        if answer.outcome != "sent" or message.is_private:
            return answer
        if not self._trouble:
            self._keep(ends_at - time.monotonic())
        return Answer("sent", f"{answer.text}; no copy: {self._trouble}" if self._trouble else answer.text)

    def _keep(self, left_s: float) -> None:
        try:
            self._folder.keep(self._smtp.sent, clock.now(), max(LEAST_S, min(COPY_S, left_s)))
        except imap.ERRORS as error:
            self._trouble = imap.words_of(error)[:300]
