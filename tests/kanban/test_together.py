"""On PostgreSQL several people change orders at once: what must agree agrees, and changes get their numbers in order of commit."""

import contextvars
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from kanban import orders, todos
from kanban.db import db, table
from kanban.errors import Busy, Conflict, Invalid
from kanban.models import Event, LiveChange, Order, Status, Todo
from kanban.transactions import Turn, transaction
from rules.models import Message, Rule, Run
from tests.cast import Cast, order_fields
from tests.rules.test_changes import add

PEOPLE, SECONDS, ORDERS = 6, 5, 12
TO = ("design", "ready", "prepaid", "paid")


def together(app: Flask, works: list[Callable[[], None]]) -> None:
    """Each in a thread of its own, all to their end; what one raises is raised."""
    failed: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            with app.app_context():
                work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=contextvars.Context().run, args=(run, work)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


@pytest.mark.postgresql
def test_many_at_once(app: Flask, cast: Cast) -> None:
    ids = [cast.place().id for _ in range(ORDERS)]
    end, did, seen = time.monotonic() + SECONDS, Counter[str](), list[int]()

    def step(draw: random.Random) -> str:
        order_id = draw.choice(ids)
        with transaction(Turn.SHARED) as session:
            version, here = session.execute(select(Order.version, Order.status_id).where(Order.id == order_id)).one()
            what = draw.choice(("move", "move", "move", "place", "sort", "undo", "change", "made"))
            last = session.scalar(
                select(Event.id).where(Event.order_id == order_id, Event.kind == "order.moved").order_by(Event.id.desc()).limit(1)
            )
            match what:
                case "move":
                    before = draw.choice(("", "end", str(draw.choice(ids))))
                    orders.move(session, cast.owner, order_id, status_id=cast.statuses[draw.choice(TO)], before=before, version=version)
                case "sort":
                    orders.move(session, cast.owner, order_id, status_id=here, before=str(draw.choice(ids)), version=version)
                case "place":
                    orders.place(session, cast.owner, cast.boards["orders"], order_fields(customer_name="Ким", total=100))
                case "undo" if last:
                    orders.undo(session, cast.owner, order_id, last)
                case "made":
                    orders.make_production(session, cast.owner, order_id)
                case "change":
                    fields = order_fields(customer_name="Ким", total=draw.randrange(10_000))
                    orders.change(session, cast.owner, order_id, fields, version=version)
        return what

    def work(seed: int) -> Callable[[], None]:
        def done() -> None:
            draw = random.Random(seed)
            while time.monotonic() < end:
                try:
                    did[step(draw)] += 1
                except (Conflict, Invalid) as refused:
                    did[type(refused).__name__] += 1

        return done

    def follow() -> None:
        """As the live feed does: what it has passed never gets a neighbour later."""
        last = 0
        while time.monotonic() < end + 1:
            with db.engine.connect() as connection:
                found = connection.execute(select(LiveChange.id).where(LiveChange.id > last).order_by(LiveChange.id)).scalars().all()
            seen.extend(found)
            last = found[-1] if found else last

    together(app, [follow, *(work(seed) for seed in range(PEOPLE))])
    print(dict(did))
    assert did["move"] > 20 and did["undo"] and did["place"] and did["change"] and did["sort"]
    assert seen == list(db.session.scalars(select(LiveChange.id).order_by(LiveChange.id)))
    _agrees()


def _agrees() -> None:
    rows = db.session.execute(select(Order.status_id, func.count(), func.sum(Order.total)).group_by(Order.status_id))
    counted = {row[0]: (row[1], int(row[2])) for row in rows}
    for status in db.session.scalars(select(Status)):
        assert counted.get(status.id, (0, 0)) == (status.order_count, status.order_total), status.name
    for order in db.session.scalars(select(Order)):
        moves = select(Event.after).where(Event.order_id == order.id, Event.kind.in_(("order.moved", "order.placed"))).order_by(Event.id)
        assert list(db.session.scalars(moves))[-1]["status"]["id"] == order.status_id
    numbers = list(db.session.scalars(select(Order.number)))
    assert len(numbers) == len(set(numbers))
    assert db.session.scalar(select(func.count()).select_from(Message)) and not list(
        db.session.scalars(select(Run.id).where(Run.outcome == "failed"))
    )


@pytest.mark.postgresql
def test_cards_that_came_to_one_place_at_once_still_let_another_between(app: Flask, cast: Cast) -> None:
    first, *others = [cast.place().id for _ in range(4)]
    cast.move(first, "ready")
    barrier = threading.Barrier(2)

    def work(order_id: int) -> Callable[[], None]:
        def done() -> None:
            with transaction(Turn.SHARED) as session:
                orders.move(session, cast.owner, order_id, status_id=cast.statuses["ready"], before=str(first), version=1)
                barrier.wait(10)  # each has found its place before the other is there

        return done

    together(app, [work(order_id) for order_id in others[:2]])
    here = select(Order.id, Order.rank).where(Order.status_id == cast.statuses["ready"]).order_by(Order.rank, Order.id)
    one, two, three = db.session.execute(here).all()
    assert one.rank == two.rank and three.id == first
    cast.move(others[2], "ready", before=str(two.id))
    assert [row.id for row in db.session.execute(here)] == [one.id, others[2], two.id, first]


@pytest.mark.postgresql
def test_settings_and_orders_wait_for_each_other(app: Flask, cast: Cast) -> None:
    order = cast.place()
    began, log = threading.Event(), list[str]()

    def moves() -> None:
        with transaction(Turn.SHARED) as session:
            began.set()
            time.sleep(0.3)
            orders.move(session, cast.owner, order.id, status_id=cast.statuses["ready"], before="", version=1)
            log.append("moved")

    def sets() -> None:
        began.wait(5)
        with transaction():
            log.append("set")

    together(app, [moves, sets])
    assert log == ["moved", "set"]


