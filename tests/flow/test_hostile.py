"""What attackers, double clicks and old forms send: a clear answer, the right code, nothing lost. Each was a fault once."""

from email import message_from_bytes
from email.utils import getaddresses

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from kanban import boards, people
from kanban.boards import BoardFields, StatusFields
from kanban.db import db
from kanban.errors import Conflict, Forbidden, Invalid
from kanban.feed import MOST_EACH
from kanban.models import Event, Order, OrderPerson
from kanban.transactions import transaction
from rules.definition.texts import check
from rules.editing import matrix
from rules.editing.verbs import change_rule, names_by_reference, reassign_status
from rules.queries.versions import fields_of, find_rule
from rules.transports import RenderedMessage
from rules.transports.account import Account
from rules.transports.compose import compose
from tests.cast import PASSWORD, TOKEN, Cast, Signed
from tests.flow.test_sign_in_pages import put_resets
from tests.rule_json import actions_of, changed
from tests.streams import ENDED, Listening


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


def order_form(cast: Cast, order: Order, **changed: str) -> dict[str, str]:
    return {"customer_name": "Хасанова Гузель", "version": str(order.version), "total": "387000"} | changed


def test_a_reset_link_leads_to_our_own_address_whatever_the_host_header_says(client: FlaskClient, cast: Cast) -> None:
    token = TOKEN.search(client.get("/reset", base_url="http://evil.example").text)[1]  # type: ignore[index]
    client.post("/reset", data={"email": cast.email("designer"), "csrf_token": token}, base_url="http://evil.example")
    put_resets(client.application)
    message = cast.messages(kind="reset")[0]
    assert message.layout["url"].startswith("http://127.0.0.1:8000/reset/") and "evil" not in message.text


def test_other_spellings_of_an_address_share_its_limit(client: FlaskClient, cast: Cast) -> None:
    token = TOKEN.search(client.get("/sign-in").text)[1]  # type: ignore[index]
    codes = [
        client.post("/sign-in", data={"email": f"designer@{name}.example", "password": "wrong", "csrf_token": token}).status_code
        for name in ("melnikov", "ｍelnikov", "mｅlnikov") * 5
    ]
    assert 429 in codes


@pytest.mark.parametrize("where", ["//evil.example", "/\t/evil.example", "http://[", "https://evil.example/", "javascript:alert(1)"])
def test_a_next_that_leads_elsewhere_is_dropped(client: FlaskClient, cast: Cast, where: str) -> None:
    token = TOKEN.search(client.get("/sign-in").text)[1]  # type: ignore[index]
    data = {"email": cast.email("designer"), "password": PASSWORD, "csrf_token": token, "next": where}
    answer = client.post("/sign-in", data=data)
    assert answer.status_code == 302 and "evil" not in answer.location and "javascript" not in answer.location


@pytest.mark.parametrize("back", ["/\t/evil.example", "//evil.example", "/boards/1\r\nX-A: b", "http://evil.example"])
def test_the_language_switch_leads_nowhere_else(owner: Signed, back: str) -> None:
    answer = owner.post("/language", {"language": "en", "back": back})
    assert answer.status_code == 303 and answer.location == "/"


def test_guessing_the_password_of_an_open_session_is_limited(owner: Signed) -> None:
    form = {"current": "wrong-password", "password": "another-word-9", "again": "another-word-9"}
    codes = [owner.post("/me/password", form).status_code for _ in range(12)]
    assert codes[0] == 422 and codes[-1] == 429


def test_the_same_key_places_one_order(owner: Signed, cast: Cast) -> None:
    form = {"customer_name": "Ли", "key": "double-click"}
    codes = [owner.post("/boards/1/place", form, htmx=True, page="/boards/1").status_code for _ in range(2)]
    assert codes == [200, 200] and db.session.scalar(select(func.count()).select_from(Order)) == 1
    order = cast.place()
    answer = owner.post(f"/orders/{order.id}/move", {"status": cast.statuses["ready"], "before": "", "version": 1, "key": "double-click"})
    assert answer.status_code == 409


