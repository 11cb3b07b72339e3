"""The sentence of a rule in both languages: every start, condition and action as it is read."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, render_template

from kanban.criteria import Comparison, Criterion
from kanban.db import db
from kanban.fields import BUILT_IN
from kanban.i18n import force_locale
from kanban.models import Board, Person, Role
from kanban.transactions import transaction
from kanban.words.criteria import condition_of
from rules.definition.content import RuleFields
from rules.queries.lookup import load_rule_lookup
from rules.words import differences
from rules.words.sentences import sentence_of
from tests.cast import Cast
from tests.rule_json import changed, recipient, rule_fields, send, send_email

pytestmark = pytest.mark.one_database


@pytest.fixture(params=["ru", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cast(bare_app: Flask, fill: Callable[[str], Cast], language: str) -> Iterator[Cast]:
    """The workshop in the reader's language; its people have Russian names in both."""
    with bare_app.test_request_context():
        yield fill(language)


def said(fields: RuleFields, language: str) -> str:
    """As it stands on the page, without its marks, and with plain spaces."""
    with force_locale(language):
        text = render_template("rules/_sentence.html", sentence=sentence_of(fields, load_rule_lookup(db.session())))
    return " ".join(re.sub(r"<[^>]*>", "", text).replace("&#39;", "'").split())


def base(cast: Cast, **parts: Any) -> RuleFields:
    message = send_email(cast.templates["manager"], [recipient("role", cast.roles["manager"])])
    return changed(rule_fields("Проба", cast.boards["orders"], "entered", cast.statuses["prepaid"], actions=[message]), **parts)


STARTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("placed", {}, "Когда создаётся заказ покупателя", "When a customer order is placed"),
    ("entered", {}, "Когда заказ покупателя переходит в «Предоплата»", "When a customer order moves to “Prepaid”"),
    ("left", {}, "Когда заказ покупателя выходит из «Предоплата»", "When a customer order leaves “Prepaid”"),
    ("changed", {}, "Когда заказ покупателя меняет статус", "When a customer order changes its status"),
    (
        "field",
        {"field": "ship_on"},
        "Когда у заказа покупателя меняется поле «Дата отгрузки»",
        "When the field “Ship date” of a customer order changes",
    ),
    ("paid", {"percent": 50}, "Когда по заказу покупателя оплачено 50 %", "When 50 % of a customer order is paid"),
    ("paid", {"sum": 10_000_000}, "Когда по заказу покупателя оплачено 100 000 ₽", "When 100,000 ₽ of a customer order is paid"),
    ("commented", {}, "Когда заказ покупателя получает комментарий", "When a customer order gets a comment"),
    (
        "linked",
        {},
        "Когда у заказа покупателя связанный заказ переходит в «Предоплата»",
        "When an order linked to a customer order moves to “Prepaid”",
    ),
    (
        "all_linked",
        {"phase": "done"},
        "Когда у заказа покупателя все связанные заказы в фазе «выполнен»",
        "When all orders linked to a customer order are in the phase “done”",
    ),
    (
        "date",
        {"field": "ship_on", "offset": -3, "unit": "working_days", "at": "09:00"},
        "За 3 рабочих дня до даты отгрузки заказа покупателя, в 09:00",
        "3 working days before the ship date of a customer order, at 09:00",
    ),
    (
        "date",
        {"field": "installation_on", "offset": 1, "unit": "days", "at": "09:00"},
        "Через 1 день после даты установки заказа покупателя, в 09:00",
        "1 day after the installation date of a customer order, at 09:00",
    ),
    (
        "date",
        {"field": "ship_on", "offset": 0, "unit": "days", "at": "09:00"},
        "Когда наступает дата отгрузки заказа покупателя, в 09:00",
        "On the ship date of a customer order, at 09:00",
    ),
    (
        "stay",
        {"offset": 2, "unit": "days"},
        "Когда заказ покупателя стоит в одном статусе дольше чем 2 дня",
        "When a customer order stays in one status for longer than 2 days",
    ),
    (
        "idle",
        {"offset": 5, "unit": "hours"},
        "Когда у заказа покупателя 5 часов ничего не происходит",
        "When a customer order has no activity for 5 hours",
    ),
    (
        "hand",
        {"button": "Measure"},
        "Когда у заказа покупателя нажимают кнопку «Measure»",
        "When the button “Measure” on a customer order is pressed",
    ),
]


