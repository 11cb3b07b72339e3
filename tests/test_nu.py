"""The HTML of every page, as the Nu HTML Checker reads it: no error and no warning. tests/install_nu.sh gets the checker."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request, request_started
from sqlalchemy import select, update

from kanban import clock, orders, sign_ins, todos
from kanban.db import db
from kanban.models import Person
from kanban.sign_ins import Purpose
from kanban.todos import TodoFields
from kanban.transactions import transaction
from rules.definition.actions import ChangeKind
from rules.definition.channels import Channel
from rules.definition.triggers import TriggerKind
from rules.editing.verbs import add_rule
from rules.models import Message
from rules.post.unsubscribe import token_of
from rules.worker import Worker
from tests.cast import Cast, Signed
from tests.rule_json import recipient, rule_fields, send

JAR = Path(__file__).parent.parent / ".venv/nu/node_modules/vnu-jar/build/dist/vnu.jar"
NO_HTML = {
    "assets.asset",
    "health.healthz",
    "health.readyz",
    "home.security_txt",
    "journal.table",
    "live.stream",
    "live.since",
    "boards.fresh",
    "export.events",
    "messages.table",
    "messages.text",
    "runs.table",
    "process.export",
}
LEADS_ELSEWHERE = {"home.show", "mail.end_oauth", "messages.moved"}
FOR_MAIL_PROGRAMS = {"messages.html"}  # they know but tables and inline styles
# What htmx adds to HTML; what SVG 2 has, and the SVG 1.1 of the checker has only on paths.
ALLOWED = "Attribute “hx-[a-z-]+” not allowed.*|Attribute “pathLength” not allowed on element “circle”.*"
HEAD = '<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>Часть страницы</title></head>'
PART = HEAD + "<body><h1>Страница</h1>{}</body></html>"
BESIDE_THE_EDITOR = PART.replace("{}", '<form id="rule-editor"></form>{}')
MENU = HEAD + '<body><div role="menu">{}</div></body></html>'  # where the page puts it

pytestmark = [
    pytest.mark.skipif(
        not JAR.exists() or shutil.which("java") is None,
        reason="no Nu HTML Checker here; sh tests/install_nu.sh gets it, with Java and npm",
    ),
    pytest.mark.one_database,
]


class Pages:
    """HTML written to a folder, a file for each answer."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.names: dict[str, str] = {}

    def take(self, who: str, url: str, answer: Any, within: str = PART) -> None:
        """within: the page that a part of one comes to stand in."""
        assert answer.status_code in (200, 403, 404, 409, 422), (url, answer.status_code)
        html = answer.text
        name = f"{len(self.names):03d}.html"
        self.names[name] = f"{who} {url}"
        (self.folder / name).write_text(html if html.lstrip()[:9].lower() == "<!doctype" else within.format(html), encoding="utf-8")

    def faults(self) -> list[str]:
        """Each in words, once, with the pages it is on."""
        options = ["--format", "json", "--exit-zero-always", "--no-langdetect", "--skip-non-html", "--stdout", "--filterpattern", ALLOWED]
        done = subprocess.run(["java", "-jar", str(JAR), *options, str(self.folder)], capture_output=True, check=True, timeout=240)
        found: dict[str, list[str]] = {}
        for one in json.loads(done.stdout)["messages"]:
            start = one.get("hiliteStart", 0)
            element = " ".join(one.get("extract", "")[start : start + one.get("hiliteLength", 0)].split())
            words = re.sub(r"(?<!h)[0-9]+", "0", f"{one.get('subType', one['type'])}: {one['message']}\n    {element[:200]}")
            found.setdefault(words, []).append(self.names[one["url"].rpartition("/")[2]])
        return [
            f"{words}\n    on {', '.join(where[:3])}{f' and {len(where) - 3} more' if len(where) > 3 else ''}"
            for words, where in found.items()
        ]


