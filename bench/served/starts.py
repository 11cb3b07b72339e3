"""From the start to the first answer: with and without compiled modules, with an empty and with a filled instance."""

import dataclasses
import http.client
import shutil
import time
from pathlib import Path

from bench.served.checkout import Checkout
from bench.served.figures import Figures
from bench.served.server import running


def measure_starts(checkout: Checkout, filled: Path, folder: Path) -> Figures:
    """folder: for what comes and goes. Cold: of Potok and its libraries nothing is compiled yet; the standard library is neither."""
    figures: Figures = {}
    for kind in ("fresh", "filled"):
        bare = dataclasses.replace(checkout, bytecode=folder / f"bytecode-{kind}")
        for state in ("cold", "warm"):
            instance = folder / f"start-{kind}-{state}"
            if kind == "filled":
                shutil.copytree(filled, instance)
            figures |= _measure(bare, instance, f"start_{state}_{kind}")
            shutil.rmtree(instance)
        shutil.rmtree(bare.bytecode)
    return figures


def _measure(checkout: Checkout, instance: Path, name: str) -> Figures:
    with running(checkout, instance) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/sign-in")
        answer = connection.getresponse()
        answer.read()
        page_s = time.monotonic() - server.began
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"the sign-in page was answered with {answer.status}")
        return {name: server.first_answer_s, f"{name}_page": page_s}
