"""Texts of e-mails: which lines of a template stay, and what its fields say."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from kanban.db import db
from kanban.models import Event
from kanban.transactions import transaction
from rules.definition import texts
from rules.editing.verbs import add_rule
from rules.models import Message, Rule, Template
from rules.running import schedule
from tests.cast import Cast
from tests.rule_json import recipient, rule_fields, send_email
from tests.rules.test_schedule import Clock, hands

__all__ = ["hands"]
EMPTY = dict.fromkeys(texts.NAMES, "")


def render(source: str, skip_empty: bool = True, **values: str) -> str:
    return texts.render_text(source, EMPTY | values, skip_empty)


@pytest.mark.parametrize(
    ("source", "values", "shown"),
    [
        ("Номер: {{ order.number }}\nТелефон: {{ order.phone }}", {"number": "К-1"}, "Номер: К-1"),
        ("Заказчик: {{ order.customer }}, {{ order.phone }}", {"customer": "Гузель"}, "Заказчик: Гузель,"),
        ("Заказчик: {{ order.customer }}, {{ order.phone }}\nИ всё", {}, "И всё"),
        ("Перевёл {{ order.moved_by }}.\nДо встречи!", {}, "До встречи!"),
        ("Пожелания:\n{{ order.description }}\nКонец", {}, "Пожелания:\nКонец"),
        ("Сумма: {{ order.total | default: 'нет' }}", {}, "Сумма: нет"),
        ("{% if order.phone == '' %}Телефон: нет{% endif %}", {}, "Телефон: нет"),
        ("Раз\n\nДва: {{ order.total }}\n\nТри", {}, "Раз\n\n\nТри"),
        ("Тел.: {{ order.phone }}", {"phone": " \t"}, ""),
        ("а\r\nТелефон: {{ order.phone }}\r\nб", {}, "а\nб"),
    ],
)
def test_a_line_of_the_template_goes_with_its_empty_fields(source: str, values: dict[str, str], shown: str) -> None:
    assert render(source, **values) == shown


def test_without_the_choice_every_line_stays() -> None:
    assert render("Телефон: {{ order.phone }}\nКонец", skip_empty=False) == "Телефон: \nКонец"


def test_the_customers_own_lines_stay_whatever_they_look_like() -> None:
    template = "Заказчик: {{ order.customer }}\nТелефон: {{ order.phone }}\nПожелания: {{ order.description }}"
    typed = "как на фото\nЗаказчик:\r\nТелефон:\n\nПожелания:"
    shown = render(template, customer="Гузель", description=typed)
    assert shown == "Заказчик: Гузель\nПожелания: как на фото\nЗаказчик:\nТелефон:\n\nПожелания:"


@given(st.text(max_size=60), st.sampled_from(["", "Пожелания: ", "а\nПожелания: "]))
def test_a_value_is_never_cut(typed: str, before: str) -> None:
    """But for the ends of the whole text, its line ends, and noncharacters that mark values while it is made."""
    kept = "".join(sign for sign in typed if sign not in "\ufdd0\ufdd1\ufdd2").replace("\r\n", "\n").replace("\r", "\n")
    source = before + "{{ order.description }}"
    expected = before + kept if kept.strip() else before.rpartition("\n")[0]
    assert render(source, description=typed) == expected.strip()


def test_marks_of_values_never_reach_a_text() -> None:
    source = "\ufdd0Номер\ufdd1: {{ order.number }}"
    assert texts.render(source, EMPTY | {"number": "К\ufdd1-1\ufdd2"}) == render(source, number="К\ufdd0-1") == "Номер: К-1"
    assert texts.render_subject(source, EMPTY | {"number": "К-1"}) == "Номер: К-1"


def tell(cast: Cast, trigger: str, text: str, *changes: dict[str, object], status: str = "prepaid", **options: object) -> None:
    """A rule of its own that tells the accountant, and then changes the order."""
    with transaction() as session:
        template = Template(name=f"Проба {trigger} {status}", subject="{{ order.number }}", text=text, skip_empty=True)
        session.add(template)
        session.flush()
        actions = [send_email(template.id, [recipient("person", cast.people["accountant"])]), *changes]
        entered = cast.statuses[status] if trigger != "date" else None
        board, name = cast.boards["orders"], f"Правило {status}"
        add_rule(session, cast.owner, rule_fields(name, board, trigger, entered, {"all": []}, actions, False, True, dict(options)))


@pytest.fixture
def quiet(cast: Cast) -> Cast:
    with transaction() as session:
        for rule in session.scalars(select(Rule)):
            rule.active = False
    return cast


def told() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Message.text).order_by(Message.id)))


WHO = "Сделал(а): {{ order.moved_by }}\nКогда: {{ order.status }}"


def test_who_did_it_is_the_person_whose_move_began_the_chain_and_never_a_rule(quiet: Cast) -> None:
    for status, following in (("prepaid", "paid"), ("paid", "install")):
        tell(quiet, "entered", WHO, {"do": "set_status", "status": quiet.statuses[following]}, status=status)
    tell(quiet, "entered", WHO, status="install")
    quiet.move(quiet.place(), "prepaid", quiet.manager)
    last = db.session.scalars(select(Event).order_by(Event.id.desc())).first()
    assert last and (last.actor_id, last.actor_name) == (None, "Правило paid")
    assert sorted({text.splitlines()[0] for text in told()}) == ["Сделал(а): Ольга Белова"] and len(told()) == 3


def test_a_news_of_a_linked_order_names_the_person_too(quiet: Cast) -> None:
    tell(quiet, "linked", WHO, status="made")
    order = quiet.place()
    quiet.move(quiet.produce(order), "made", quiet.manager)
    assert {text.splitlines()[0] for text in told()} == {"Сделал(а): Ольга Белова"}


def test_what_began_by_itself_names_nobody(hands: Clock, quiet: Cast) -> None:
    tell(quiet, "date", WHO, {"do": "set_status", "status": quiet.statuses["prepaid"]}, field="ship_on", offset=-3, unit="days", at="09:00")
    tell(quiet, "entered", WHO, status="prepaid")
    quiet.place(ship_on=date(2026, 12, 10))
    hands.to(7, 9, 12)
    assert schedule.tick() == 1
    assert len(told()) == 2 and all("Сделал" not in text and text.startswith("Когда: ") for text in told())


def test_nothing_paid_of_a_sum_is_said(cast: Cast) -> None:
    order = cast.place(total=38_700_000, paid=0)
    moved = cast.move(order, "prepaid")
    assert moved.event
    accountant = next(one for one in cast.messages(event_id=moved.event.id) if one.address == cast.email("accountant"))
    assert "Сумма: 387 000 ₽\nОплачено: 0 ₽" in accountant.text.replace("\u00a0", " ")


def test_without_a_sum_nothing_is_said_of_money(cast: Cast) -> None:
    moved = cast.move(cast.place(total=0, paid=0), "prepaid")
    assert moved.event
    accountant = next(one for one in cast.messages(event_id=moved.event.id) if one.address == cast.email("accountant"))
    assert "Оплачено:" not in accountant.text and "Сумма:" not in accountant.text