def test_every_start(cast: Cast, language: str) -> None:
    end = {"ru": " — отправить письмо «Менеджеру» менеджеру.", "en": " — send the e-mail “To the manager” to the manager."}[language]
    for trigger, options, russian, english in STARTS:
        rule = base(cast, trigger=trigger, options=options)
        assert said(rule, language) == (russian if language == "ru" else english) + end, trigger


def test_a_stay_in_one_status_names_it(cast: Cast, language: str) -> None:
    options = {"offset": 1, "unit": "days", "status": cast.statuses["prepaid"]}
    stay = said(base(cast, trigger="stay", options=options), language).partition(" — ")[0]
    expected = {
        "ru": "Когда заказ покупателя стоит в «Предоплата» дольше чем 1 день",
        "en": "When a customer order stays in “Prepaid” for longer than 1 day",
    }
    assert stay == expected[language]


def test_a_document_of_any_gender_stands_in_its_case(cast: Cast, language: str) -> None:
    names = {"ru": ["Заявка на ремонт", "Изделие", "Work order"], "en": ["Repair", "Item", "Order"]}[language]
    expected = {
        "ru": ["по заявке на ремонт", "по изделию", "по work order"],
        "en": ["of a repair", "of an item", "of an order"],
    }[language]
    for name, words in zip(names, expected, strict=True):
        with transaction() as session:
            session.get_one(Board, cast.boards["orders"]).order_name = name
        assert words in said(base(cast, trigger="paid", options={"percent": 50}), language)


def whom(cast: Cast, language: str, *to: dict[str, Any]) -> str:
    sentence = said(base(cast, actions=[send_email(cast.templates["manager"], list(to))]), language)
    return sentence.rpartition("» " if language == "ru" else "” to ")[2].rstrip(".")


def test_whom_a_message_goes_to(cast: Cast, language: str) -> None:
    accountant, manager, designer, technologist = (
        recipient("role", cast.roles[role]) for role in ("accountant", "manager", "designer", "technologist")
    )
    cases = [
        ([accountant, manager], "бухгалтеру и менеджеру", "the accountant and the manager"),
        ([accountant, designer, manager], "бухгалтеру, дизайнеру и менеджеру", "the accountant, the designer and the manager"),
        ([technologist, accountant], "главному технологу и бухгалтеру", "the chief technologist and the accountant"),
        (
            [recipient(kind) for kind in ("responsible", "previous", "author", "customer")],
            "ответственному, прежнему ответственному, автору и заказчику",
            "the responsible person, the previous responsible person, the author and the customer",
        ),
        ([recipient("mover"), manager], "менеджеру и тому, кто это сделал", "the manager and whoever did it"),
        (
            [recipient("person", cast.people["manager"]), recipient("address", address="buh@firm.example")],
            "Ольге Беловой и buh@firm.example",
            "Ольга Белова and buh@firm.example",
        ),
        ([recipient("role", 999)], "удалённому получателю", "a removed recipient"),
    ]
    for to, russian, english in cases:
        assert whom(cast, language, *to) == (russian if language == "ru" else english)


def test_a_role_that_can_not_be_declined_stays_as_it_is(cast: Cast, language: str) -> None:
    with transaction() as session:
        session.get_one(Role, cast.roles["designer"]).name = "CAD-инженер"
    assert whom(cast, language, recipient("role", cast.roles["designer"])) in ("CAD-инженер", "the CAD-инженер")


def test_other_channels_and_wishes(cast: Cast, language: str) -> None:
    template, to = cast.templates["manager"], [recipient("role", cast.roles["designer"])]
    ends = [said(base(cast, actions=[send(channel, template, to)]), language).partition(" — ")[2] for channel in ("sms", "chat", "notice")]
    wishes = send("email", template, to, "responsible", "mover") | {"after": {"number": 2, "unit": "days"}}
    ends.append(said(base(cast, actions=[wishes, {"do": "tag", "tag": "x"}], tell_actor=True), language).partition(" — ")[2])
    assert (
        ends
        == {
            "ru": [
                "отправить SMS «Менеджеру» дизайнеру.",
                "отправить в мессенджер сообщение «Менеджеру» дизайнеру.",
                "показать уведомление «Менеджеру» дизайнеру.",
                "через 2 дня отправить письмо «Менеджеру» дизайнеру, с собственной записи ответственного, ответы тому, кто это сделал; "
                "добавить метку «x»; в том числе тому, кто это сделал.",
            ],
            "en": [
                "send the SMS “To the manager” to the designer.",
                "send the messenger message “To the manager” to the designer.",
                "show the notice “To the manager” to the designer.",
                "after 2 days send the e-mail “To the manager” to the designer, from the responsible person's own account, "
                "replies to the person who did it; "
                "add the tag “x”; also to the person who did it.",
            ],
        }[language]
    )


