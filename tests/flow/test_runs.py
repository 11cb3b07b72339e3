"""Settings → Workflow rules → Runs: filters, pages, the table, who may see it, and how old runs go."""

import csv
import io
import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, update

from kanban import clock
from kanban.db import db
from kanban.i18n import force_locale
from kanban.models import Event, Order
from kanban.transactions import transaction
from rules.definition.outcomes import read_notes
from rules.logs import run_log
from rules.logs.run_log import OUTCOMES, RunFilter, prune_runs, read_run_filter, run_page
from rules.models import Rule, Run
from rules.words.reasons import explained_line
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.flow.test_orders import statements
from tests.rules.test_changes import add, message


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    with transaction() as session:
        for rule in session.scalars(select(Rule)):
            session.delete(rule)
    return Signed(app.test_client(), cast.email("owner"))


def listed(owner: Signed, query: str) -> list[tuple[str, str]]:
    """(order number, rule) of the runs that a filter leaves."""
    answer = owner.get(f"/settings/rules/runs?{query}")
    assert answer.status_code == 200
    rows = re.findall(r'cell-order"><a [^>]+>(.*?)</a>.*?cell-what"><a [^>]+>(.*?)</a>', answer.text)
    return [(number, rule) for number, rule in rows]


def three(cast: Cast) -> tuple[Order, Order, int, int]:
    """Two orders; the first made both rules run, the second one of them, which failed."""
    first = add(cast, "entered", message(cast), status="prepaid", name="Первое")
    second = add(cast, "entered", {"do": "make_production"}, status="paid", name="=Второе")
    one, other = cast.place(), cast.place()
    cast.move(one, "prepaid")
    cast.move(one, "paid")
    cast.produce(other)
    cast.move(other, "paid")
    return one, other, first, second


def test_filters_by_rule_outcome_order_and_period(owner: Signed, cast: Cast) -> None:
    one, other, first, second = three(cast)
    assert listed(owner, "") == [(other.number, "=Второе"), (one.number, "=Второе"), (one.number, "Первое")]
    assert listed(owner, f"rule={first}") == [(one.number, "Первое")]
    assert listed(owner, "outcome=failed") == [(other.number, "=Второе")]
    assert listed(owner, f"order={one.id}&outcome=done&rule={second}") == [(one.number, "=Второе")]
    assert listed(owner, f"number={other.number.lower()}") == [(other.number, "=Второе")]
    assert listed(owner, "number=%25") == listed(owner, "order=99999") == []
    with transaction() as session:
        session.execute(update(Run).where(Run.rule_id == first).values(at=clock.now() - timedelta(days=10)))
    assert len(listed(owner, "days=7")) == 2 and len(listed(owner, "days=30")) == 3
    assert listed(owner, f"to={clock.today() - timedelta(days=9)}") == [(one.number, "Первое")]
    assert len(listed(owner, f"from={clock.today()}&to={clock.today()}")) == 2


@pytest.mark.one_database
@pytest.mark.parametrize(
    "query", ["rule=x", "rule=99999999999999", "order=-1", "outcome=nonsense", "days=8", "from=0001-01-01", "to=x", "number=%00", "page=-3"]
)
def test_what_can_not_be_understood_is_left_out(owner: Signed, cast: Cast, query: str) -> None:
    three(cast)
    assert len(listed(owner, query)) == 3


def test_a_filter_stands_in_the_address(cast: Cast) -> None:
    chosen = RunFilter("К-1", 3, 4, "failed", None, date(2026, 1, 2), date(2026, 2, 3))
    assert read_run_filter({name: str(value) for name, value in chosen.query().items()}) == chosen


def test_the_failed_run_says_why_and_is_reached_from_the_rule_the_list_and_the_order(owner: Signed, cast: Cast) -> None:
    _one, other, first, second = three(cast)
    page = owner.get("/settings/rules/runs?outcome=failed").text
    assert "data-bad" in page and f"/orders/{other.id}/events/" in page
    assert owner.get(re.search(rf"/orders/{other.id}/events/\d+/why", page)[0]).status_code == 200  # type: ignore[index]
    rules_page = owner.get("/settings/rules").text
    assert f"/settings/rules/runs?rule={second}&amp;outcome=failed&amp;days=30" in rules_page
    assert f"/settings/rules/runs?rule={first}&amp;outcome" not in rules_page
    assert f"/settings/rules/runs?rule={second}" in owner.get(f"/settings/rules/{second}").text
    assert f"/settings/rules/runs?order={other.id}" in owner.get(f"/orders/{other.id}").text


