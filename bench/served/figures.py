"""The figures by name, the rows of the table they stand in, and files of former runs."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Figures = dict[str, float]


@dataclass(frozen=True)
class Row:
    """floor: the name of the figure beside it. aim: in words."""

    name: str
    title: str
    floor: str = ""
    aim: str = ""


ROWS = (
    Row("page", "page with 1,000 open orders, ms p50", "floor_page", "≤ 3.5"),
    Row("page_cpu", "the same, CPU ms of all processes", "floor_page_cpu"),
    Row("page_50k", "page with 50,000 open orders, ms p50", "floor_page", "≤ 3.5"),
    Row("page_50k_cpu", "the same, CPU ms of all processes", "floor_page_cpu"),
    Row("page_after_move", "first page after a move, ms p50", "floor_page", "≤ 9"),
    Row("page_in_five", "page while every fifth follows a move, ms p50", "floor_page"),
    Row("page_in_five_quick", "share of these within 1.5 × an undisturbed page, %"),
    Row("move", "move with one rule and its e-mail, ms p50", "floor_move", "≤ 4"),
    Row("move_cpu", "the same, CPU ms of all processes until its e-mail has left", "floor_move_cpu", "≤ 8"),
    Row("move_emails", "e-mails for each of these moves", "", "1"),
    Row("move_sending", "move without an undo window, so that the worker sends meanwhile, ms p50", "floor_move"),
    Row("move_sending_cpu", "the same, CPU ms of all processes until its e-mail has left", "floor_move_cpu"),
    Row("email_from_answer", "from the answer of the move to its e-mail at the mail server, ms p50", "", "≤ 30"),
    Row("email_from_request", "from its request to its e-mail, ms p50"),
    Row("eight_rate", "8 people moving at once, moves/s", "", "≥ 200"),
    Row("eight_errors", "errors among them", "", "0"),
    Row("fifty_p95", "50 people, each a move every second, ms p95 of a move", "", "≤ 250"),
    Row("fifty_rate", "moves/s they reached", "", "50"),
    Row("fifty_errors", "errors among them", "", "0"),
    Row("memory_start", "memory of all processes after the start, MB PSS", "floor_memory"),
    Row("memory_one", "the same after pages and moves of one person", "floor_memory"),
    Row("memory_many", "the same after 8 and 50 people", "floor_memory", "≤ 110"),
    Row("idle", "idle CPU with nobody there, % of a core", "", "≤ 0.3"),
    Row("idle_streams", "idle CPU with 5 open streams, % of a core"),
    Row("start_cold_fresh", "start to the first answer of /healthz, no bytecode, empty instance, s", "floor_start_cold", "≤ 4"),
    Row("start_cold_fresh_page", "the same, to the first sign-in page", "floor_start_cold"),
    Row("start_cold_filled", "start, no bytecode, filled instance, s", "floor_start_cold", "≤ 4"),
    Row("start_cold_filled_page", "the same, to the first sign-in page", "floor_start_cold"),
    Row("start_warm_fresh", "start, with bytecode, empty instance, s", "floor_start_warm", "≤ 1.5"),
    Row("start_warm_fresh_page", "the same, to the first sign-in page", "floor_start_warm"),
    Row("start_warm_filled", "start, with bytecode, filled instance, s", "floor_start_warm", "≤ 1.5"),
    Row("start_warm_filled_page", "the same, to the first sign-in page", "floor_start_warm"),
    Row("shipped_streams", "viewers as shipped: how many have a stream, the others poll"),
    Row("shipped_cpu", "CPU ms of one move until the last viewer has it", "", "≤ 60"),
    Row("shipped_last", "ms until the last viewer has it"),
    Row("shipped_missed", "viewers that did not get it within 30 s", "", "0"),
    Row("streamed_streams", "viewers with LIVE_STREAMS raised: how many have a stream"),
    Row("streamed_cpu", "CPU ms of one move until the last viewer has it", "", "≤ 60"),
    Row("streamed_last", "ms until the last viewer has it"),
    Row("streamed_missed", "viewers that did not get it within 30 s", "", "0"),
    *(
        row
        for count in (1, 2, 4)
        for row in (
            Row(f"pg_rate_{count}", f"PostgreSQL, 8 people, {count} web and 2 workers, moves/s", "", "≥ 100"),
            Row(f"pg_errors_{count}", "errors among them", "", "0"),
            Row(f"pg_p95_{count}", "ms p95 of a move"),
            Row(f"pg_waiting_{count}", "backends that wait for the advisory lock, mean"),
            Row(f"pg_cpu_{count}", "CPU of Potok's processes, % of a core"),
        )
    ),
)


def medians(rounds: Sequence[Figures]) -> Figures:
    names = dict.fromkeys(name for figures in rounds for name in figures)
    return {name: statistics.median(figures[name] for figures in rounds if name in figures) for name in names}


@dataclass(frozen=True)
class Column:
    """The figures of one checkout in one run."""

    label: str
    figures: Figures


def table_of(columns: Sequence[Column], floors: Figures) -> tuple[list[str], list[list[object]]]:
    """(heads, rows) of what was measured in any of the columns."""
    rows: list[list[object]] = []
    for row in ROWS:
        if any(row.name in column.figures for column in columns):
            values = [column.figures.get(row.name, "–") for column in columns]
            rows.append([row.title, *values, floors.get(row.floor, "–"), row.aim or "–"])
    return ["what", *(column.label for column in columns), "floor", "aim"], rows


def save(path: Path, machine: str, columns: Sequence[Column], floors: Figures) -> None:
    said = {"machine": machine, "columns": {column.label: column.figures for column in columns}, "floors": floors}
    path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: Path) -> list[Column]:
    """The columns that were saved, and the floors of that run as one more."""
    said = json.loads(path.read_text(encoding="utf-8"))
    columns = [Column(f"{path.stem}: {label}", figures) for label, figures in said["columns"].items()]
    floors = {row.name: said["floors"][row.floor] for row in ROWS if row.floor in said["floors"]}
    return [*columns, Column(f"{path.stem}: floor", floors)]
