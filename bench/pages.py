"""The board's page: server time, bytes, statements, beside its SQL bare and its rows joined."""

import gzip
from typing import Any

from flask import Flask

from bench.client import Client
from bench.clocking import median_ms, recorded, replay


def measure_page(app: Flask, orders: int) -> list[Any]:
    """[orders, page ms, floor ms, times the floor, bytes, gzipped, statements]"""
    client = Client(app)
    client.get("/boards/1")
    with recorded() as seen:
        answer = client.get("/boards/1")
    page = median_ms(lambda: client.get("/boards/1"))
    floor = median_ms(replay([one for one in seen if one[0].lstrip().upper().startswith("SELECT")]))
    body = answer.data
    return [orders, page, floor, page / floor, len(body), len(gzip.compress(body)), len(seen)]