def test_only_administrators(app: Flask, owner: Signed, cast: Cast) -> None:
    one, *_ = three(cast)
    for who in ("manager", "viewer"):
        signed = Signed(app.test_client(), cast.email(who))
        assert signed.get("/settings/rules/runs").status_code == signed.get("/settings/rules/runs.csv").status_code == 403
        assert "/settings/rules/runs" not in signed.get(f"/orders/{one.id}").text
    assert app.test_client().get("/settings/rules/runs").status_code == 302


def test_the_table(owner: Signed, cast: Cast) -> None:
    one, other, *_ = three(cast)
    answer = owner.get("/settings/rules/runs.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=runs-")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
    assert [(row[2], row[4]) for row in rows[1:]] == [("'=Второе", other.number), ("'=Второе", one.number), ("Первое", one.number)]
    assert rows[3][3] == "1" and rows[3][5] == "Разработка проекта → Предоплата" and rows[3][6] == "1"
    assert len(list(csv.reader(io.StringIO(owner.get("/settings/rules/runs.csv?outcome=failed").text)))) == 2


def many(cast: Cast, count: int, days: int, each: int = 1) -> None:
    """So many runs, each an hour later than the one before, the last one so many days ago. each: how many share an event."""
    rules = [add(cast, "placed", message(cast), name=f"{number}") for number in range(each)]
    order = cast.place()
    end = clock.now() - timedelta(days=days)
    with transaction() as session:
        session.execute(delete(Run))
        first = (session.scalar(select(func.max(Event.id))) or 0) + 1
        events: list[dict[str, Any]] = [
            {
                "id": first + number,
                "kind": "order.commented",
                "board_id": order.board_id,
                "order_id": order.id,
                "facts": {},
                "before": {},
                "after": {},
                "at": end - timedelta(hours=count - number),
            }
            for number in range(count)
        ]
        session.execute(insert(Event), events)
        rows: list[dict[str, Any]] = [
            {"event_id": event["id"], "rule_id": rule, "version_id": 1, "outcome": "done", "notes": [], "at": event["at"]}
            for event in events
            for rule in rules
        ]
        session.execute(insert(Run), rows)


def test_pages_follow_one_another_and_cost_the_same(owner: Signed, cast: Cast) -> None:
    many(cast, 60, 1, 2)
    few = statements(lambda: owner.get("/settings/rules/runs"))
    assert few <= 12
    seen: list[int] = []
    for page in (1, 2, 3):
        rows, has_more = run_page(db.session(), RunFilter(), page)
        seen += [row.id for row in rows]
        assert has_more == (page < 3) and (f"page={page + 1}" in owner.get(f"/settings/rules/runs?page={page}").text) == has_more
    assert len(seen) == 120 and seen == sorted(seen, reverse=True)
    assert statements(lambda: owner.get("/settings/rules/runs?page=2")) == few
    assert len(list(csv.reader(io.StringIO(owner.get("/settings/rules/runs.csv").text)))) == 121


def test_old_runs_go_a_few_at_a_time(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_log, "PRUNED_AT_ONCE", 10)
    many(cast, 25, 400)
    with transaction() as session:
        newest = session.scalar(select(func.max(Run.id)))
        session.execute(update(Run).where(Run.id == newest).values(at=clock.now()))
    with transaction() as session:
        assert prune_runs(session, clock.now() - timedelta(days=400))
        assert session.scalar(select(func.count()).select_from(Run)) == 15
    worker = Worker(app)
    for left in (5, 1, 1):
        worker.look()
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(Run)) == left


def test_every_outcome_and_note_has_words(app: Flask) -> None:
    with app.app_context(), force_locale("en"):
        assert set(OUTCOMES) == {"done", "nobody", "failed", "stopped", "logged"}
        notes: list[dict[str, Any]] = [{"why": "loop", "name": "set_status"}, {"why": "no_responsible"}, {"why": "did_it", "name": "Ольга"}]
        assert explained_line(read_notes(notes)) == (
            "move the order: stopped: the rule reached this order a second time; the order has no responsible person; "
            "Ольга: made the change, so already knows"
        )
