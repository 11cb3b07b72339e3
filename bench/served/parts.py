"""The parts of a round: what is measured of one checkout while one server runs."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.served.checkout import Checkout, email_of, owner_of
from bench.served.crowd import FIFTY, measure_eight, measure_fifty
from bench.served.figures import Figures
from bench.served.floors import measure_bare_move, measure_bare_server
from bench.served.idle import STREAMS, measure_idle, measure_idle_streams
from bench.served.mail import AT_ONCE, mail_settings, wait_past_window
from bench.served.moves import measure_moves, measure_moves_while_sending, measure_promptness
from bench.served.pages import measure_pages, measure_pages_after_moves
from bench.served.person import Person
from bench.served.server import Server, running
from bench.served.starts import measure_starts
from bench.served.viewers import measure_viewers
from tests.bareserver import ServerProcess

ORDERS, MANY_ORDERS = 1_000, 50_000
OTHER_THREADS = 136  # of a web process, beside those that streams hold: as shipped, 200 with 64 streams


@dataclass(frozen=True)
class Subject:
    """A checkout and its filled instances. Each server gets a copy of one, so that all begin alike. viewers: how many boards are open."""

    checkout: Checkout
    folder: Path
    viewers: int

    @cached_property
    def filled(self) -> Path:
        return self.checkout.fill(self.folder / "filled", ORDERS, 0)

    @cached_property
    def filled_with_many(self) -> Path:
        return self.checkout.fill(self.folder / "filled-50k", MANY_ORDERS, 0)

    @cached_property
    def filled_for_fifty(self) -> Path:
        return self.checkout.fill(self.folder / "filled-fifty", ORDERS, FIFTY)

    @cached_property
    def filled_for_viewers(self) -> Path:
        return self.checkout.fill(self.folder / "filled-viewers", ORDERS, self.viewers)

    @contextmanager
    def serving(self, filled: Path, mail: ServerProcess, **settings: str) -> Iterator[Server]:
        """On a copy of a filled instance, once it has nothing more to do."""
        instance = self.folder / "instance"
        shutil.copytree(filled, instance)
        try:
            with running(self.checkout, instance, **(mail_settings(mail) | settings)) as server:
                server.settle()
                yield server
        finally:
            shutil.rmtree(instance)


def measure_start(subject: Subject, _mail: ServerProcess) -> Figures:
    return measure_starts(subject.checkout, subject.filled, subject.folder)


def measure_one(subject: Subject, mail: ServerProcess) -> Figures:
    """One person: idle, pages, moves, memory, and the floors of page and move beside them."""
    with subject.serving(subject.filled, mail) as server:
        owners = [Person(server.port, *owner_of(server.instance), f"127.0.1.{n + 1}") for n in range(STREAMS)]
        figures = {"memory_start": server.pss_mb} | measure_idle(server) | measure_idle_streams(server, owners)
        person = owners[0]
        figures |= measure_pages(server, person, "page")
        figures |= measure_moves(server, mail, person)
        figures |= measure_pages_after_moves(person, owners[1], figures["page"])
        figures |= {"memory_one": server.pss_mb}
        figures |= measure_bare_move(mail, server.instance / "potok.db", subject.folder)
        page = person.page().raw
    return figures | measure_bare_server(subject.checkout, page, subject.folder)


def measure_sending(subject: Subject, mail: ServerProcess) -> Figures:
    """Without an undo window."""
    with subject.serving(subject.filled, mail, **AT_ONCE) as server:
        person = Person(server.port, *owner_of(server.instance))
        return measure_moves_while_sending(server, mail, person) | measure_promptness(mail, person)


def measure_many_orders(subject: Subject, mail: ServerProcess) -> Figures:
    with subject.serving(subject.filled_with_many, mail) as server:
        return measure_pages(server, Person(server.port, *owner_of(server.instance)), "page_50k")


def measure_many_people(subject: Subject, mail: ServerProcess) -> Figures:
    with subject.serving(subject.filled_for_fifty, mail) as server:
        password = owner_of(server.instance)[1]
        people = [Person(server.port, email_of(n), password, f"127.0.1.{n + 1}") for n in range(FIFTY)]
        for person in people:
            person.page()
        figures = measure_eight(people)
        wait_past_window(mail)
        figures |= measure_fifty(people)
        wait_past_window(mail)
        return figures | {"memory_many": server.pss_mb}


def measure_open_boards(subject: Subject, mail: ServerProcess) -> Figures:
    """As shipped, where some of the viewers find no room for a stream; then with a stream for each."""
    count = subject.viewers + 20
    raised = {"LIVE_STREAMS": str(count), "WEB_THREADS": str(count + OTHER_THREADS)}
    figures: Figures = {}
    for name, settings in (("shipped", {}), ("streamed", raised)):
        with subject.serving(subject.filled_for_viewers, mail, **settings) as server:
            email, password = owner_of(server.instance)
            figures |= measure_viewers(server, Person(server.port, email, password), password, subject.viewers, name)
    return figures


PARTS: dict[str, Callable[[Subject, ServerProcess], Figures]] = {
    "start": measure_start,
    "one": measure_one,
    "sending": measure_sending,
    "many-orders": measure_many_orders,
    "many-people": measure_many_people,
    "viewers": measure_open_boards,
}
