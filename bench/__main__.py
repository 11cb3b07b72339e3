"""`make bench`: prints the tables that the README quotes, each figure beside its floor of the same run."""

import argparse
import logging
import os
import platform
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.crowd import measure_crowd
from bench.drain import measure_drain
from bench.judging import measure_rules, measure_tick
from bench.memory import measure_backlog, measure_memory
from bench.moves import measure_move
from bench.pages import measure_page
from bench.past import measure_backtest
from bench.promptness import measure_promptness
from bench.served.parts import PARTS
from bench.served.run import Options, measure_served
from bench.workshop import add_rules, fill, workshop

SIZES = (200, 1_000, 5_000, 50_000)
RULES = (1, 100, 10_000)
TABLES = ["pages", "moves", "rules", "backtest", "crowd", "drain", "promptness", "memory", "served"]


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    asked = _parser().parse_args()
    only = asked.only or TABLES
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, SQLite with synchronous=FULL\n")
    if "pages" in only or "moves" in only:
        _board(only)
    if "rules" in only:
        _rules()
    if "backtest" in only:
        with workshop():
            rows = measure_backtest(100_000)
        table("A rule tested on the last 30 days", ("start condition", "events", "looked at", "would have fired", "seconds"), rows)
    if "crowd" in only:
        table("8 people moving at once, whole server", ("seconds", "moves", "moves/s", "errors"), [measure_crowd()])
    if "drain" in only:
        table(
            "Outbox into a local SMTP server",
            ("messages", "messages/s", "floor: smtplib messages/s", "share of the floor"),
            [measure_drain()],
        )
    if "promptness" in only:
        table(
            "From a move to its message at the mail server, beyond the undo window",
            ("moves", "messages", "median, s", "p95, s", "most, s"),
            [measure_promptness()],
        )
    if "memory" in only:
        table("Memory after 200 pages and 200 moves", ("web, MB", "worker, MB", "with the supervisor, MB"), [measure_memory()])
        table(
            "Worker with messages waiting",
            ("messages waiting", "before, nothing waiting, MB", "most while sending, MB", "difference, MB", "messages/s meanwhile"),
            [measure_backlog()],
        )
    if "served" in only or "postgres" in only:
        _served(asked, only, machine)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("only", nargs="*", choices=[*TABLES, "postgres", []], help="some of the tables; postgres: if it is named")
    served = parser.add_argument_group("served", "the server as shipped, over HTTP")
    served.add_argument("--tree", type=Path, help="a checkout to measure beside this one, in turns")
    served.add_argument("--tree-python", help="what runs it; else its .venv/bin/python, else what runs this")
    served.add_argument("--rounds", type=int, default=1, help="the figures are their medians")
    served.add_argument("--part", action="append", choices=list(PARTS), help="some of its parts")
    served.add_argument("--viewers", type=int, default=500, help="how many boards are open")
    served.add_argument("--save", type=Path, help="writes the figures into this file")
    served.add_argument("--compare", type=Path, help="prints the figures of such a file beside")
    return parser


def _served(asked: argparse.Namespace, only: list[str], machine: str) -> None:
    parts = [*((asked.part or PARTS) if "served" in only else []), *(["postgres"] if "postgres" in only else [])]
    options = Options(parts, machine, asked.tree, asked.tree_python, asked.rounds, asked.viewers, asked.save, asked.compare)
    table("Over HTTP", *measure_served(options))


def _board(only: list[str]) -> None:
    pages, moves = [], []
    with workshop() as app:
        for size in SIZES:
            fill(size)
            if "pages" in only:
                pages.append(measure_page(app, size))
            if "moves" in only:
                moves.append(measure_move(app, size, 11))
        for rules in RULES[1:]:
            add_rules(rules)
            if "moves" in only:
                moves.append(measure_move(app, SIZES[-1], rules))
    if pages:
        table(
            "Board page",
            ("open orders", "kept page, ms", "made anew, ms", "floor: bare SQL, ms", "anew × floor", "bytes", "gzipped", "SQL statements"),
            pages,
        )
    if moves:
        table(
            "One move",
            ("open orders", "rules", "verb, ms", "floor: bare transaction, ms", "× floor", "whole request, ms", "answer, bytes"),
            moves,
        )


def _rules() -> None:
    with workshop():
        fill(200)
        judged = [measure_rules(1_000)]
    heads = ("rules of one start, 3 criteria each", "move, ms", "floor: the move without them, ms", "the rules, ms")
    table("One event against many rules, all judged and matched, runs stored", heads, judged)
    with workshop():
        fill(SIZES[-1])
        ticked = [[SIZES[-1], *measure_tick(20)]]
    table("Rules of time at one tick", ("open orders", "rules of time", "orders due", "seconds", "SQL statements"), ticked)


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A Markdown table, as the README holds it."""
    print(f"**{title}**\n")
    print("| " + " | ".join(heads) + " |")
    print("|" + "---:|" * len(heads))
    for row in rows:
        print("| " + " | ".join(_cell(value) for value in row) + " |")
    print(flush=True)


def _cell(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


main()
