"""`python app.py` as a system administrator meets it: its processes, killed and stopped."""

import contextlib
import http.client
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.board import until
from tests.mailserver import free_port
from tests.workers import Ended, run_command

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.one_database


class Running:
    """`python app.py`, empty, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        environment = os.environ | {"INSTANCE": str(folder), "PORT": str(self.port), "DEMO": "0", "PASSWORD_HASH_COST": "cheap"}
        self.process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)

    def pid_of(self, name: str) -> int | None:
        """Of the child with this title: potok worker, potok web (the process that gunicorn's own are forked from)."""
        listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout.splitlines()
        for pid, parent, title in (line.split(None, 2) for line in listed[1:]):
            if int(parent) == self.process.pid and name in title:
                return int(pid)
        return None

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = Running(tmp_path)
    try:
        until(lambda: found.answers() and found.pid_of("potok worker"), 120)
        yield found
    finally:
        found.process.terminate()
        found.process.communicate(timeout=30)


@pytest.mark.parametrize("name", ["potok web", "potok worker"])
def test_what_is_killed_starts_again(running: Running, name: str) -> None:
    before = running.pid_of(name)
    assert before
    os.kill(before, signal.SIGKILL)
    until(lambda: running.pid_of(name) not in (None, before) and running.answers(), 30)


def test_all_of_them_end_together(running: Running) -> None:
    children = [running.pid_of("potok web"), running.pid_of("potok worker")]
    running.process.terminate()
    assert running.process.wait(30) == 0
    assert not any(pid and Path(f"/proc/{pid}").exists() for pid in children)
    assert not running.answers()


def test_a_visitor_says_nothing_of_where_potok_stands(running: Running) -> None:
    named = {"SCRIPT_NAME": "//evil.example", "X-Forwarded-Prefix": "//evil.example", "X-Forwarded-Host": "evil.example"}
    request = urllib.request.Request(f"http://127.0.0.1:{running.port}/setup", headers=named)
    with urllib.request.urlopen(request, timeout=10) as answer:
        page = answer.read().decode()
    assert 'action="/setup"' in page and "evil" not in page


def test_a_database_that_cannot_be_prepared_ends_it(tmp_path: Path) -> None:
    (tmp_path / "potok.db").write_bytes(b"no database at all, but a text that is long enough to be taken for one" * 20)
    environment = os.environ | {"INSTANCE": str(tmp_path), "PORT": str(free_port()), "DEMO": "0"}
    ended = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1 and "not a database" in ended.stderr


def test_a_locked_out_owner_gets_a_link_at_the_command_line(tmp_path: Path) -> None:
    def run(*arguments: str) -> Ended:
        environment = {"INSTANCE": str(tmp_path / "instance"), "PASSWORD_HASH_COST": "cheap", "LANG": "ru"}
        return run_command(tmp_path, *arguments, **environment)

    assert run("migrate").returncode == 0
    unlocked = run("unlock", "Melnikov@melnikov.example")
    assert unlocked.returncode == 0 and unlocked.stdout.startswith("http://127.0.0.1:8000/reset/"), unlocked
    assert run("unlock", "nobody@melnikov.example").returncode == 1 and run("unlock").returncode == 2
    files = list((tmp_path / "instance").iterdir())
    assert (tmp_path / "instance").stat().st_mode & 0o777 == 0o700
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}, files


def test_a_second_one_in_the_same_folder_says_so(running: Running, tmp_path: Path) -> None:
    environment = os.environ | {"INSTANCE": str(tmp_path), "PORT": str(free_port()), "DEMO": "0"}
    for command, said in (([], "Potok runs already"), (["worker"], "The worker")):
        second = subprocess.run(
            [sys.executable, "app.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 1 and said in second.stderr and "runs already in" in second.stderr
    assert running.answers()


def test_a_killed_supervisor_leaves_no_orphans(running: Running) -> None:
    children = [running.pid_of("potok web"), running.pid_of("potok worker")]
    running.process.kill()
    until(lambda: not any(pid and Path(f"/proc/{pid}").exists() for pid in children) and not running.answers(), 40)


def test_what_is_in_flight_is_answered_before_the_end(running: Running, tmp_path: Path) -> None:
    """Ten of ten were cut off: here each waits for a writer when the end is asked for."""
    code = (tmp_path / "setup_code").read_text()
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/setup", timeout=20) as page:
        cookie, token = page.headers["Set-Cookie"].split(";")[0], re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
    assert token
    form = {
        "csrf_token": token[1],
        "code": code,
        "language": "ru",
        "country": "RU",
        "company": "Кухни",
        "name": "Анна",
        "email": "anna@kuhni.example",
        "password": "quiet-river-birch-42",
        "preset": "kitchen",
    }
    answers: list[int] = []

    def found() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=40)
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/setup", urllib.parse.urlencode(form), headers)
        answers.append(connection.getresponse().status)
        connection.close()

    with contextlib.closing(sqlite3.connect(tmp_path / "potok.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        threads = [threading.Thread(target=found) for _ in range(10)]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        running.process.terminate()
        time.sleep(1.5)
        other.execute("ROLLBACK")
    for thread in threads:
        thread.join()
    print(f"10 in flight at SIGTERM: {sorted(answers)}")
    assert len(answers) == 10 and answers.count(303) >= 1 and set(answers) <= {303, 409, 429}
    assert running.process.wait(30) == 0