def test_a_mended_form_is_still_the_old_one(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "ready")
    page = owner.post(f"/orders/{order.id}/change", order_form(cast, order, total="много", version="1"))
    assert page.status_code == 422 and 'name="version" value="1"' in page.text
    assert owner.post(f"/orders/{order.id}/change", order_form(cast, order, version="1")).status_code == 409


def test_people_who_left_stay_on_their_orders(owner: Signed, cast: Cast) -> None:
    order = cast.place(responsible_id=cast.people["designer"], people={cast.roles["designer"]: cast.people["designer"]})
    with transaction() as session:
        people.find_person(session, cast.people["designer"]).active = False
    page = owner.get(f"/orders/{order.id}/edit").text
    assert (
        page.count(f'<option selected value="{cast.people["designer"]}">') + page.count(f'value="{cast.people["designer"]}" selected') == 2
    )
    form = order_form(cast, order, responsible_id=str(cast.people["designer"]))
    answer = owner.post(f"/orders/{order.id}/change", form | {f"role-{cast.roles['designer']}": str(cast.people["designer"])})
    assert answer.status_code == 303
    assert db.session.scalar(select(Order.responsible_id).where(Order.id == order.id)) == cast.people["designer"]
    assert db.session.scalar(select(func.count()).select_from(OrderPerson)) == 1


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/boards/1/place", {"customer_name": "Ли", "total": "1e999999"}),
        ("/boards/1/place", {"customer_name": "Ли", "total": "٣٣"}),
        ("/orders/1/change", {"customer_name": "Ли", "version": "1", "role-999": "1"}),
        ("/settings/boards/add", {"name": "", "order_name": "Рекламация"}),
        ("/settings/boards/statuses/1/change", {"name": "Х", "tone": "red", "phase": "active", "limit": "1" * 5000}),
        ("/settings/templates/save", {"name": "Х", "subject": "т", "text": "{{ order[order.title] }}"}),
    ],
)
def test_bad_input_gets_a_sentence(owner: Signed, cast: Cast, path: str, form: dict[str, str]) -> None:
    cast.place()
    assert owner.post(path, form).status_code == 422


@pytest.mark.parametrize("form", [{"do": "drop-criterion:²"}, {"do": "drop-action:" + "9" * 5000}, {"field-": "x", "template-": "y"}])
def test_the_rule_editor_reads_any_form(owner: Signed, cast: Cast, form: dict[str, str]) -> None:
    assert owner.post("/settings/rules/draw", {"board_id": "1"} | form).status_code in (200, 422)


