"""The whole flow behind nginx and Caddy with TLS, each as docs/operations.md sets it up."""

import contextlib
import http.client
import os
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest
import trustme

from tests.mailserver import free_port
from tests.soak import size

ROOT = Path(__file__).parent.parent
NAME = "potok.firma.ru"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
VISITOR = "127.0.0.9"  # the proxy itself is 127.0.0.1
USERS, ROUNDS = size(12, 50, 50), size(3, 5, 20)


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.+?)```", (ROOT / "docs" / "operations.md").read_text(), re.S)
    assert found
    return found[1]


@dataclass
class Behind:
    """Potok behind a proxy."""

    port: int
    instance: Path
    context: ssl.SSLContext
    people: list[tuple[str, str]]

    def journal(self, kind: str) -> list[tuple[str, str]]:
        """(who, address) of these lines."""
        with contextlib.closing(sqlite3.connect(self.instance / "potok.db")) as connection:
            return connection.execute("SELECT who, address FROM security_event WHERE kind = ? ORDER BY id", (kind,)).fetchall()


class Visitor:
    """A browser's requests over TLS, from an address of its own, by one connection."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind
        self._cookies: dict[str, str] = {}
        self.set: list[str] = []  # Set-Cookie fields, as they came
        self._connection = http.client.HTTPSConnection(NAME, behind.port, timeout=60)
        bare = socket.create_connection(("127.0.0.1", behind.port), 60, source_address=(VISITOR, 0))
        self._connection.sock = behind.context.wrap_socket(bare, server_hostname=NAME)

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, method: str, path: str, data: dict[str, str] | None = None, **more: str) -> http.client.HTTPResponse:
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "Referer": f"https://{NAME}:{self._behind.port}/",
            "X-Forwarded-For": "203.0.113.66",
            "Content-Type": "application/x-www-form-urlencoded",
        } | more
        self._connection.request(method, path, urlencode(data or {}) if method == "POST" else None, headers)
        answer = self._connection.getresponse()
        for field in answer.headers.get_all("Set-Cookie", []):
            self.set.append(field)
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(field).items()}
        return answer

    def page(self, path: str) -> str:
        answer = self.send("GET", path)
        text = answer.read().decode()
        assert answer.status == 200, (path, answer.status, text[:300])
        return text

    def sign_in(self, email: str, password: str) -> int:
        token = TOKEN.search(self.page("/sign-in"))
        assert token
        answer = self.send("POST", "/sign-in", {"email": email, "password": password, "csrf_token": token[1]})
        answer.read()
        return answer.status

    def move(self) -> int:
        """Moves the first card of the first or second column to the other one."""
        board = self.page("/boards/1")
        found, token = re.search(r'data-order="(\d+)" data-status="([12])" data-version="(\d+)"', board), TOKEN.search(board)
        assert found and token
        data = {"status": str(3 - int(found[2])), "before": "", "version": found[3], "csrf_token": token[1]}
        answer = self.send("POST", f"/orders/{found[1]}/move", data, **{"HX-Request": "true"})
        answer.read()
        return answer.status


def nginx(folder: Path, port: int, inner: int) -> list[str]:
    text = block("nginx").replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace("127.0.0.1:8000", f"127.0.0.1:{inner}")
    temp = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    own = f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temp}{text}}}\n"
    (folder / "nginx.conf").write_text(own.replace("/etc/ssl", str(folder)))
    return ["nginx", "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf", "-g", "daemon off;"]


def caddy(folder: Path, port: int, inner: int) -> list[str]:
    text = block("caddy").replace(f"{NAME} {{", f"{NAME}:{port} {{").replace("127.0.0.1:8000", f"127.0.0.1:{inner}")
    (folder / "Caddyfile").write_text("{\n admin off\n auto_https disable_redirects\n}\n" + text.replace("/etc/ssl", str(folder)))
    return ["caddy", "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Behind]:
    if shutil.which(request.param.__name__, path=PATH) is None:
        pytest.skip(f"no {request.param.__name__} on this machine, and it could not be installed: sh tests/install_proxies.sh")
    authority = trustme.CA()
    certificate = authority.issue_cert(NAME)
    certificate.private_key_pem.write_to_path(tmp_path / "potok.key")
    for number, pem in enumerate(certificate.cert_chain_pems):
        pem.write_to_path(tmp_path / "potok.pem", append=number > 0)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    port, inner, instance = free_port(), free_port(), tmp_path / "instance"
    environment = os.environ | {
        "PATH": PATH,
        "INSTANCE": str(instance),
        "PORT": str(inner),
        "PUBLIC_URL": f"https://{NAME}:{port}",
        "TRUSTED_PROXIES": "127.0.0.1",
        "PASSWORD_HASH_COST": "cheap",
        "LANG": "ru",
        "XDG_DATA_HOME": str(tmp_path),
        "HOME": str(tmp_path),
    }
    commands = ([sys.executable, "app.py"], request.param(tmp_path, port, inner))
    with (tmp_path / "log").open("w") as log:
        started = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log) for command in commands]
        try:
            for one in (inner, port):
                _wait(one, tmp_path / "log")
            lines = (instance / "demo.txt").read_text().splitlines()
            yield Behind(port, instance, context, [(line.split()[0], line.split()[1]) for line in lines if "@" in line])
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(30)


def _wait(port: int, log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-3000:])


def test_the_whole_flow(behind: Behind) -> None:
    with Visitor(behind) as owner:
        assert owner.sign_in(behind.people[0][0], "wrong") == 422 and owner.sign_in(*behind.people[0]) == 302
        assert all(re.match(r"__Host-potok(_device)?=", field) and "Secure" in field for field in owner.set)
        answer = owner.send("GET", "/boards/1")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000" and NAME not in answer.read().decode()
        assert owner.move() == 200
        assert [address for _who, address in behind.journal("sign_in_failed") + behind.journal("signed_in")] == [VISITOR, VISITOR]
        stream = owner.send("GET", "/live")
        assert stream.status == 200 and stream.readline().startswith(b"retry"), "the proxy holds no line of the stream back"
        stream.close()


@pytest.mark.soak
def test_many_at_once(behind: Behind) -> None:
    """Nobody gets an error of the server, however many come together."""
    codes: list[int] = []

    def work(number: int) -> None:
        may_move = number % len(behind.people) < len(behind.people) - 1  # the last only looks
        with Visitor(behind) as visitor:
            codes.append(visitor.sign_in(*behind.people[number % len(behind.people)]))
            if codes[-1] != 302:
                return
            for _ in range(ROUNDS):
                for path in ("/boards/1", "/way", "/work"):
                    answer = visitor.send("GET", path)
                    answer.read()
                    codes.append(answer.status)
                if may_move:
                    codes.append(visitor.move())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(USERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = {code: codes.count(code) for code in sorted(set(codes))}
    print(f"{USERS} users: {counted}")
    assert len(codes) >= USERS * (1 + 3 * ROUNDS) and max(codes) < 500, counted
    assert {address for _who, address in behind.journal("signed_in")} == {VISITOR}
