"""The board's page, as it was kept and made anew: server time, bytes, statements, beside its SQL bare and its rows joined."""

import gzip
from typing import Any

from flask import Flask

from bench.client import Client
from bench.clocking import median_ms, recorded, replay


def measure_page(app: Flask, orders: int) -> list[Any]:
    """[orders, kept page ms, page made anew ms, floor ms, anew times the floor, bytes, gzipped, statements anew]"""
    client, pages = Client(app), app.extensions["potok_pages"]

    def anew() -> Any:
        pages.clear()
        return client.get("/boards/1")

    anew()
    with recorded() as seen:
        body = anew().data
    made = median_ms(anew)
    kept = median_ms(lambda: client.get("/boards/1"))
    floor = median_ms(replay([one for one in seen if one[0].lstrip().upper().startswith("SELECT")]))
    return [orders, kept, made, floor, made / floor, len(body), len(gzip.compress(body)), len(seen)]