@pytest.fixture
def day(app: Flask, cast: Cast) -> dict[str, Any]:
    """A firm after a day of work: e-mails in the tray and waiting, runs, notices, to-dos, comments."""
    manager = cast.people["manager"]
    dear = {"all": [{"field": "total", "op": "more", "value": 1}]}
    told = [recipient("role", cast.roles["manager"]), recipient("person", manager), recipient("address", address="a@b.example")]
    actions = [
        send("notice", cast.templates["short"], [recipient("person", manager)]),
        send("email", cast.templates["manager"], told, cc=[recipient("responsible")]),
        {"do": "tag", "tag": "новый"},
    ]
    never = {"all": [{"field": "total", "op": "less", "value": 1}]}
    call = {"do": "todo", "kind": "task", "text": "Позвонить", "due": None, "person": manager}
    with transaction() as session:
        rule = add_rule(session, cast.owner, rule_fields("Звонок", cast.boards["orders"], "placed", criteria=dear, actions=actions))
        add_rule(session, cast.owner, rule_fields("Никогда", cast.boards["orders"], "placed", criteria=never, actions=[call]))
    order = cast.place(responsible_id=manager, description="Адрес: https://example.com/" + "a" * 90)
    for status in ("design", "ready", "prepaid"):
        cast.move(order, status)
    work = cast.produce(order)
    other = cast.place(ship_on=clock.today() - timedelta(days=1))
    with transaction() as session:
        orders.comment(session, cast.manager, order.id, "Спросил. @Марина Лисицына, посмотрите\nhttps://example.com")
        todo = todos.add(session, cast.manager, order.id, TodoFields("Замер", person_id=manager, due_on=clock.today()))
        done = todos.add(session, cast.manager, order.id, TodoFields("Звонок", role_id=cast.roles["manager"]))
        todos.done(session, cast.manager, done.id)
        session.execute(update(Message).values(due_at=clock.now()))
    worker = Worker(app)
    while worker.step():
        pass
    moved = cast.move(other, "design")
    cast.move(other, "ready")
    db.session.rollback()
    return {
        "order_id": order.id,
        "work": work.id,
        "rule_id": rule.id,
        "todo_id": todo.id,
        "event_id": moved.event.id if moved.event else 0,
        "message_id": db.session.scalar(select(Message.id).where(Message.channel == "email", Message.state == "tray")),
    }


def look_around(pages: Pages, cast: Cast, day: dict[str, Any], owner: Signed) -> None:
    """Every address that answers HTML, as the owner sees it, in each of its states."""
    board, status, order = cast.boards["orders"], cast.statuses["ready"], day["order_id"]
    role, template, short = cast.roles["designer"], cast.templates["manager"], cast.templates["short"]
    whole = (
        f"/boards/{board}",
        f"/boards/{cast.boards['production']}",
        f"/boards/{board}?q=хасанова&responsible={cast.people['manager']}",
        f"/boards/{board}?q=нетакого",
        "/way",
        f"/orders/{order}",
        f"/orders/{day['work']}",
        f"/orders/{order}/edit",
        f"/orders/{order}/events/{day['event_id']}/why",
        "/me",
        "/me/messages",
        "/me/mail/sending",
        "/work",
        f"/todos/{day['todo_id']}/edit",
        "/bell/all",
        "/search",
        "/search?q=хасанова",
        "/search?q=нетакого",
        "/settings/company",
        "/settings/people",
        "/settings/people/new",
        f"/settings/people/{cast.people['manager']}",
        f"/settings/people?removing={role}",
        "/settings/boards",
        f"/settings/boards/{board}/edit",
        f"/settings/boards/statuses/{status}/edit",
        f"/settings/boards/statuses/{status}/remove",
        f"/settings/boards/statuses/{status}/gate",
        "/settings/removed",
        f"/orders/{order}/block",
        f"/orders/{order}/remove",
        "/settings/told",
        f"/settings/told?choose={status}-role-{role}",
        "/settings/rules",
        "/settings/rules?q=нетакого",
        "/settings/rules?only=broken",
        "/settings/rules/new",
        f"/settings/rules/{day['rule_id']}",
        "/settings/rules/runs",
        "/settings/rules/runs?days=30&outcome=done",
        "/settings/rules/runs?number=нет",
        "/settings/templates",
        "/settings/templates/new",
        "/settings/templates/new?kind=short",
        f"/settings/templates/{template}",
        f"/settings/templates/{short}",
        "/settings/messages",
        f"/settings/messages/{day['message_id']}",
        "/settings/messages?q=нетакого&days=30",
        "/settings/mail",
        "/settings/mail/system/sending",
        "/settings/mail/new/sending",
        "/settings/gateways",
        "/settings/gateways?sms=smpp&chat=webhook",
        "/settings/process",
        "/search?q=хасанова",
        "/search?q=нетакого",
        "/settings/nowhere",
        "/boards/999",
    )
    for url in whole:
        pages.take("owner", url, owner.get(url))
    parts = (
        f"/boards/{board}/statuses/{status}/window",
        f"/orders/{order}/messages",
        f"/orders/{order}/buttons",
        f"/orders/{order}/todos",
        f"/orders/{order}/events/{day['event_id']}/why",
        f"/orders/{order}/block",
        f"/orders/{order}/remove",
        "/bell",
        "/bell/list",
        f"/boards/{board}",
        "/settings/told",
        "/settings/messages",
    )
    for url in parts:
        pages.take("owner, htmx", url, owner.get(url, htmx=True, page=f"/boards/{board}"))
    for url in (f"/orders/{order}/menu", f"/orders/menu?orders={order}:1"):
        pages.take("owner, htmx", url, owner.get(url, htmx=True), within=MENU)


