"""`python bare_server.py PORT FILE`: a Flask page that is ready, compressed, by the server library that serves Potok. The floor.

Which library that is depends on the checkout, whose interpreter runs this: gunicorn where it is installed, else uvicorn.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from flask import Flask, Response


def main(port: int, file: Path) -> None:
    app, body = Flask("bare"), file.read_bytes()

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    @app.get("/boards/1")
    def page() -> Response:
        return Response(body, mimetype="text/html", headers={"Content-Encoding": "gzip"})

    if importlib.util.find_spec("gunicorn"):
        _by_gunicorn(app, port)
    else:
        _by_uvicorn(app, port)


def _by_gunicorn(app: Flask, port: int) -> None:
    base: Any = importlib.import_module("gunicorn.app.base").BaseApplication
    options = {"bind": f"127.0.0.1:{port}", "worker_class": "gthread", "threads": 200, "keepalive": 30, "control_socket_disable": True}

    class Server(base):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            return app

    Server().run()


def _by_uvicorn(app: Flask, port: int) -> None:
    uvicorn = importlib.import_module("uvicorn")
    uvicorn.run(app, host="127.0.0.1", port=port, interface="wsgi", lifespan="off", access_log=False, timeout_keep_alive=30)


main(int(sys.argv[1]), Path(sys.argv[2]))
