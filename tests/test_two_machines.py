"""Two web processes behind nginx, and two workers, on one PostgreSQL: as on two machines, each with a folder of its own."""

import http.client
import re
import shutil
import subprocess
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from kanban.db import db
from kanban.models import Event, Order
from rules.models import Message
from tests.bareserver import ServerProcess
from tests.browser.board import until
from tests.cast import PASSWORD, TOKEN, Cast
from tests.mailserver import free_port
from tests.soak import size
from tests.test_behind_proxies import PATH
from tests.workers import start

MOVES = size(40, 200, 2000)
pytestmark = [pytest.mark.postgresql, pytest.mark.soak]


@dataclass
class Machines:
    """proxy: the port of nginx; ports: of the webs."""

    proxy: int
    ports: list[int]
    environment: dict[str, str]
    folder: Path
    mail: ServerProcess
    processes: dict[str, ForkServerProcess] = field(default_factory=dict)

    def begin(self, name: str) -> None:
        """web-0, web-1, worker-0 or worker-1."""
        kind, _, number = name.partition("-")
        own = {"INSTANCE": str(self.folder / number), "PORT": str(self.ports[int(number)]), "WORKER_NAME": f"w{number}"}
        (self.folder / number).mkdir(exist_ok=True)
        self.processes[name] = start(kind, self.environment | own, self.folder / f"{name}.log")

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].join(10)
        self.begin(name)


def nginx(folder: Path, port: int, ports: list[int]) -> list[str]:
    servers = "".join(f"server 127.0.0.1:{one} max_fails=1 fail_timeout=1s; " for one in ports)
    temp = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n{temp}"
        f"upstream potok {{ {servers} }}\n"
        f"server {{ listen 127.0.0.1:{port};\n"
        "location / { proxy_pass http://potok; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_buffering off;\n"
        "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto http; } } }\n"
    )
    return ["nginx", "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf", "-g", "daemon off;"]


@pytest.fixture
def machines(app: Flask, cast: Cast, tmp_path: Path) -> Iterator[Machines]:
    if shutil.which("nginx", path=PATH) is None:
        pytest.skip("no nginx on this machine, and it could not be installed: sh tests/install_proxies.sh")
    db.session.rollback()
    config, ports, proxy = app.config["POTOK"], [free_port(), free_port()], free_port()
    with ServerProcess() as mail:
        environment = {
            "DATABASE_URL": config.database_url,
            "SECRET_KEY": config.secret_key,
            "SEAL_KEY": config.seal_key,
            "PASSWORD_HASH_COST": "cheap",
            "TRUSTED_PROXIES": "127.0.0.1",
            "PUBLIC_URL": f"http://127.0.0.1:{proxy}",
            "UNDO_WINDOW_S": "0",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail.port),
            "SMTP_SECURITY": "none",
            "SMTP_FROM": "potok@melnikov.example",
            "INNER_HOSTS": "127.0.0.0/8",
            "LEASE_S": "3",
            "LETTER_DEADLINE_S": "2",
        }
        made = Machines(proxy, ports, environment, tmp_path, mail)
        with (tmp_path / "log").open("w") as log:
            ahead = subprocess.Popen(nginx(tmp_path, proxy, ports), env={"PATH": PATH}, stdout=log, stderr=log)
            try:
                for name in ("web-0", "web-1", "worker-0", "worker-1"):
                    made.begin(name)
                for port in (*ports, proxy):
                    until(lambda at=port: Browser(at).answers(), 120)  # type: ignore[misc]
                yield made
            finally:
                for process in made.processes.values():
                    process.kill()
                    process.join(10)
                ahead.terminate()
                ahead.wait(20)


