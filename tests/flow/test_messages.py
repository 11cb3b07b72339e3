"""Settings → Letters over HTTP: the filter, a letter cancelled, the log as a table, the figures, the pause."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from kanban import clock
from kanban.db import db
from kanban.transactions import transaction
from rules.logs.message_figures import figures
from rules.models import MailAccount, Message
from rules.post.pause import pause_of
from tests.cast import Cast, Signed
from tests.flow.test_orders import statements


@pytest.fixture
def owner(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("owner"))


@pytest.fixture
def manager(app: Flask, cast: Cast) -> Signed:
    return Signed(app.test_client(), cast.email("manager"))


def write(number: int, **values: Any) -> int:
    """A letter in the log. Returns its id."""
    row: dict[str, Any] = {
        "key": f"test:{number}",
        "address": f"p{number}@melnikov.example",
        "name": f"Получатель {number}",
        "subject": f"Письмо {number}",
        "text": "Тайна фирмы",
        "message_id": f"<{number}@potok>",
        "due_at": clock.now(),
        "language": "ru",
    }
    with transaction() as session:
        message = Message(**(row | values))
        session.add(message)
        session.flush()
        return message.id


def listed(owner: Signed, query: str) -> list[str]:
    """Subjects of the letters a filter leaves."""
    answer = owner.get(f"/settings/messages?{query}")
    assert answer.status_code == 200
    return [re.sub(r"<[^>]+>|SMS: ", "", one).strip() for one in re.findall(r'cell-subject"><a [^>]+>(.*?)</a>', answer.text)]


def test_words_are_sought_in_address_name_subject_and_order_number(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    write(1, address="Ivan@firm.example")
    write(2, name="ГУСЕВА Тамара")
    write(3, subject="Скидка 100%")
    write(4, subject="без номера", order_id=order.id)
    assert listed(owner, "q=ivan@FIRM") == ["Письмо 1"]
    assert listed(owner, "q=гусева+письмо") == ["Письмо 2"]
    assert listed(owner, "q=%25") == ["Скидка 100%"]
    assert "без номера" in listed(owner, f"q={order.number.lower()}")
    assert listed(owner, "q=нетничего") == []
    write(8, state="sent", channel="sms", address="+79001234567", name="Се\u00adмёнов Пётр", subject="По телефону")
    for typed in ("СЕМЕНОВ", "пётр", "петр", "8 900 123-45-67", "123-45-67 семёнов"):
        assert listed(owner, f"q={typed}") == ["По телефону"], typed


def test_each_filter_and_all_together(owner: Signed, cast: Cast) -> None:
    cast.place()
    rule = cast.messages()[0].rule_id
    with transaction() as session:
        account = MailAccount(kind="person", person_id=cast.people["manager"], address="b@b.example", host="h", port=25, security="none")
        session.add(account)
        session.flush()
        own = account.id
    old = clock.now() - timedelta(days=20)
    write(1, state="failed", rule_id=rule, person_id=cast.people["designer"], created_at=old, account_id=own)
    write(2, state="sending", channel="sms", address="+79001234567")
    write(3, state="cancelled", person_id=cast.people["viewer"])
    assert listed(owner, "state=failed") == ["Письмо 1"]
    assert "Письмо 2" in listed(owner, "state=waiting"), "what is leaving has not left"
    assert listed(owner, "state=cancelled") == ["Письмо 3"]
    assert listed(owner, "channel=sms") == ["Письмо 2"]
    assert listed(owner, f"account={own}") == ["Письмо 1"]
    assert "Письмо 3" in listed(owner, "account=firm") and "Письмо 2" not in listed(owner, "account=firm")
    assert listed(owner, f"person={cast.people['viewer']}") == ["Письмо 3"]
    assert "Письмо 1" in listed(owner, f"rule={rule}") and "Письмо 3" not in listed(owner, f"rule={rule}")
    assert "Письмо 1" in listed(owner, "days=30") and "Письмо 1" not in listed(owner, "days=7")
    day = clock.local(old).date().isoformat()
    assert listed(owner, f"from={day}&to={day}") == ["Письмо 1"]
    whole = f"q=письмо&state=failed&rule={rule}&person={cast.people['designer']}&channel=email&account={own}&days=30"
    assert listed(owner, whole) == ["Письмо 1"]


@pytest.mark.parametrize(
    "query",
    [
        "state=x",
        "state=sending",
        "rule=99999999999",
        "person=-1",
        "account=²",
        "account=99999999999",
        "channel=fax",
        "days=9",
        "page=x",
        "page=99999999999999",
        "from=yesterday",
        "from=0001-01-01",
        "to=9999-12-31",
        "q=%00",
        "q=%25_%5C",
    ],
)
def test_a_filter_that_makes_no_sense_is_no_error(owner: Signed, query: str) -> None:
    assert owner.get(f"/settings/messages?{query}").status_code == 200
    assert owner.get(f"/settings/messages.csv?{query}").status_code == 200


def test_the_filter_survives_paging_and_opening_a_message(owner: Signed) -> None:
    ids = [write(number, state="failed") for number in range(53)]
    page = owner.get("/settings/messages?state=failed&q=письмо").text
    older = next(one for one in re.findall(r'href="([^"]+)"', page) if "page=2" in one and "/messages?" in one)
    assert "state=failed" in older and "q=" in older
    second = owner.get(older.replace("&amp;", "&")).text
    opened = re.search(rf'href="(/settings/messages/{ids[0]}\?[^"]+)"', second)
    assert opened and all(part in opened[1] for part in ("state=failed", "q=", "page=2"))
    message = owner.get(opened[1].replace("&amp;", "&")).text
    assert re.search(r'aria-current="true">\s*Письмо 0<', message)
    assert f'action="/settings/messages/{ids[0]}/send-again?' in message


def test_a_page_costs_a_fixed_number_of_statements(owner: Signed, cast: Cast) -> None:
    cast.place()
    owner.get("/settings/messages")
    few = statements(lambda: owner.get("/settings/messages"))
    for number in range(60):
        write(number, person_id=cast.people["manager"])
    assert statements(lambda: owner.get("/settings/messages")) == few


def test_a_waiting_message_is_cancelled(owner: Signed) -> None:
    message = write(1)
    assert "/cancel" in owner.get(f"/settings/messages/{message}").text
    answer = owner.post(f"/settings/messages/{message}/cancel?state=waiting")
    assert answer.status_code == 303 and "state=waiting" in answer.location
    assert db.session.get_one(Message, message).state == "cancelled"
    page = owner.get(f"/settings/messages/{message}").text
    assert "/cancel" not in page and "/send-again" in page


@pytest.mark.parametrize("state", ["sending", "sent", "failed", "cancelled", "tray"])
def test_what_does_not_wait_is_not_cancelled(owner: Signed, state: str) -> None:
    message = write(1, state=state)
    assert owner.post(f"/settings/messages/{message}/cancel").status_code == 409
    assert db.session.get_one(Message, message).state == state
    assert owner.post("/settings/messages/99999/cancel").status_code == 404


def test_a_password_message_is_never_read_and_leaves_no_link_when_cancelled(owner: Signed) -> None:
    message = write(1, kind="reset", text="https://potok/reset/secret", layout={"url": "https://potok/reset/secret"})
    for url in ("", "/html", "/text"):
        assert "secret" not in owner.get(f"/settings/messages/{message}{url}").text
    assert owner.get(f"/settings/messages/{message}/text").status_code == 404
    owner.post(f"/settings/messages/{message}/cancel")
    kept = db.session.get_one(Message, message)
    assert (kept.state, kept.text, kept.layout) == ("cancelled", "", {})


def test_a_message_says_its_channel_and_why_it_goes_by_the_firms_account(owner: Signed) -> None:
    plain, failed = write(1, note="no_own_account"), write(2, note="own_account_failed", channel="sms")
    first, second = owner.get(f"/settings/messages/{plain}").text, owner.get(f"/settings/messages/{failed}").text
    assert first.count('class="note"') == 1 and second.count('class="note"') == 1
    assert "<iframe" in first and "<iframe" not in second and "Тайна фирмы" in second


def table(owner: Signed, query: str = "") -> list[list[str]]:
    answer = owner.get(f"/settings/messages.csv?{query}")
    assert answer.mimetype == "text/csv" and answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))


def test_the_log_as_a_table(owner: Signed, cast: Cast) -> None:
    order = cast.place()
    write(1, state="failed", error="550 5.1.1\nNo such user", order_id=order.id, name="Гусева; Тамара")
    head, row, *_rest = table(owner)
    assert len(head) == len(row) == 13
    assert row[1:7] == ["не доставлено", row[2], "Гусева; Тамара", "p1@melnikov.example", "Письмо 1", order.number]
    assert row[11] == "550 5.1.1 No such user" and row[12] == "<1@potok>"
    assert "Тайна фирмы" not in str(table(owner))
    assert [one[5] for one in table(owner, "state=failed")[1:]] == ["Письмо 1"]


@pytest.mark.parametrize("cell", ["=1+1", "+79001234567", "-2", "@SUM(A1)", "\t=1"])
def test_a_cell_is_no_formula(owner: Signed, cell: str) -> None:
    write(1, name=cell, subject=cell, address=cell, error=cell)
    row = table(owner)[1]
    assert all(not one.startswith(("=", "+", "-", "@", "\t")) for one in row)


def test_the_table_is_whole_beyond_a_page(owner: Signed) -> None:
    with transaction() as session:
        session.add_all(
            Message(key=f"k{n}", address="a@b.example", subject=str(n), text="", message_id=f"<{n}>", due_at=clock.now())
            for n in range(1203)
        )
    assert [row[5] for row in table(owner)[1:]] == [str(n) for n in reversed(range(1203))]


def test_figures_count_each_message_on_its_day(cast: Cast) -> None:
    now = clock.now()
    write(1, state="sent", due_at=now - timedelta(days=3), sent_at=now - timedelta(days=1), person_id=cast.people["manager"])
    write(2, state="failed", due_at=now - timedelta(days=29))
    write(3, state="failed", due_at=now - timedelta(days=31))
    write(4, due_at=now + timedelta(days=2))
    write(5, due_at=now - timedelta(days=90))
    write(6, state="sending")
    write(7, state="tray")
    write(8, state="cancelled")
    found = figures(db.session())
    assert [(day.on, day.sent, day.tray, day.waiting, day.failed) for day in found.days if day.all] == [
        (clock.today() - timedelta(days=29), 0, 0, 1, 1),
        (clock.today() - timedelta(days=1), 1, 0, 0, 0),
        (clock.today(), 0, 1, 2, 0),
    ]
    assert len(found.days) == 30 and found.total("waiting") == 3
    assert found.person and (found.person.name, found.person.count) == ("Ольга Белова", 1) and found.rule is None


def test_days_are_those_of_the_firm(cast: Cast) -> None:
    clock.set_zone("Asia/Kolkata")
    try:
        midnight = clock.start_of(clock.today())
        write(1, state="sent", due_at=midnight - timedelta(minutes=1), sent_at=midnight - timedelta(minutes=1))
        write(2, state="sent", due_at=midnight, sent_at=midnight)
        assert [day.sent for day in figures(db.session()).days[-2:]] == [1, 1]
    finally:
        clock.set_zone("UTC")


def test_the_rule_and_the_person_with_the_most_messages(owner: Signed, cast: Cast) -> None:
    cast.place()
    rule = cast.messages()[0].rule_id
    for number in range(3):
        write(number, rule_id=rule, person_id=cast.people["accountant"])
    write(9, rule_id=rule, person_id=cast.people["viewer"], state="cancelled")
    found = figures(db.session())
    assert found.rule and (found.rule.id, found.rule.count) == (rule, 5)
    assert found.person and (found.person.name, found.person.count) == ("Тамара Гусева", 3)
    page = owner.get("/settings/messages").text
    assert f"person={found.person.id}&amp;days=30" in page and f"rule={rule}&amp;days=30" in page
    assert page.count('data-part="waiting"') == 2, "a figure, and a bar of one day"


def test_everybody_sees_a_pause_and_admins_end_it(owner: Signed, manager: Signed, cast: Cast) -> None:
    before = statements(lambda: owner.get("/boards/1"))
    assert owner.post("/settings/messages/pause").status_code == 303
    for url in ("/boards/1", "/settings/company", "/settings/messages", "/me"):
        assert 'action="/settings/messages/resume"' in owner.get(url).text
    seen = manager.get("/boards/1").text
    assert 'class="strip"' in seen and "/resume" not in seen
    assert statements(lambda: owner.get("/boards/1")) == before
    assert 'class="strip"' not in owner.get("/fresh?heads=1&cards=", htmx=True, page="/boards/1").text
    answer = owner.post("/settings/messages/resume", {"back": "/boards/1"})
    assert answer.location == "/boards/1" and 'class="strip"' not in owner.get("/boards/1").text
    owner.post("/settings/messages/pause")
    assert owner.post("/settings/messages/resume", {"back": "//evil.example"}).location == "/settings/messages"


def test_a_second_pause_changes_nothing(owner: Signed, cast: Cast) -> None:
    owner.post("/settings/messages/pause")
    first = pause_of(db.session())
    owner.post("/settings/messages/pause")
    assert first and pause_of(db.session()) == first and first.by == "Сергей Мельников"
    owner.post("/settings/messages/resume")
    owner.post("/settings/messages/resume")
    db.session.rollback()
    assert pause_of(db.session()) is None


def test_staff_may_do_none_of_it(manager: Signed) -> None:
    message = write(1)
    for url in ("/settings/messages", "/settings/messages.csv", f"/settings/messages/{message}"):
        assert manager.get(url).status_code == 403
    for url in ("pause", "resume", f"{message}/cancel", f"{message}/send-again"):
        assert manager.post(f"/settings/messages/{url}").status_code == 403
    assert db.session.get_one(Message, message).state == "waiting"


def test_a_long_address_and_a_long_answer_are_shown(owner: Signed) -> None:
    message = write(1, address="a" * 240 + "@b.example", subject="<b>" + "я" * 390, error="x" * 5000)
    with transaction() as session:
        session.execute(update(Message).where(Message.id == message).values(state="failed"))
    assert "<b>я" not in owner.get(f"/settings/messages/{message}").text
    assert len(table(owner)[1][11]) == 500


@pytest.mark.parametrize(("why", "said"), [({}, ""), ({"copy": "cc"}, "(копия)"), ({"copy": "bcc"}, "(скрытая копия)")])
def test_only_a_copy_is_called_one(owner: Signed, why: dict[str, str], said: str) -> None:
    page = owner.get(f"/settings/messages/{write(1, layout={'why': {'kind': 'role', 'role': 'Дизайнер'} | why})}").text
    to = re.search(r'<dl class="heads"><dt>[^<]+</dt><dd>(.*?)</dd>', page, re.S)
    assert to is not None and ("копия" in to[1]) == bool(said) and said in to[1]


def test_where_the_log_was_once_leads_to_it(owner: Signed, manager: Signed) -> None:
    """Whatever stands in the address: only what the filter knows goes along."""
    message = write(1)
    hostile = "message_id=5&endpoint=x&_external=1&_scheme=javascript&_anchor=a&_method=POST&values=1"
    answer = owner.get(f"/settings/letters?state=failed&{hostile}")
    assert (answer.status_code, answer.location) == (301, "/settings/messages?state=failed")
    answer = owner.get(f"/settings/letters/{message}?page=2&{hostile}")
    assert (answer.status_code, answer.location) == (301, f"/settings/messages/{message}?page=2")
    assert manager.get("/settings/letters").status_code == 403