def test_zero_characters_are_refused_or_dropped(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    move = {"status": cast.statuses["ready"], "before": "", "version": 1, "key": "a\0b"}
    assert owner.post(f"/orders/{order.id}/move", move).status_code in (303, 422)
    assert owner.post("/boards/1/place", {"customer_name": "a\0b", "key": "c\0d"}).status_code in (303, 422)
    answer = owner.post("/settings/boards/add", {"name": "Д", "order_name": "Д", "prefix": "a\0b\r\n"})
    assert answer.status_code == 303 and boards.find_board(db.session(), 3).prefix == "ab"


def test_a_broken_page_address_changes_nothing_of_a_move(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    move = {"status": cast.statuses["ready"], "before": "", "version": 1, "csrf_token": owner.token}
    headers = {"HX-Request": "true", "HX-Current-URL": "http://[", "X-CSRFToken": owner.token}
    assert owner.client.post(f"/orders/{order.id}/move", data=move, headers=headers).status_code == 200


def guard(cast: Cast, status: str, role: str) -> None:
    with transaction() as session:
        found = boards.find_status(session, cast.statuses[status])
        fields = StatusFields(found.name, found.tone, found.phase, moving=[cast.roles[role]])
        boards.change_status(session, cast.owner, found.id, fields)


def test_undo_is_no_way_round_who_may_move(cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "prepaid")
    guard(cast, "prepaid", "accountant")
    moved = cast.move(order, "ready")
    assert moved.event
    with pytest.raises(Forbidden):
        cast.undo(order, moved.event.id, cast.manager)
    assert db.session.scalar(select(Order.status_id).where(Order.id == order.id)) == cast.statuses["ready"]


def test_a_slip_of_ones_own_may_be_taken_back(cast: Cast) -> None:
    order = cast.place()
    cast.move(order, "prepaid")
    guard(cast, "prepaid", "accountant")
    moved = cast.move(order, "ready", cast.manager)
    assert moved.event
    assert cast.undo(order, moved.event.id, cast.manager).order.status_id == cast.statuses["prepaid"]


def test_a_role_that_guards_a_status_stays(cast: Cast) -> None:
    guard(cast, "prepaid", "accountant")
    with pytest.raises(Conflict, match="Предоплата"), transaction() as session:
        people.remove_role(session, cast.owner, cast.roles["accountant"])


def test_an_empty_board_can_be_removed(owner: Signed, cast: Cast) -> None:
    with transaction() as session:
        board = boards.add_board(session, cast.owner, BoardFields("Рекламации", "Рекламация", "Р-")).id
        boards.add_status(session, cast.owner, board, StatusFields("Новая", phase="new"))
    assert owner.post(f"/settings/boards/{board}/remove").status_code == 303
    assert owner.get("/settings/boards").text.count("Рекламации") == 0


def test_boards_never_come_from_each_other(cast: Cast) -> None:
    work, source = cast.boards["production"], cast.boards["orders"]
    with pytest.raises(Invalid), transaction() as session:
        boards.change_board(session, cast.owner, source, BoardFields("Заказы", "Заказ", "К-", source_id=work))


def test_ranks_of_one_gap_stay_short_and_the_order_right(cast: Cast) -> None:
    one, two, last = (cast.place().id for _ in range(3))
    cast.move(last, "design", before="end")
    for _ in range(180):
        cast.move(one, "design", before=str(last))
        cast.move(two, "design", before=str(last))
    ranks = db.session.scalars(select(Order.rank).order_by(Order.rank)).all()
    assert max(map(len, ranks)) <= 101 and len(set(ranks)) == 3
    assert cast.column("design") == ["К-0001", "К-0002", "К-0003"]


def test_a_refined_row_leaves_the_matrix_and_keeps_all_it_says(owner: Signed, cast: Cast) -> None:
    rule = matrix.matrix_rule(db.session(), cast.statuses["ready"])
    assert rule is not None
    fields = fields_of(rule)
    to = [*actions_of(fields)[0]["to"], {"kind": "person", "id": cast.people["owner"]}]
    with transaction() as session:
        change_rule(session, cast.owner, rule.id, changed(fields, actions=[actions_of(fields)[0] | {"to": to}]))
    assert matrix.matrix_rule(db.session(), cast.statuses["ready"]) is None
    owner.post(f"/settings/told/{cast.statuses['ready']}/author", {"template": str(cast.templates["author"])})
    db.session.rollback()
    assert {"kind": "person", "id": cast.people["owner"]} in actions_of(fields_of(find_rule(db.session(), rule.id)))[0]["to"]


def test_ticking_a_row_that_was_switched_off_wakes_only_what_was_ticked(owner: Signed, cast: Cast) -> None:
    rule = matrix.matrix_rule(db.session(), cast.statuses["ready"])
    assert rule is not None
    owner.post(f"/settings/rules/{rule.id}/switch", {"active": "0"})
    owner.post(f"/settings/told/{cast.statuses['ready']}/author", {"template": str(cast.templates["author"])})
    db.session.rollback()
    assert matrix.live_cells(matrix.matrix_rule(db.session(), cast.statuses["ready"])) == {("author", None): cast.templates["author"]}


def test_a_customer_never_gets_a_message_that_nobody_chose(owner: Signed, cast: Cast) -> None:
    url = f"/settings/told/{cast.statuses['ready']}/customer"
    answer = owner.post(url, {"template": "on"}, htmx=True, page="/settings/told")
    assert answer.status_code == 200 and "Выберите письмо" in answer.text
    rule = matrix.matrix_rule(db.session(), cast.statuses["ready"])
    assert ("customer", None) not in matrix.live_cells(rule)


def test_criteria_follow_a_status_that_goes(cast: Cast) -> None:
    with transaction() as session:
        rule = matrix.matrix_rule(session, cast.statuses["ready"])
        assert rule is not None
        fields = fields_of(rule)
        asked = {"field": "status_before", "op": "in_list", "value": [cast.statuses["design"], cast.statuses["prepaid"]]}
        written = change_rule(session, cast.owner, rule.id, changed(fields, criteria={"all": [asked]}))
        design = boards.find_status(session, cast.statuses["design"])
        named = names_by_reference(session)["status", design.id]
        reassign_status(session, design, cast.statuses["install"])
        assert named
        assert written.version.criteria["all"][0]["value"] == [cast.statuses["install"], cast.statuses["prepaid"]]


def test_history_keeps_one_event_of_a_repeated_production_order(cast: Cast, owner: Signed) -> None:
    order = cast.place()
    codes = [owner.post(f"/orders/{order.id}/production", {"key": "twice"}).status_code for _ in range(2)]
    assert codes == [303, 303]
    assert db.session.scalar(select(func.count()).select_from(Event).where(Event.kind == "order.placed")) == 2


@pytest.mark.parametrize(
    "text",
    [
        "{{" * 9000,
        "{{" + " " * 19_000,
        "{{" + " " * 19_000 + "}}",
        "{{ (1..999999999) }}",
        '{% if (1..20000000) contains "x" %}a{% endif %}',
        '{{ order.title | default: (1.."9") }}',
        "{{ order.title | upcase: 1, 2 }}",
        "{{ order.title | nosuch }}",
    ],
)
def test_templates_that_cost_or_fail_are_not_saved(app: Flask, text: str) -> None:
    with app.test_request_context():
        assert check("Тема", text)


def test_an_allowed_template_is_saved(app: Flask) -> None:
    with app.test_request_context():
        assert check("{{ order.number }}", "{% if order.title %}{{ order.title | default: 'a..b' }}{% endif %} (1..2)") == []


NAMES = (
    "a@b.example, c@d.example",
    'A", <evil@x.example>, "b',
    "=?utf-8?q?=0d=0aBcc:_z@z.example?=",
    "Имя\u2028Bcc: a@b.example",
    "О'Нил, Иван",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_never_an_address(name: str) -> None:
    account = Account("f@b.example", name, "127.0.0.1", 25, "none", "", "", 5, "", None)
    message = RenderedMessage("<1@x>", 1, name, "to@d.example", "Тема", "текст", "<p>текст</p>")
    sent = message_from_bytes(compose(message, account).content)
    assert [address for _name, address in getaddresses([sent["From"]])] == ["f@b.example"]
    assert [address for _name, address in getaddresses([sent["To"]])] == ["to@d.example"]
    assert b"=?utf-8?q?=0d" not in sent.as_bytes() and "Bcc" not in sent


def test_one_person_holds_a_few_streams_and_the_oldest_gives_way(app: Flask, cast: Cast) -> None:
    feed = app.extensions["potok_feed"]
    streams = [Listening(feed, cast.people["viewer"]) for _ in range(MOST_EACH + 1)]
    assert all(stream.next().startswith("retry") for stream in streams)
    assert streams[0].next() == ENDED
    assert len(feed._streams) == MOST_EACH
    for stream in streams:
        stream.close()


def test_a_rule_that_only_asks_for_a_status_keeps_its_trigger(cast: Cast) -> None:
    with transaction() as session:
        rule = matrix.matrix_rule(session, cast.statuses["ready"])
        assert rule is not None
        fields = fields_of(rule)
        asked = {"field": "status_before", "op": "equals", "value": cast.statuses["design"]}
        written = change_rule(session, cast.owner, rule.id, changed(fields, criteria={"all": [asked]}))
        reassign_status(session, boards.find_status(session, cast.statuses["design"]), None)
        assert not written.active and written.status_id == cast.statuses["ready"] and written.trigger_key != "gone"
