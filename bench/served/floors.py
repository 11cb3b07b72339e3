"""What can't be gone below, measured in the same run: a ready page by a bare server, the rows of a move by bare SQL."""

import http.client
import shutil
import smtplib
import sqlite3
import statistics
import time
import uuid
from pathlib import Path

from bench.served.checkout import Checkout
from bench.served.figures import Figures
from bench.served.server import Server, started
from tests.bareserver import ServerProcess
from tests.mailserver import free_port

PAGES, MOVES, WARM = 400, 200, 20
SCRIPT = Path(__file__).with_name("bare_server.py")


def measure_bare_server(checkout: Checkout, page: bytes, folder: Path) -> Figures:
    """page: as it is sent, compressed."""
    file, figures = folder / "page.html.gz", Figures()
    file.write_bytes(page)
    bytecode = folder / "bytecode-bare"
    for state in ("cold", "warm"):
        port = free_port()
        environment = checkout.environment(folder, PYTHONPYCACHEPREFIX=str(bytecode))
        with started([checkout.python, str(SCRIPT), str(port), str(file)], folder, environment, folder, port) as server:
            figures[f"floor_start_{state}"] = server.first_answer_s
            if state == "warm":
                figures |= _measure_pages(server)
    shutil.rmtree(bytecode)
    return figures


def _measure_pages(server: Server) -> Figures:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    times, before = [], 0.0
    for number in range(WARM + PAGES):
        if number == WARM:
            before = server.cpu_ms
        start = time.perf_counter()
        connection.request("GET", "/boards/1", headers={"Accept-Encoding": "gzip"})
        connection.getresponse().read()
        times.append((time.perf_counter() - start) * 1000)
    cpu = (server.cpu_ms - before) / PAGES
    connection.close()
    return {"floor_page": statistics.median(times[WARM:]), "floor_page_cpu": cpu, "floor_memory": server.pss_mb}


def measure_bare_move(mail: ServerProcess, database: Path, folder: Path) -> Figures:
    """The seven rows that a move writes, kept on disk, and a greeting of the mail server. database: one in which moves were made."""
    copy = folder / "floor.db"
    with sqlite3.connect(database) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    connection = sqlite3.connect(copy, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    rows = [_newest(connection, name) for name in ("change", "event", "run", "message")]
    times = []
    with smtplib.SMTP("127.0.0.1", mail.port) as smtp:
        for number in range(WARM + MOVES):
            if number == WARM:
                cpu = time.process_time()
            start = time.perf_counter()
            _write(connection, rows)
            smtp.ehlo()
            times.append((time.perf_counter() - start) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / MOVES
    connection.close()
    return {"floor_move": statistics.median(times[WARM:]), "floor_move_cpu": cpu}


Statement = tuple[str, dict[str, object]]


def _newest(connection: sqlite3.Connection, name: str) -> Statement:
    """An INSERT of the newest row of this table once more."""
    connection.row_factory = sqlite3.Row
    row = dict(connection.execute(f'SELECT * FROM "{name}" ORDER BY id DESC LIMIT 1').fetchone())
    del row["id"]
    names = ", ".join(f'"{column}"' for column in row)
    marks = ", ".join(f":{column}" for column in row)
    return f'INSERT INTO "{name}" ({names}) VALUES ({marks})', row


def _write(connection: sqlite3.Connection, rows: list[Statement]) -> None:
    """Two heads, the order, the change of the feed, the event, the run, the message."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE status SET order_total = order_total + 1 WHERE id = 2")
    connection.execute("UPDATE status SET order_total = order_total - 1 WHERE id = 6")
    connection.execute('UPDATE "order" SET version = version + 1 WHERE id = (SELECT max(id) FROM "order" WHERE board_id = 1)')
    event_id = None
    for statement, row in rows:
        values = row | ({"event_id": event_id} if "event_id" in row else {}) | ({"key": uuid.uuid4().hex} if "key" in row else {})
        made = connection.execute(statement, values)
        event_id = made.lastrowid if 'INTO "event"' in statement else event_id
    connection.execute("COMMIT")
