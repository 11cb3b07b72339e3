"""Potok: the application and its processes.

create_app() wires the rooms: config → db → kanban → rules → listeners. `python app.py` migrates the database, fills it
with the demo where it is empty, then starts web and worker and restarts whichever ends. `python app.py --help` lists what else
there is.
"""

import argparse
import logging
import os
import socket
import sys
from functools import partial
from pathlib import Path

from flask import Flask
from flask_compress import Compress
from flask_mail import Mail
from setproctitle import setproctitle

from kanban import clock, events, first_steps, i18n, logs, security, todos, wakeups
from kanban.assets import init_assets
from kanban.beats import WebBeat
from kanban.config import Config, read_config
from kanban.db import db
from kanban.dependents import dependents, names_of
from kanban.feed import Feed
from kanban.htmx import htmx
from kanban.ids import IdConverter
from kanban.orders import gates
from kanban.processes import begin_under_supervision, only_one
from kanban.processes import serve as serve_all
from kanban.proxies import TrustedProxies, read_networks
from kanban.transactions import WRITE_WAIT_S
from kanban.views import register as register_kanban
from kanban.views import setup
from kanban.views.live import make_parts
from kanban.web import serve
from rules.editing.process_import import load_rules
from rules.editing.verbs import names_by_reference, reassign_status
from rules.queries.first_steps import steps
from rules.running.engine import Engine
from rules.trying.foreseen import foresee
from rules.views import post
from rules.views import register as register_rules
from rules.worker import run_worker

ROOT = Path(__file__).parent
log = logging.getLogger("potok")
MOST_UPLOAD = 2 * 1024 * 1024


def instance_folder() -> Path:
    """Where Potok keeps its database, keys and passwords."""
    return Path(os.environ.get("INSTANCE", ROOT / "instance"))


def create_app(config: Config | None = None, instance: Path | None = None) -> Flask:
    """The application. config, instance: read from the environment where they are not given."""
    instance = instance or instance_folder()
    config = config or read_config(os.environ, instance)
    clock.set_zone(config.time_zone)
    wakeups.set_folder(instance)
    app = Flask(__name__, instance_path=str(instance), static_folder=None)
    app.url_map.converters["int"] = IdConverter
    app.config.update(POTOK=config, MAX_CONTENT_LENGTH=MOST_UPLOAD, MAX_FORM_MEMORY_SIZE=MOST_UPLOAD)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    _init_database(app, config)
    logs.init_app(app)
    i18n.init_i18n(app)
    i18n.init_filters(app)
    security.init_security(app, config)
    htmx.init_app(app)
    Mail(app)
    Compress(app)
    init_assets(app)
    register_kanban(app)
    register_rules(app)
    wire(config)
    app.wsgi_app = TrustedProxies(app.wsgi_app, read_networks(config.trusted_proxies))  # type: ignore[method-assign]
    return app


def _init_database(app: Flask, config: Config) -> None:
    url = config.database_url.replace("postgresql://", "postgresql+psycopg://").replace("postgres://", "postgresql+psycopg://")
    options: dict[str, object] = {"pool_size": 20, "max_overflow": config.web_threads}
    if not url.startswith("sqlite"):
        options |= {"pool_pre_ping": True, "connect_args": {"options": f"-c lock_timeout={WRITE_WAIT_S * 1000:.0f}"}}
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=options)
    db.init_app(app)
    with app.app_context():
        app.extensions["potok_feed"] = Feed(db.engine, config.live_streams, partial(make_parts, app))
    app.extensions["potok_beat"] = WebBeat(f"{socket.gethostname()}:{config.port}"[:80])


def wire(config: Config) -> None:
    """kanban speaks outward, and its orders to what belongs to them, only through these."""
    engine = Engine(config)
    events.listeners.on_event = engine.on_event
    events.listeners.on_undo = engine.on_undo
    events.listeners.outcome_of = engine.outcome_of
    events.listeners.topics_of_turn = todos.work_topics
    events.listeners.after_undo = todos.take_back
    events.listeners.on_removal = engine.on_removal
    events.listeners.foresee = partial(foresee, config=config, versions=engine.versions)
    dependents.names = names_of(names_by_reference, gates.names_by_reference)
    dependents.reassign_status = reassign_status
    setup.load_rules = load_rules
    security.post.send = post.send
    first_steps.others.steps = steps(config)


def main(arguments: list[str]) -> int:
    """What docs/operations.md lists; serve is migrate, web and worker. Commands are imported when they are asked for: what they need
    would else lie in the memory of web and worker for ever."""
    asked = _parser().parse_args(arguments)
    os.umask(0o077)  # the database, its log and the keys are nobody else's
    instance = instance_folder()
    instance.mkdir(parents=True, exist_ok=True)
    instance.chmod(0o700)
    config = read_config(os.environ, instance)
    logs.set_up(config)
    begin_under_supervision()
    app = create_app(config)
    match asked.command:
        case "web":
            _web(app, config)
        case "worker":
            _worker(app, config)
        case "migrate":
            _prepare(app, config)
        case "unlock":
            from commands.unlock import unlock  # noqa: PLC0415

            return unlock(app, config, asked.email)
        case "backup":
            from commands.backup import backup  # noqa: PLC0415

            return backup(app, config, asked.target)
        case "restore":
            from commands.backup import bring_back  # noqa: PLC0415

            with only_one(instance / "serve.lock", "Potok"):
                return bring_back(app, config, instance, asked.file)
        case "doctor":
            from commands.doctor import doctor  # noqa: PLC0415

            return doctor(app, config, instance)
        case _:
            with only_one(instance / "serve.lock", "Potok"):
                return serve_all(partial(_prepare, app, config), web=partial(_web, app, config), worker=partial(_worker, app, config))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python app.py", description="Potok, an order board for small manufacturers.")
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("serve", help="migrate, then web and worker, each started again where it ends (the default)")
    commands.add_parser("web", help="the web process alone")
    commands.add_parser("worker", help="the worker alone, which sends e-mails and makes backups")
    commands.add_parser("migrate", help="bring the database up to date")
    commands.add_parser("doctor", help="look whether all is well; a line each, exit code 1 where something is not")
    one = commands.add_parser("backup", help="write a backup, while Potok runs or not")
    one.add_argument("target", nargs="?", type=Path, help="a folder or a new file; else BACKUP_DIR")
    one = commands.add_parser("restore", help="put a backup back into an empty place")
    one.add_argument("file", type=Path)
    one = commands.add_parser("unlock", help="print a link for somebody who is locked out")
    one.add_argument("email")
    return parser


def _web(app: Flask, config: Config) -> None:
    """One process: a loop that reads and writes, and threads that the application works in."""
    setproctitle("potok web")
    app.extensions["potok_beat"].start(app)
    serve(app, config.host, config.port, config.web_threads, on_end=app.extensions["potok_feed"].end)


def _worker(app: Flask, config: Config) -> None:
    """Two of one name would take each other's e-mails for those of a worker that fell."""
    setproctitle("potok worker")
    name = "".join(sign if sign.isalnum() else "-" for sign in config.worker_name)
    with only_one(instance_folder() / f"worker-{name}.lock", f"The worker {config.worker_name}"):
        run_worker(app)


def _prepare(app: Flask, config: Config) -> None:
    from commands.migrate import prepare  # noqa: PLC0415

    prepare(app, config, instance_folder())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
