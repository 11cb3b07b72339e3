"""A mail account that signs in by a token: it is fetched, or renewed, before the first message."""

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType

from kanban.config import Config
from kanban.errors import Busy, Unwritable
from rules.mail import oauth
from rules.transports import Answer, RenderedMessage, Transport
from rules.transports.account import Account


class ByToken:
    """A Transport around the one that `open` makes of an account with a token."""

    def __init__(self, account: Account, config: Config, open_: Callable[[Account], Transport]) -> None:
        self._account, self._config, self._open = account, config, open_
        self._inner: Transport | None = None

    def __enter__(self) -> "ByToken":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._inner is not None:
            self._inner.__exit__(kind, error, trace)

    def send(self, message: RenderedMessage) -> Answer:
        if self._inner is None:
            try:
                from rules.mail import oauth_client  # noqa: PLC0415, 10 MB with its libraries

                self._inner = self._open(replace(self._account, token=oauth_client.fresh(self._account, self._config)))
            except oauth.SignInLost as lost:
                return Answer("retry", str(lost), by_account=True)
            except (Busy, Unwritable) as refused:  # a new token could not be kept: nothing was sent
                return Answer("retry", str(refused.reason))
        return self._inner.send(message)