@pytest.mark.postgresql
def test_the_same_quick_add_sent_twice_at_once_is_one_order(app: Flask, cast: Cast) -> None:
    placed = list[int]()

    def place() -> None:
        with transaction(Turn.SHARED) as session:
            fields = order_fields(customer_name="Ким")
            placed.append(orders.place(session, cast.owner, cast.boards["orders"], fields, key="once").order.id)
            time.sleep(0.2)

    together(app, [place, place])
    assert placed[0] == placed[1]


def with_a_chain(cast: Cast, status: str) -> None:
    """Rules of the preset aside; entering `status` sets the linked order to «assembly»."""
    with transaction() as session:
        for rule in session.scalars(select(Rule)):
            rule.active = False
    add(cast, "entered", {"do": "set_status", "status": cast.statuses["assembly"]}, status=status)


@pytest.mark.postgresql
@pytest.mark.parametrize("which", ["moved", "changed"])
def test_a_rule_reaches_the_linked_order_while_somebody_is_at_it(app: Flask, cast: Cast, which: str) -> None:
    """It waits for its turn, and neither is a deadlock's victim."""
    with_a_chain(cast, "ready")
    main = cast.place()
    made = cast.produce(main)
    at_it = threading.Event()

    def is_at_it() -> None:
        with transaction(Turn.SHARED) as session:
            found = orders.find_order(session, made.id)
            at_it.set()
            time.sleep(0.3)
            if which == "moved":
                orders.move(session, cast.owner, made.id, status_id=cast.statuses["made"], before="", version=found.version)
            else:
                fields = orders.fields_of(found).with_values(title="Жираф")
                orders.change(session, cast.owner, made.id, fields, version=found.version)

    def moves() -> None:
        at_it.wait(5)
        with transaction(Turn.SHARED) as session:
            orders.move(session, cast.owner, main.id, status_id=cast.statuses["ready"], before="", version=main.version)

    together(app, [is_at_it, moves])
    now = db.session.get_one(Order, made.id, populate_existing=True)
    assert now.status_id == cast.statuses["assembly"] and (which == "moved" or now.title == "Жираф")
    assert not list(db.session.scalars(select(Run.id).where(Run.outcome.in_(("failed", "stopped")))))


def undoing(cast: Cast, moved: orders.Moved, at_it: threading.Event) -> Callable[[], None]:
    """Takes the move back, once somebody else is at it."""
    order_id, event = moved.order.id, moved.event

    def done() -> None:
        at_it.wait(5)
        assert event
        with transaction(Turn.SHARED) as session:
            orders.undo(session, cast.owner, order_id, event.id)

    return done


@pytest.mark.postgresql
def test_an_undo_leaves_what_somebody_moves_meanwhile(app: Flask, cast: Cast) -> None:
    with_a_chain(cast, "ready")
    main = cast.place()
    made = cast.produce(main)
    moved = cast.move(main, "ready")
    version = db.session.scalar(select(Order.version).where(Order.id == made.id)) or 0
    db.session.rollback()
    at_it = threading.Event()

    def moves() -> None:
        with transaction(Turn.SHARED) as session:
            orders.move(session, cast.owner, made.id, status_id=cast.statuses["made"], before="", version=version)
            at_it.set()
            time.sleep(0.3)

    together(app, [moves, undoing(cast, moved, at_it)])
    assert db.session.scalar(select(Order.status_id).where(Order.id == made.id)) == cast.statuses["made"]


@pytest.mark.postgresql
def test_what_is_done_meanwhile_an_undo_does_not_take_away(app: Flask, cast: Cast) -> None:
    order = cast.place()
    moved = cast.move(order, "ready")
    assert moved.event
    with transaction() as session:
        session.add(Todo(order_id=order.id, kind="task", text="x", person_id=cast.people["manager"], cause_event_id=moved.event.id))
        session.flush()
        todo_id = session.scalar(select(func.max(Todo.id))) or 0
    at_it = threading.Event()

    def ticks() -> None:
        with transaction(Turn.SHARED) as session:
            todos.done(session, cast.manager, todo_id)
            session.flush()
            at_it.set()
            time.sleep(0.3)

    together(app, [ticks, undoing(cast, moved, at_it)])
    assert db.session.scalar(select(Todo.done_at).where(Todo.id == todo_id)) is not None


@pytest.mark.postgresql
def test_a_rule_that_others_stand_in_the_way_of_is_no_failed_rule(app: Flask, cast: Cast) -> None:
    """The move is Busy as a whole: asked again, the rule runs too. Before, the move was kept and its rule was lost."""
    with_a_chain(cast, "ready")
    main = cast.place()
    made = cast.produce(main)
    lock = select(table(Order).c.id).where(table(Order).c.id == made.id).with_for_update()
    with db.engine.connect() as other:
        other.execute(lock)

        def move() -> None:
            with transaction(Turn.SHARED) as session:
                session.execute(text("SET LOCAL lock_timeout = 200"))
                orders.move(session, cast.owner, main.id, status_id=cast.statuses["ready"], before="", version=main.version)

        with pytest.raises(Busy):
            move()
    assert db.session.scalar(select(Order.status_id).where(Order.id == main.id)) == cast.statuses["design"]
    db.session.rollback()
    cast.move(main, "ready")
    assert db.session.scalar(select(Order.status_id).where(Order.id == made.id)) == cast.statuses["assembly"]