def test_every_change(cast: Cast, language: str) -> None:
    person, designer, technologist = cast.people["manager"], cast.roles["designer"], cast.roles["technologist"]
    due = {"field": "ship_on", "days": -2, "time": "09:00"}
    todo = {"do": "todo", "kind": "task", "text": "x"}
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"do": "set_status", "status": cast.statuses["prepaid"]}, "перевести заказ в «Предоплата»", "move the order to “Prepaid”"),
        (
            {"do": "set_field", "field": "ship_on", "value": {"days": 7}},
            "записать в поле «Дата отгрузки» день через 7 дней",
            "set “Ship date” to 7 days after the run",
        ),
        (
            {"do": "set_field", "field": "ship_on", "value": {"days": 0}},
            "записать в поле «Дата отгрузки» тот же день",
            "set “Ship date” to the day of the run",
        ),
        (
            {"do": "set_field", "field": "ship_on", "value": {"days": -1}},
            "записать в поле «Дата отгрузки» день за 1 день до этого",
            "set “Ship date” to 1 day before the run",
        ),
        (
            {"do": "set_field", "field": "ship_on", "value": "2026-12-26"},
            "записать в поле «Дата отгрузки» «26 декабря 2026»",
            "set “Ship date” to “26 December 2026”",
        ),
        ({"do": "set_field", "field": "ship_on", "value": None}, "очистить поле «Дата отгрузки»", "clear the field “Ship date”"),
        ({"do": "tag", "tag": "x"}, "добавить метку «x»", "add the tag “x”"),
        ({"do": "untag", "tag": "x"}, "снять метку «x»", "remove the tag “x”"),
        ({"do": "assign", "role": None, "person": person}, "назначить ответственным Ольгу Белову", "make Ольга Белова responsible"),
        (
            {"do": "assign", "role": technologist, "person": person},
            "назначить на роль «Главный технолог» Ольгу Белову",
            "assign Ольга Белова to the role “Chief technologist”",
        ),
        (
            {"do": "assign", "role": None, "least": designer},
            "назначить ответственным наименее занятого с ролью «Дизайнер»",
            "make the least busy person in the role “Designer” responsible",
        ),
        (
            {"do": "assign", "role": None, "person": 999},
            "назначить ответственным удалённого сотрудника",
            "make a removed person responsible",
        ),
        ({"do": "make_production"}, "создать заказ на производство", "create the production order"),
        ({"do": "comment", "text": "x"}, "добавить комментарий «x»", "add the comment “x”"),
        (
            todo | {"role": technologist, "due": due},
            "поставить задание «x» главному технологу, срок — за 2 дня до даты отгрузки, в 09:00",
            "assign the task “x” to the chief technologist, due 2 days before the ship date, at 09:00",
        ),
        (
            todo | {"kind": "reminder", "person": person, "due": {"days": 3}},
            "поставить напоминание «x» Ольге Беловой, срок — через 3 дня",
            "assign the reminder “x” to Ольга Белова, due in 3 days",
        ),
        (
            todo | {"kind": "calendar", "responsible": True, "due": {"days": 0}},
            "записать в календарь событие «x» ответственному, срок — в тот же день",
            "assign the calendar entry “x” to the responsible person, due on the same day",
        ),
        (
            todo | {"kind": "contact", "responsible": True, "due": {"days": 0, "field": "ship_on"}},
            "поставить событие с заказчиком «x» ответственному, срок — дата отгрузки",
            "assign the customer contact “x” to the responsible person, due on the ship date",
        ),
        (
            todo | {"person": 999, "due": {"days": 1, "field": "ship_on"}},
            "поставить задание «x» удалённому получателю, срок — через 1 день после даты отгрузки",
            "assign the task “x” to a removed recipient, due 1 day after the ship date",
        ),
    ]
    for action, russian, english in cases:
        clause = said(base(cast, actions=[action]), language).partition(" — ")[2]
        assert clause == (russian if language == "ru" else english) + ".", action
    three = said(base(cast, actions=[{"do": "tag", "tag": tag} for tag in "abc"]), language)
    assert three.endswith(
        {
            "ru": "добавить метку «a», добавить метку «b» и добавить метку «c».",
            "en": "add the tag “a”, add the tag “b” and add the tag “c”.",
        }[language]
    )


