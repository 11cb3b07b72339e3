"""A workshop in which several people do whatever comes to their minds, over HTTP, while rules of every start and action are on.

After each step: no answer is a fault of the server's, the answer says what the database says, and the design's promises hold.
"""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select, text

from app import wire
from kanban import clock
from kanban.db import db
from kanban.models import Event, Order, Person, Status, Todo
from kanban.transactions import transaction
from rules.definition.triggers import OF_STATUS
from rules.editing.verbs import add_rule
from rules.models import Message, Rule, RuleVersion, Run
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.conftest import forget_pages
from tests.pages import pages
from tests.rule_json import recipient, rule_fields, send

START = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)  # a Monday, nine o'clock in Moscow
WHO = ("owner", "manager", "designer", "technologist", "viewer")
MALFORMED: list[Any] = [None, [{"do": "send_email"}], [{"do": "tag", "tag": "x", "after": {"unit": "hours"}}], [{"do": "fly"}], "x"]
SUMS = ("", "0", "320 000", "1 000,50", "-5", "много", "9" * 14)
TEXTS = ("", "Кухня", "@Ольга Белова, позвоните", "<b>=cmd|'/c calc'!A1</b>", "\x00", "я" * 300, "=?utf-8?q?x?=")
DAYS = ("", "2026-12-01", "2026-11-30", "2099-12-31", "вчера")
OVER = ("sent", "tray", "cancelled", "failed")  # a message that is over stays so


def starts(cast: Cast) -> list[tuple[str, str | None, dict[str, Any]]]:
    """One of each: trigger, status, options."""
    return [
        ("placed", None, {}),
        ("entered", "ready", {}),
        ("left", "design", {}),
        ("changed", None, {}),
        ("field", None, {"field": "ship_on"}),
        ("paid", None, {"percent": 50}),
        ("commented", None, {}),
        ("linked", "made", {}),
        ("all_linked", None, {"phase": "done"}),
        ("date", None, {"field": "ship_on", "offset": -1, "unit": "days", "at": "09:00"}),
        ("stay", None, {"offset": 2, "unit": "days"}),
        ("idle", None, {"offset": 3, "unit": "days"}),
        ("weekdays", None, {"days": [1, 2, 3, 4, 5], "at": "09:00"}),
        ("hand", None, {"button": "Напомнить", "roles": [cast.roles["manager"]]}),
    ]


def actions(cast: Cast) -> list[dict[str, Any]]:
    """One of each but the sending ones."""
    return [
        {"do": "set_status", "status": cast.statuses["prepaid"]},
        {"do": "set_status", "status": cast.statuses["assembly"]},
        {"do": "set_field", "field": "ship_on", "value": {"days": 30}},
        {"do": "tag", "tag": "новый"},
        {"do": "untag", "tag": "новый"},
        {"do": "assign", "role": None, "person": cast.people["manager"]},
        {"do": "assign", "role": cast.roles["designer"], "least": cast.roles["designer"]},
        {"do": "make_production"},
        {"do": "comment", "text": "Принято: {{ order.customer }} @Ольга Белова"},
        {"do": "todo", "kind": "task", "text": "Позвонить {{ order.customer }}", "role": cast.roles["manager"], "due": {"days": 1}},
        {"do": "tag", "tag": "позже", "after": {"unit": "hours", "number": 3, "while_there": True}},
    ]


def same_each_time(page: str) -> str:
    """Without what differs each time: tokens, keys, the newest change."""
    return re.sub(r'("X-CSRFToken": "|name="csrf_token" value="|name="key" value="|data-since=")[^"]+', r"\1", page)


