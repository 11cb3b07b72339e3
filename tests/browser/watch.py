"""What goes wrong in a browser while a test looks at something else: it fails the test, unless the test has named it."""

import contextlib
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response

# htmx tells of each of its errors by this event. The page's own policy does not stop a script that the browser's driver adds.
SCRIPT = """
document.addEventListener("htmx:error", ({ detail: { errorInfo: { error, content, target } } }) =>
  console.error(`${error} ${content?.id ?? target?.id ?? target ?? ""} on ${location.pathname}`))
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP ${event.effectiveDirective} ${event.blockedURI} on ${location.pathname}`))
"""
# The same fault told again: of an answer or a failed request there is an event of its own, and a page may give up what it asked for.
ECHOES = ("Failed to load resource", "Response Status Error Code", "htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")
CHANGES_NOTHING = ("/draw", "/try", "/backtest", "/preview")  # what is posted there may be given up for a newer one, as a GET
WAIT_S = 10.0


class Watch:
    """The faults of all browsers of one test, each as a line:

    `409 /orders/17/move` (an answer from 400 up), `failed /live: net::ERR_INTERNET_DISCONNECTED`, `page error: …`,
    `htmx:oobErrorNoTarget toast on /boards/1`, `CSP script-src-elem inline on /me`, or what else stands on the console as an error.
    A pattern names a fault as file names are named: `409 /orders/*/move`.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._contexts: list[BrowserContext] = []
        self._named: list[tuple[str, list[str]]] = []  # a pattern and what it has met

    def add(self, context: BrowserContext) -> None:
        """All pages of this context, also after they went elsewhere."""
        self._contexts.append(context)
        context.add_init_script(SCRIPT)
        context.on("weberror", lambda error: self._note(f"page error: {error.error}"))
        context.on("console", self._console)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)

    @contextlib.contextmanager
    def expects(self, *patterns: str, wait_s: float = WAIT_S) -> Iterator[None]:
        """Faults that must come while this stands; what does not come fails the test."""
        with self._naming(patterns) as named:
            yield
            end = time.monotonic() + wait_s
            while not all(met for _, met in named) and time.monotonic() < end:
                self._catch_up(50)
            missing = [pattern for pattern, met in named if not met]
            assert not missing, f"expected, and did not come: {missing}"

    @contextlib.contextmanager
    def allows(self, *patterns: str) -> Iterator[None]:
        """Faults that may come while this stands, such as those of a browser without a network."""
        with self._naming(patterns):
            yield

    @contextlib.contextmanager
    def _naming(self, patterns: tuple[str, ...]) -> Iterator[list[tuple[str, list[str]]]]:
        named: list[tuple[str, list[str]]] = [(pattern, []) for pattern in patterns]
        self._named += named
        yield named
        self._catch_up()
        self._named = [one for one in self._named if not any(one is ours for ours in named)]

    def check(self) -> None:
        self._catch_up()
        assert not self.faults, "\n".join(self.faults)

    def _note(self, fault: str) -> None:
        met = [met for pattern, met in self._named if fnmatchcase(fault, f"*{pattern}*")]
        for one in met:
            one.append(fault)
        if not met:
            self.faults.append(fault)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(ECHOES):
            self._note(message.text)

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._note(f"{response.status} {_path(response.url)}")

    def _failed(self, request: Request) -> None:
        path = urlsplit(request.url).path
        is_given_up = request.failure == "net::ERR_ABORTED" and (request.method == "GET" or path.endswith(CHANGES_NOTHING))
        if not is_given_up:
            self._note(f"failed {_path(request.url)}: {request.failure}")

    def _catch_up(self, wait_ms: int = 1) -> None:
        """Events reach us only while we wait for something."""
        for context in self._contexts:
            for page in context.pages[:1]:
                page.wait_for_timeout(wait_ms)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