CRITERIA = [
    {"field": "total", "op": "at_least", "value": 10_000_000},
    {"field": "organisation", "op": "filled"},
    {"field": "ship_on", "op": "empty"},
]


@pytest.mark.parametrize(
    ("group", "count", "trigger", "russian", "english"),
    [
        ("all", 1, "entered", " и сумма не меньше 100 000 ₽", " and the total is at least 100,000 ₽"),
        ("any", 1, "entered", " и сумма не меньше 100 000 ₽", " and the total is at least 100,000 ₽"),
        (
            "all",
            3,
            "entered",
            " и сумма не меньше 100 000 ₽ и организация указана и дата отгрузки не указана",
            " and the total is at least 100,000 ₽ and the organisation is filled in and the ship date is empty",
        ),
        (
            "any",
            3,
            "entered",
            " и либо сумма не меньше 100 000 ₽, либо организация указана, либо дата отгрузки не указана",
            " and either the total is at least 100,000 ₽, or the organisation is filled in, or the ship date is empty",
        ),
        ("all", 1, "date", ", в 09:00, если сумма не меньше 100 000 ₽", ", at 09:00, if the total is at least 100,000 ₽"),
        (
            "any",
            2,
            "date",
            ", в 09:00, если либо сумма не меньше 100 000 ₽, либо организация указана",
            ", at 09:00, if either the total is at least 100,000 ₽, or the organisation is filled in",
        ),
    ],
)
def test_how_conditions_are_joined(cast: Cast, language: str, group: str, count: int, trigger: str, russian: str, english: str) -> None:
    options = {"field": "ship_on", "offset": -2, "unit": "days", "at": "09:00"} if trigger == "date" else {}
    sentence = said(base(cast, trigger=trigger, options=options, criteria={group: CRITERIA[:count]}), language)
    assert sentence.partition(" — ")[0].endswith(russian if language == "ru" else english)


def test_conditions_agree_with_their_fields(cast: Cast, language: str) -> None:
    lookup, person = load_rule_lookup(db.session()), cast.people["manager"]
    cases = [
        (
            "responsible",
            "changed_to",
            person,
            "ответственный меняется на Ольгу Белову",
            "the responsible person has changed to Ольга Белова",
        ),
        (
            "responsible",
            "changed_from",
            person,
            "ответственный уже не Ольга Белова",
            "the responsible person has changed from Ольга Белова",
        ),
        ("title", "filled", None, "изделие указано", "the title is filled in"),
        ("tags", "contains", "x", "список меток содержит «x»", "the list of tags contains “x”"),
        ("actor", "equals", person, "тот, кто это сделал, — Ольга Белова", "whoever made the change is Ольга Белова"),
        ("ship_on", "within_next", 1, "дата отгрузки наступает не позже чем через 1 день", "the ship date is within the next 1 day"),
        ("ship_on", "within_last", 3, "дата отгрузки прошла не раньше чем 3 дня назад", "the ship date was no earlier than 3 days ago"),
        ("paid_percent", "at_least", 50, "доля оплаты не меньше 50 %", "the percentage paid is at least 50 %"),
        (f"role:{cast.roles['technologist']}", "empty", None, "главный технолог не указан", "the chief technologist is empty"),
    ]
    with force_locale(language):
        for name, op, value, russian, english in cases:
            one = condition_of(Criterion(name, BUILT_IN.criterion(name), Comparison(op), value), cast.boards["orders"], lookup)
            words = " ".join(" ".join([one.field, one.op, one.value]).split())
            assert words == (russian if language == "ru" else english)