class Walk(RuleBasedStateMachine):
    """app, fill: see conftest."""

    def __init__(self, app: Flask, fill: Callable[[str], Cast]) -> None:
        super().__init__()
        self.app = app
        self.patch = pytest.MonkeyPatch()
        self.now = START
        self.patch.setattr(clock, "now", lambda: self.now)
        self.cast = fill("ru")
        wire(app.config["POTOK"])  # an engine that knows nothing of the walk before
        self.people = {who: self._sign_in(who) for who in WHO}
        self.worker = Worker(app)
        self.ended: dict[int, str] = {}
        self.keys: set[str] = set()
        self.did = Counter[str]()  # what was asked, and the code of the answer

    def teardown(self) -> None:
        db.session.rollback()
        self.patch.undo()

    @initialize(data=st.data())
    def set_up_rules(self, data: st.DataObject) -> None:
        """Each start with two actions drawn for it, one of them often a message; two rules that can't be read."""
        kinds = [self._sending(data), *actions(self.cast)]
        for number, (trigger, status, options) in enumerate(starts(self.cast)):
            chosen = data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3))
            if trigger == "weekdays":
                chosen = [send("email", self.short, [recipient("role", self.cast.roles["manager"])])]
            self._add(f"{trigger} {number}", trigger, status, options, chosen, "production" if trigger == "linked" else "orders")
        for actions_ in data.draw(st.lists(st.sampled_from(MALFORMED), min_size=2, max_size=2)):
            self._spoil(self._add("Сломанное", "changed", None, {}, [{"do": "tag", "tag": "x"}]), actions_)
        self.place("manager", "Иванова", "320 000", "2026-12-10")
        self.place("owner", "Петров", "", "")

    def _sending(self, data: st.DataObject) -> dict[str, Any]:
        channel = data.draw(st.sampled_from(("email", "email", "email", "notice")))
        to = [recipient("role", self.cast.roles["accountant"]), recipient("responsible"), recipient("person", self.cast.people["designer"])]
        if channel == "email":
            to += [recipient("customer"), recipient("author")]
            return send(channel, self.cast.templates["author"], data.draw(st.lists(st.sampled_from(to), min_size=1, max_size=3)))
        return send(channel, self.short, to[:2])

    @property
    def short(self) -> int:
        found = db.session.scalar(text("SELECT id FROM template WHERE kind = 'short' ORDER BY id LIMIT 1"))
        db.session.rollback()
        if found is None:
            with transaction() as session:
                session.execute(
                    text(
                        "INSERT INTO template (kind, name, subject, text, skip_empty, position)"
                        " VALUES ('short', 'Коротко', '', '{{ order.number }}', true, 99)"
                    )
                )
            return self.short
        return int(found)

    def _add(self, name: str, trigger: str, status: str | None, options: dict[str, Any], chosen: list[Any], board: str = "orders") -> Rule:
        where = self.cast.statuses["ready" if trigger == "linked" else status] if status and trigger in OF_STATUS else None
        with transaction() as session:
            fields = rule_fields(name, self.cast.boards[board], trigger, where, actions=chosen, options=options)
            return add_rule(session, self.cast.owner, fields)

    def _spoil(self, made: Rule, value: Any) -> None:
        with transaction() as session:
            session.get_one(RuleVersion, made.version_id).actions = value

    # What people do

    def _ask(self, who: str, url: str, data: dict[str, Any] | None = None, *, page: str = "") -> Any:
        """A request, as htmx sends it. No answer is a fault of the server's."""
        page = page or f"/boards/{self.cast.boards['orders']}"
        answer = self._answer(who, url, data, page)
        if answer.status_code == 401 or "/sign-in" in answer.headers.get("Location", ""):  # days went by
            self.people[who] = self._sign_in(who)
            answer = self._answer(who, url, data, page)
        assert answer.status_code < 500, f"{who} {url} {data}: {answer.status_code}"
        self.did[f"{url.rsplit('/', 1)[-1] if data is not None else 'get'} {answer.status_code}"] += 1
        return answer

    def _sign_in(self, who: str) -> Signed:
        return Signed(self.app.test_client(), self.cast.email(who))

    def _answer(self, who: str, url: str, data: dict[str, Any] | None, page: str) -> Any:
        client = self.people[who]
        return client.get(url) if data is None else client.post(url, data, htmx=True, page=page)

    @property
    def key(self) -> str:
        """One that was not used before."""
        return f"walk-{self.did.total()}"

    def _order(self, pick: int) -> tuple[int, int, int]:
        """(id, version, status id) of one of the orders."""
        rows = db.session.execute(select(Order.id, Order.version, Order.status_id).order_by(Order.id)).all()
        db.session.rollback()
        row = rows[pick % len(rows)]
        return row[0], row[1], row[2]

    def _standing(self, order_id: int) -> tuple[int, int]:
        row = db.session.execute(select(Order.status_id, Order.version).where(Order.id == order_id)).one()
        db.session.rollback()
        return row[0], row[1]

    @rule(who=st.sampled_from(WHO), customer=st.sampled_from(TEXTS), total=st.sampled_from(SUMS), ship_on=st.sampled_from(DAYS))
    def place(self, who: str, customer: str, total: str, ship_on: str) -> None:
        before = self._count(Order)
        data = {"customer_name": customer, "total": total, "ship_on": ship_on, "customer_phone": "8 912 345-67-89", "key": self.key}
        answer = self._ask(who, f"/boards/{self.cast.boards['orders']}/place", data)
        assert (self._count(Order) > before) == (answer.status_code == 200), answer.status_code

    @rule(
        who=st.sampled_from(WHO),
        pick=st.integers(0, 99),
        to=st.sampled_from(("design", "ready", "prepaid", "paid", "closed", "assembly", "made")),
        stale=st.sampled_from((0, 0, 0, 1)),
        again=st.booleans(),
        paid=st.sampled_from((None, None, *SUMS)),
    )
    def move(self, who: str, pick: int, to: str, stale: int, again: bool, paid: str | None) -> None:
        """paid: what is filled in at a gate."""
        order_id, version, status_id = self._order(pick)
        data = {"status": self.cast.statuses[to], "before": "", "version": version - stale, "key": self.key}
        if paid is not None:
            data |= {"gate": "1", "paid": paid, "comment": "@Ольга Белова оплата"}
        answer = self._ask(who, f"/orders/{order_id}/move", data)
        now, newer = self._standing(order_id)
        if answer.status_code == 200:
            place = f'"order": {order_id}, "status": {now}'
            assert place in answer.headers["HX-Trigger"] or '"status": null' in answer.headers["HX-Trigger"], answer.headers["HX-Trigger"]
            assert now == status_id or newer > version
        else:
            assert (now, newer) == (status_id, version), answer.status_code
        if again and answer.status_code == 200:
            assert self._ask(who, f"/orders/{order_id}/move", data).status_code == 200
            assert self._standing(order_id) == (now, newer)

    @rule(who=st.sampled_from(WHO), pick=st.integers(0, 99))
    def undo(self, who: str, pick: int) -> None:
        moves = db.session.execute(
            select(Event.id, Event.order_id)
            .where(Event.kind.in_(("order.moved", "order.placed")), Event.order_id.is_not(None))
            .order_by(Event.id.desc())
            .limit(6)
        ).all()
        db.session.rollback()
        if not moves:
            return
        event_id, order_id = moves[pick % len(moves)]
        before = self._standing(order_id)
        answer = self._ask(who, f"/orders/{order_id}/undo", {"event": event_id})
        assert answer.status_code == 200 or self._standing(order_id) == before

    @rule(
        who=st.sampled_from(WHO),
        picks=st.lists(st.integers(0, 99), min_size=1, max_size=5),
        to=st.sampled_from(("ready", "prepaid", "made")),
    )
    def move_many(self, who: str, picks: list[int], to: str) -> None:
        """And all of it back, now and then."""
        chosen = {one[0]: one[1] for one in map(self._order, picks)}
        before = {id_: self._standing(id_) for id_ in chosen}
        data = {
            "orders": ",".join(f"{id_}:{version}" for id_, version in chosen.items()),
            "status": self.cast.statuses[to],
            "key": self.key,
        }
        answer = self._ask(who, "/orders/move", data)
        if answer.status_code != 200:
            assert {id_: self._standing(id_) for id_ in chosen} == before
        events = re.search('name="events" value="([0-9:,]+)"', answer.text)
        if events and len(picks) % 2:
            assert self._ask(who, "/orders/undo", {"events": events[1]}).status_code == 200

    @rule(
        who=st.sampled_from(WHO),
        pick=st.integers(0, 99),
        verb=st.sampled_from(("remove", "restore", "restore", "block", "unblock")),
        text=st.sampled_from(TEXTS),
    )
    def mark(self, who: str, pick: int, verb: str, text: str) -> None:
        order_id, version, _status = self._order(pick)
        before = self._standing(order_id)
        answer = self._ask(who, f"/orders/{order_id}/{verb}", {"version": version, "reason": text, "key": self.key})
        assert answer.status_code == 200 or self._standing(order_id) == before

    @rule(
        who=st.sampled_from(("owner", "manager")),
        status=st.sampled_from(("ready", "prepaid", "paid", "made")),
        asks=st.sampled_from(((), (("paid_percent", "at_least", "50"),), (("ship_on", "filled", ""), ("linked.status", "filled", "")))),
        limit=st.sampled_from((None, 1, 3)),
    )
    def guard(self, who: str, status: str, asks: tuple[tuple[str, str, str], ...], limit: int | None) -> None:
        """A status gets another gate, and takes so many orders."""
        id_ = self.cast.statuses[status]
        rows = {f"{part}-{n}": one[place] for n, one in enumerate(asks) for place, part in enumerate(("field", "op", "value"))}
        self._ask(who, f"/settings/boards/statuses/{id_}/gate", {"group": "all"} | rows, page="/settings/boards")
        with transaction() as session:
            found = session.get_one(Status, id_, populate_existing=True)
            found.limit, found.limit_refuses = limit, limit is not None

    @rule(
        who=st.sampled_from(WHO),
        pick=st.integers(0, 99),
        text=st.sampled_from(TEXTS),
        total=st.sampled_from(SUMS),
        paid=st.sampled_from(SUMS),
        ship_on=st.sampled_from(DAYS),
    )
    def change(self, who: str, pick: int, text: str, total: str, paid: str, ship_on: str) -> None:
        order_id, version, _status = self._order(pick)
        data = {
            "customer_name": text,
            "title": text,
            "description": text,
            "total": total,
            "paid": paid,
            "ship_on": ship_on,
            "customer_email": "guzel@mail.example",
            "responsible_id": self.cast.people["manager"],
            "version": version,
            f"role-{self.cast.roles['designer']}": self.cast.people["designer"],
        }
        self._ask(who, f"/orders/{order_id}/change", data)

    @rule(who=st.sampled_from(WHO), pick=st.integers(0, 99), text=st.sampled_from(TEXTS))
    def comment(self, who: str, pick: int, text: str) -> None:
        self._ask(who, f"/orders/{self._order(pick)[0]}/comment", {"text": text, "key": self.key})

    @rule(who=st.sampled_from(WHO), pick=st.integers(0, 99), text=st.sampled_from(TEXTS), day=st.sampled_from(DAYS))
    def add_todo(self, who: str, pick: int, text: str, day: str) -> None:
        data = {"text": text, "kind": "task", "whose": f"person-{self.cast.people['designer']}", "due_on": day}
        self._ask(who, f"/orders/{self._order(pick)[0]}/todos/add", data)

    @rule(who=st.sampled_from(WHO), pick=st.integers(0, 99), verb=st.sampled_from(("done", "undone", "remove")))
    def settle_todo(self, who: str, pick: int, verb: str) -> None:
        ids = list(db.session.scalars(select(Todo.id).order_by(Todo.id)))
        db.session.rollback()
        if ids:
            self._ask(who, f"/todos/{ids[pick % len(ids)]}/{verb}", {})

    @rule(who=st.sampled_from(WHO), pick=st.integers(0, 99))
    def make_production(self, who: str, pick: int) -> None:
        self._ask(who, f"/orders/{self._order(pick)[0]}/production", {"key": self.key})

    @rule(who=st.sampled_from(WHO), pick=st.integers(0, 99))
    def press_button(self, who: str, pick: int) -> None:
        ids = list(db.session.scalars(select(Rule.id).where(Rule.trigger_key.startswith("rule:")).order_by(Rule.id)))
        db.session.rollback()
        self._ask(who, f"/orders/{self._order(pick)[0]}/buttons/{ids[pick % len(ids)]}", {"key": self.key})

    @rule(who=st.sampled_from(("owner", "manager")), pick=st.integers(0, 99), on=st.booleans())
    def switch_rule(self, who: str, pick: int, on: bool) -> None:
        ids = list(db.session.scalars(select(Rule.id).order_by(Rule.id)))
        db.session.rollback()
        self._ask(who, f"/settings/rules/{ids[pick % len(ids)]}/switch", {"active": "1" if on else ""}, page="/settings/rules")

    @rule(active=st.booleans(), email=st.sampled_from(("accountant@melnikov.example", "new@melnikov.example", "гусева@пример.рф")))
    def change_person(self, active: bool, email: str) -> None:
        """The accountant leaves, comes back, or has another address."""
        with transaction() as session:
            person = session.get_one(Person, self.cast.people["accountant"], populate_existing=True)
            person.active, person.email = active, email

    @rule(who=st.sampled_from(WHO), pick=st.integers(0, 9999))
    def look(self, who: str, pick: int) -> None:
        found = pages(self.app, most=1)
        url = found[pick % len(found)]
        assert self._ask(who, url).status_code in (200, 301, 302, 303, 403, 404, 409), url

    @rule(minutes=st.sampled_from((1, 20, 200, 1440, 4320)))
    def time_goes_on(self, minutes: int) -> None:
        """And the worker does what is due."""
        self.now += timedelta(minutes=minutes)
        for _ in range(3):
            self.worker.step()

    # What holds after each step

    @invariant()
    @precondition(lambda self: hasattr(self, "cast"))
    def no_page_is_older_than_what_is_there(self) -> None:
        """For one of the people after the other."""
        one = self.people[WHO[self.did.total() % len(WHO)]]
        url = ("/boards/1", "/boards/2", "/way", "/boards/1?mine=1")[self.did.total() // len(WHO) % 4]
        one.get(url)  # what is said once is said
        kept = one.get(url)
        if kept.status_code == 200:  # days may have gone by
            forget_pages(self.app)
            assert same_each_time(kept.text) == same_each_time(one.get(url).text)

    @invariant()
    @precondition(lambda self: hasattr(self, "cast"))
    def heads_count_what_stands_in_their_columns(self) -> None:
        kept = {row[0]: (row[1], row[2]) for row in db.session.execute(select(Status.id, Status.order_count, Status.order_total))}
        sums = select(Order.status_id, func.count(), func.coalesce(func.sum(Order.total), 0)).where(Order.removed_at.is_(None))
        rows = db.session.execute(sums.group_by(Order.status_id))
        counted = dict.fromkeys(kept, (0, 0)) | {row[0]: (row[1], int(row[2])) for row in rows}
        db.session.rollback()
        assert kept == counted

    @invariant()
    def no_message_is_lost_or_sent_twice(self) -> None:
        """None goes away, what is over stays over, its key and Message-ID never change, and each is one of its event and address."""
        rows = db.session.execute(select(Message.id, Message.key, Message.message_id, Message.state)).all()
        db.session.rollback()
        keys = {f"{row.id} {row.key} {row.message_id}" for row in rows}
        assert self.keys <= keys
        now = {row.id: row.state for row in rows}
        assert not {id_: (was, now[id_]) for id_, was in self.ended.items() if now[id_] != was}
        self.keys, self.ended = keys, {id_: state for id_, state in now.items() if state in OVER}
        sent = Counter(
            db.session.execute(
                select(Message.event_id, Message.channel, Message.address, Message.template_id, Message.kind).where(
                    Message.state.in_(("sent", "tray")), Message.event_id.is_not(None), Message.kind == "rule"
                )
            ).all()
        )
        db.session.rollback()
        assert not [one for one, times in sent.items() if times > 1]

    @invariant()
    def a_rule_that_can_not_be_read_says_so_at_each_move(self) -> None:
        spoiled = select(Rule.id).where(Rule.name == "Сломанное", Rule.active)
        for id_ in db.session.scalars(spoiled).all():
            outcomes = set(db.session.scalars(select(Run.outcome).where(Run.rule_id == id_)))
            assert outcomes <= {"failed"}
        db.session.rollback()

    def _count(self, model: Any) -> int:
        found = db.session.scalar(select(func.count()).select_from(model)) or 0
        db.session.rollback()
        return int(found)