class Browser:
    """At one port, with cookies; a connection for each request."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self._port, self._address, self._token = port, address, ""
        self.cookies: dict[str, str] = {}

    def answers(self) -> bool:
        try:
            return self.send("GET", "/readyz")[0] in (200, 503)
        except OSError:
            return False

    def send(self, method: str, path: str, data: dict[str, str] | None = None) -> tuple[int, str]:
        with closing(self.connect()) as connection:
            answer = self.ask(connection, method, path, data)
            return answer.status, answer.read().decode()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=30, source_address=(self._address, 0))

    def ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, data: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "HX-Request": "true"}
        body = urllib.parse.urlencode({"csrf_token": self._token, **data}) if data is not None else None
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def sign_in(self, email: str, password: str = PASSWORD) -> int:
        self._token = self._token_of("/sign-in")
        code = self.send("POST", "/sign-in", {"email": email, "password": password})[0]
        if code == 302:
            self._token = self._token_of("/me")
        return code

    def move(self, order: int, status: int, version: int, key: str = "") -> int:
        return self.send("POST", f"/orders/{order}/move", {"status": str(status), "before": "", "version": str(version), "key": key})[0]

    def _token_of(self, path: str) -> str:
        found = TOKEN.search(self.send("GET", path)[1])
        assert found
        return found[1]


def test_who_looks_at_one_sees_what_moved_at_the_other(machines: Machines, cast: Cast) -> None:
    order = cast.place()
    db.session.rollback()
    looks, moves = Browser(machines.ports[0]), Browser(machines.ports[1])
    assert looks.sign_in(cast.email("manager")) == 302 and moves.sign_in(cast.email("owner")) == 302
    connection = looks.connect()
    stream = looks.ask(connection, "GET", "/live?page=/boards/1")
    took, version = [], 1
    while b"data" not in stream.readline():
        pass
    for number in range(10):
        to = cast.statuses["ready" if number % 2 == 0 else "design"]
        begun = time.monotonic()
        assert moves.move(order.id, to, version) == 200
        version += 1
        while f'data-version=\\"{version}\\"'.encode() not in stream.readline():
            assert time.monotonic() - begun < 20
        took.append(time.monotonic() - begun)
        assert f'data-version="{version}"' in looks.send("GET", "/boards/1")[1], "nor is its own page older"
    connection.close()
    stream.close()
    print(f"a move at one, seen at the other, from its request: median {sorted(took)[5]:.3f} s, most {max(took):.3f} s")


def test_tries_count_together(machines: Machines, cast: Cast) -> None:
    codes = [Browser(port).sign_in(cast.email("manager"), f"wrong-{n}") for n in range(6) for port in machines.ports]
    assert Counter(codes) == {422: 10, 429: 2} and codes[-2:] == [429, 429]
    assert Browser(machines.proxy).sign_in(cast.email("manager")) == 429
    assert Browser(machines.ports[0], "127.0.0.5").sign_in(cast.email("manager")) == 302, "from elsewhere the owner comes in"


def test_kill_either_of_them_and_nothing_is_lost(machines: Machines, cast: Cast) -> None:
    ids = [cast.place().id for _ in range(4)]
    db.session.rollback()
    people = [Browser(machines.proxy) for _ in ids]
    assert {one.sign_in(cast.email("owner")) for one in people} == {302}
    moved: dict[int, int] = dict.fromkeys(ids, 0)
    is_over = threading.Event()

    def work(browser: Browser, order: int) -> None:
        """Each move until it is answered; asked again with its key it is one move."""
        for number in range(MOVES // len(ids)):
            to = cast.statuses["ready" if number % 2 == 0 else "design"]
            while not is_over.is_set():
                try:
                    code = browser.move(order, to, number + 1, f"{order}-{number}")
                except (OSError, http.client.HTTPException):
                    code = 0
                if code == 200:
                    moved[order] += 1
                    break
                assert code in (0, 502, 503, 504), code
                time.sleep(0.1)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(people, ids, strict=True)]
    for thread in threads:
        thread.start()
    for name in ("web-0", "worker-0", "web-1", "worker-1"):
        time.sleep(2)
        machines.kill(name)
    for thread in threads:
        thread.join(size(120, 300, 3000))
    is_over.set()
    assert set(moved.values()) == {MOVES // len(ids)}, moved
    for id_ in ids:
        versions = db.session.execute(
            select(Order.version, func.count(Event.id)).join(Event).where(Order.id == id_).group_by(Order.id)
        ).one()
        assert tuple(versions) == (MOVES // len(ids) + 1, MOVES // len(ids) + 1)
    db.session.rollback()

    def left() -> int:
        db.session.rollback()
        return db.session.scalar(select(func.count()).select_from(Message).where(Message.state.in_(("waiting", "sending")))) or 0

    until(lambda: left() == 0, 120)
    kept = set(db.session.scalars(select(Message.message_id).where(Message.channel == "email", Message.state.in_(("sent", "held")))))
    arrived = Counter(one.message_id for one in machines.mail.arrivals())
    db.session.rollback()
    print(f"{MOVES} moves, {len(kept)} e-mails, {arrived.total()} arrivals, 4 processes killed")
    held = set(db.session.scalars(select(Message.message_id).where(Message.state == "held")))
    db.session.rollback()
    assert kept and kept - set(arrived) <= held and not [one for one in arrived if not re.search("@", one)]