def test_lists_keep_the_nominative(cast: Cast, language: str) -> None:
    template, lookup = cast.templates["manager"], load_rule_lookup(db.session())
    old, new = (
        base(cast, actions=[send_email(template, [recipient("role", cast.roles[role]), recipient("person", cast.people["manager"])])])
        for role in ("designer", "technologist")
    )
    with force_locale(language):
        (words,) = differences.differences(old, new, lookup)
        (added,) = differences.differences(changed(old, actions=[]), old, lookup)
    assert "Ольга Белова" in words and "Ольга Белова" in added
    assert {"ru": "дизайнер, Ольга Белова → главный технолог", "en": "designer, Ольга Белова → chief technologist"}[language] in words
    assert {"ru": "(кому: дизайнер, ", "en": "(to: designer, "}[language] in added


def test_groups_stand_in_brackets_and_a_list_says_where(cast: Cast, language: str) -> None:
    inner = {"any": [{"field": "ship_on", "op": "empty"}, {"all": [{"field": "total", "op": "more", "value": 100}, {"all": []}]}]}
    fields = base(cast, criteria={"all": [{"field": "paid", "op": "filled"}, inner]})
    expected = {
        "ru": "и оплаченная сумма указана и (дата отгрузки не указана или (сумма больше 1 ₽)) — отправить",
        "en": "and the amount paid is filled in and (the ship date is empty or (the total is more than 1 ₽)) — send",
    }
    assert expected[language] in said(fields, language)
    weekly = base(cast, trigger="weekdays", options={"days": [1, 5], "at": "09:00"}, criteria={"all": [{"field": "paid", "op": "filled"}]})
    starts = {
        "ru": "Пн, Пт в 09:00: один список открытых документов (заказ покупателя), в которых оплаченная сумма указана — отправить",
        "en": "Mon, Fri at 09:00, one list of open orders (customer order), those where the amount paid is filled in — send",
    }
    assert said(weekly, language).startswith(starts[language])


def test_copies_are_said(cast: Cast, language: str) -> None:
    message = send(
        "email",
        cast.templates["manager"],
        [recipient("author")],
        cc=[recipient("role", cast.roles["designer"])],
        bcc=[recipient("address", address="a@b.example")],
    )
    expected = {"ru": "копия: дизайнер, скрытая копия: a@b.example", "en": "with a copy to: designer, with a blind copy to: a@b.example"}
    assert expected[language] in said(base(cast, actions=[message]), language)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"trigger": "stay", "options": {"offset": 2, "unit": "days", "status": 9999}}, "A status used in this rule no longer exists."),
        ({"trigger": "hand", "options": {"button": "x", "roles": [9999]}}, "A role used in this rule no longer exists."),
        ({"trigger": "field", "options": {"field": "role:9999"}}, "A role used in this rule no longer exists."),
        ({"actions": [{"do": "assign", "role": None, "person": 9999}]}, "A person named in this rule no longer exists."),
        ({"actions": [{"do": "set_field", "field": "organisation", "value": 9999}]}, "An organisation used in this rule no longer exists."),
        ({"board": 9999}, "The document this rule is for no longer exists."),
    ],
)
def test_a_rule_says_what_it_is_broken_by(cast: Cast, parts: dict[str, Any], reason: str) -> None:
    with force_locale("en"):
        assert reason in sentence_of(base(cast, **parts), load_rule_lookup(db.session())).gone
        assert sentence_of(base(cast), load_rule_lookup(db.session())).gone == ()


def test_a_rule_that_names_who_left_is_broken(cast: Cast) -> None:
    with transaction() as session:
        session.get_one(Person, cast.people["viewer"]).active = False
    person = recipient("person", cast.people["viewer"])
    with force_locale("en"):
        lookup = load_rule_lookup(db.session())
        for actions in (
            [send_email(cast.templates["manager"], [person])],
            [{"do": "assign", "role": None, "person": cast.people["viewer"]}],
        ):
            assert "Павел Лебедев" in sentence_of(base(cast, actions=actions), lookup).gone[0]
        asked = {"all": [{"field": "actor", "op": "equals", "value": cast.people["viewer"]}]}
        assert sentence_of(base(cast, criteria=asked), lookup).gone == ()


def test_texts_of_a_template_are_read_by_their_fields_names(cast: Cast, language: str) -> None:
    text = "Call {{ order.customer | upcase }}{% if order.phone != '' %}, {{ order.phone }}{% endif %}"
    todo = {"do": "todo", "kind": "task", "text": text, "responsible": True}
    expected = {"ru": "Call [заказчик], [телефон]", "en": "Call [customer], [phone]"}
    assert expected[language] in said(base(cast, actions=[todo]), language)
