"""A signed-in client in the process. What is timed is the WSGI call alone: server time, without a network or a test client."""

import contextvars
import io
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import EnvironBuilder

from bench.workshop import PASSWORD

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Answer:
    status_code: int
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode()


class Client:
    """Each request has a context of its own, as in the server."""

    def __init__(self, app: Flask, email: str = "melnikov@melnikov.example") -> None:
        self._app = app
        self._cookies: dict[str, str] = {}
        self._environs: dict[str, dict[str, Any]] = {}
        token = self._token("/sign-in")
        self._call(self._environ("POST", "/sign-in", {"email": email, "password": PASSWORD, "csrf_token": token}))
        self._headers = {"X-CSRFToken": self._token("/me"), "HX-Request": "true", "HX-Current-URL": "http://localhost/boards/1"}

    def get(self, url: str) -> Answer:
        if url not in self._environs or not hasattr(self, "_headers"):
            self._environs[url] = self._environ("GET", url)
        return self._call(dict(self._environs[url]))

    def post(self, url: str, data: dict[str, Any]) -> Answer:
        return self._call(self._environ("POST", url, data, self._headers))

    def _environ(self, method: str, url: str, data: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        environ = EnvironBuilder(url, method=method, headers=[*(headers or {}).items(), ("Cookie", cookie)]).get_environ()
        if data is not None:
            body = urllib.parse.urlencode(data).encode()
            environ |= {
                "wsgi.input": io.BytesIO(body),
                "CONTENT_LENGTH": str(len(body)),
                "CONTENT_TYPE": "application/x-www-form-urlencoded",
            }
        return environ

    def _call(self, environ: dict[str, Any]) -> Answer:
        status = [0]

        def start(line: str, headers: list[tuple[str, str]], _info: Any = None) -> Any:
            status[0] = int(line.split(maxsplit=1)[0])
            for name, value in headers:
                if name == "Set-Cookie":
                    key, _, rest = value.partition("=")
                    self._cookies[key] = rest.split(";")[0]

        body = contextvars.Context().run(self._app.wsgi_app, environ, start)
        try:
            return Answer(status[0], b"".join(body))
        finally:
            getattr(body, "close", lambda: None)()

    def _token(self, url: str) -> str:
        found = TOKEN.search(self.get(url).text)
        assert found is not None
        return found[1]
