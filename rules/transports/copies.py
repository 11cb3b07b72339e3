"""SMTP with a copy of each letter in the folder of sent letters. A copy that can't be kept harms no letter: the delivery says so."""

from types import TracebackType

from kanban import clock
from rules.accounts import Account
from rules.transports import Answer, Letter, imap
from rules.transports.compose import compose
from rules.transports.smtp import Smtp

COPY_S = 10.0


class KeepsCopies:
    """A Transport. After the first copy that fails no more are tried over this connection."""

    def __init__(self, account: Account, deadline_s: float) -> None:
        self._account = account
        self._smtp = Smtp(account, deadline_s)
        self._folder = imap.SentFolder(account, COPY_S)
        self._trouble = ""

    def __enter__(self) -> "KeepsCopies":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._smtp.close()
        self._folder.close()

    def send(self, letter: Letter) -> Answer:
        answer = self._smtp.send(letter)
        if answer.outcome != "sent":
            return answer
        if not self._trouble:
            self._keep(letter)
        return Answer("sent", f"{answer.text}; no copy: {self._trouble}" if self._trouble else answer.text)

    def _keep(self, letter: Letter) -> None:
        try:
            self._folder.keep(compose(letter, self._account).as_bytes(), clock.now())
        except imap.ERRORS as error:
            self._trouble = imap.words_of(error)[:300]