def open_the_editor(pages: Pages, cast: Cast, day: dict[str, Any], owner: Signed) -> None:
    """The rule editor with every start, every action and its checks; refusals; a template with a fault."""
    start = {
        "name": "Проба",
        "board_id": str(cast.boards["orders"]),
        "status_id": str(cast.statuses["ready"]),
        "mode": "paused",
        "template-0": str(cast.templates["manager"]),
        "to-0": f"role:{cast.roles['manager']}",
        "field-0": "total",
        "op-0": "between",
        "field-1": "status_before",
        "op-1": "in_list",
        "field-2": "ship_on",
        "op-2": "more",
        "group-1": "any",
        "in-1": "1",
    }
    for trigger in TriggerKind:
        pages.take("owner", "/settings/rules/draw", owner.post("/settings/rules/draw", start | {"trigger": trigger}))
    for channel in (*Channel, *ChangeKind):
        more = {"trigger": "entered", "channel-0": channel, "duefrom-0": "today", "setfield-0": "ship_on"}
        pages.take("owner", "/settings/rules/draw", owner.post("/settings/rules/draw", start | more))
    for url in ("/settings/rules/save", "/settings/rules/try", "/settings/rules/backtest"):
        pages.take("owner", url, owner.post(url, start | {"trigger": "entered", "mode": "on", "field-0": "number", "op-0": "is_set"}))
        within = PART if url.endswith("save") else BESIDE_THE_EDITOR
        pages.take("owner, htmx", url, owner.post(url, start | {"trigger": "entered"}, htmx=True), within)
    template = {"name": "Письмо", "kind": "letter", "subject": "{{ order.nothing }}", "text": "{% for %}"}
    for url in ("/settings/templates/save", "/settings/templates/preview"):
        pages.take("owner", url, owner.post(url, template))


@pytest.fixture
def first_start(app: Flask) -> Any:
    """What the first visitor of an empty Potok sees. Asked for before `cast` fills it."""
    return app.test_client().get("/setup")


def test_the_html_of_every_page_is_valid(app: Flask, first_start: Any, cast: Cast, day: dict[str, Any], tmp_path: Path) -> None:
    asked: set[str | None] = set()
    note = lambda sender, **_: asked.add(request.endpoint)  # noqa: E731, a signal holds it by a weak reference
    pages = Pages(tmp_path / "pages")
    with request_started.connected_to(note, app):
        pages.take("the first", "/setup", first_start)
        with transaction() as session:
            token = sign_ins.make_link(session, cast.people["viewer"], Purpose.RESET)
        stranger = app.test_client()
        for url in ("/sign-in", "/reset", f"/reset/{token}", f"/invitation/{token}", f"/letters/{token_of('a@b.example', 'test')}"):
            pages.take("stranger", url, stranger.get(url))
        owner = Signed(app.test_client(), cast.email("owner"))
        pages.take("owner", "/confirm", owner.get("/confirm?next=/me"))
        pages.take("owner", "/confirmed", owner.get("/confirmed"))
        with transaction() as session:
            session.execute(update(Person).where(Person.id == cast.people["designer"]).values(must_change_password=True))
        pages.take("designer", "/first-password", Signed(app.test_client(), cast.email("designer")).get("/first-password"))
        pages.take("owner", "/settings/journal", owner.get("/settings/journal"))
        pages.take("owner", "/settings/backups", owner.get("/settings/backups"))
        pages.take("owner", "/settings/hosts", owner.get("/settings/hosts"))
        look_around(pages, cast, day, owner)
        open_the_editor(pages, cast, day, owner)
        for who in ("manager", "viewer"):
            person = Signed(app.test_client(), cast.email(who))
            for url in (f"/boards/{cast.boards['orders']}", f"/orders/{day['order_id']}", "/work", "/me", "/settings/told"):
                pages.take(who, url, person.get(url))
    faults = pages.faults()
    assert not faults, f"{len(faults)} faults\n" + "\n".join(faults)
    every = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert every - asked - {"setup.show"} == NO_HTML | LEADS_ELSEWHERE | FOR_MAIL_PROGRAMS, "a page this test does not open"
