"""One run: each round measures each checkout in turn, so that a noisy minute meets them all; the figures are medians of the rounds."""

import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.served.checkout import Checkout
from bench.served.figures import Column, Figures, load, medians, save, table_of
from bench.served.parts import PARTS, Subject
from bench.served.postgres import measure_postgres
from tests.bareserver import ServerProcess

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Options:
    """parts: of PARTS, and "postgres". tree: a checkout beside this one; tree_python: what runs it, else its own .venv, else what
    runs this. save, compare: files of figures."""

    parts: Sequence[str]
    machine: str
    tree: Path | None = None
    tree_python: str | None = None
    rounds: int = 1
    viewers: int = 500
    save: Path | None = None
    compare: Path | None = None


def measure_served(options: Options) -> tuple[list[str], list[list[object]]]:
    """(heads, rows) of the table."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="potok-bench-") as folder:
        subjects = [_subject(ROOT, "here", sys.executable, Path(folder), options.viewers)]
        if options.tree:
            tree = options.tree.resolve()
            subjects.append(_subject(tree, tree.name, options.tree_python or _python_of(tree), Path(folder), options.viewers))
        rounds: list[list[Figures]] = [[] for _ in subjects]
        for number in range(options.rounds):
            for subject, found in zip(subjects, rounds, strict=True):
                found.append(_measure(subject, options.parts, number))
    columns = [Column(subject.checkout.label, medians(found)) for subject, found in zip(subjects, rounds, strict=True)]
    floors = medians([figures for found in rounds for figures in found])
    floors = {name: value for name, value in floors.items() if name.startswith("floor_")}
    if options.save:
        save(options.save, options.machine, columns, floors)
    return table_of([*columns, *(load(options.compare) if options.compare else [])], floors)


def _subject(path: Path, label: str, python: str, folder: Path, viewers: int) -> Subject:
    own = folder / label
    own.mkdir()
    return Subject(Checkout(path, label, python, own / "bytecode"), own, viewers)


def _python_of(tree: Path) -> str:
    own = tree / ".venv" / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def _measure(subject: Subject, parts: Sequence[str], number: int) -> Figures:
    figures: Figures = {}
    for part in parts:
        began = time.monotonic()
        with ServerProcess() as mail:
            if part == "postgres":
                figures |= measure_postgres(subject.checkout, subject.folder / f"postgres-{number}")
            else:
                figures |= PARTS[part](subject, mail)
        print(f"  {subject.checkout.label}, round {number + 1}: {part}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return figures
