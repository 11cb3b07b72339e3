"""A whole working day on one page that is never reloaded, a second person beside it, rules of every action on."""

from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app import create_app
from kanban.models import Person, Role, Status
from kanban.transactions import transaction
from rules.editing.verbs import add_rule
from tests.browser.board import by_keys, by_menu, card, column, drag, expect_in, quick_add, until
from tests.browser.conftest import Site, Visits
from tests.browser.test_seed_case import TABLE, status_of
from tests.conftest import make_config
from tests.rule_json import rule_fields

DESIGN, READY, PREPAID, PAID, INSTALL, CLOSED = "Разработка проекта", "Проект готов", "Предоплата", "Оплачен", "Установка", "Закрыт"
MOVES = 40


@pytest.fixture
def undo_window_s() -> int:
    return 8


def _rules_of_every_action(instance: Path) -> None:
    """Put in past the pages: entering «Предоплата» makes the production order, entering «Установка» does all the rest."""
    app = create_app(make_config(f"sqlite:///{instance / 'potok.db'}"), instance)
    with app.app_context(), transaction() as session:

        def id_of(model: type, name: str) -> int:
            return int(session.query(model).filter_by(name=name).one().id)

        board = session.query(Status).filter_by(name=PREPAID).one().board_id
        every = [
            {"do": "tag", "tag": "монтаж"},
            {"do": "untag", "tag": "срочно"},
            {"do": "set_field", "field": "installation_on", "value": {"days": 2}},
            {"do": "assign", "role": id_of(Role, "Дизайнер"), "least": id_of(Role, "Дизайнер")},
            {"do": "todo", "kind": "task", "text": "Позвонить {{ order.customer }}", "role": id_of(Role, "Менеджер")},
            {"do": "comment", "text": "Едем к вам, {{ order.customer }}. @Ольга Белова"},
            {"do": "tag", "tag": "позже", "after": {"unit": "days", "number": 1}},
        ]
        for status, actions in ((PREPAID, [{"do": "make_production"}]), (INSTALL, every)):
            fields = rule_fields(f"Всё: {status}", board, "entered", id_of(Status, status), actions=actions)
            add_rule(session, None, fields)
        assert session.query(Person).count() == 7


class Day:
    """The page, and what e-mails the day should come to."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.expected: Counter[tuple[str, str]] = Counter()
        page.evaluate("window.openedInTheMorning = true")

    def tell(self, status: str, *, but: str = "") -> None:
        self.expected.update((status, who) for who in TABLE[status] if who != but)

    def place(self, customer: str, number: str) -> None:
        page = self.page
        quick_add(page, customer)
        expect(self.toast(number)).to_be_visible()
        expect_in(page, number, DESIGN)
        self.tell(DESIGN)

    def move(self, way: int, number: str, status: str) -> None:
        """By menu, mouse or keyboard, in turns."""
        if way == 0:
            by_menu(self.page, number, status)
        elif way == 1:
            drag(self.page, number, status)
        else:
            self._by_keys(number, status)
        expect_in(self.page, number, status)
        expect(self.toast(number)).to_contain_text(f"→ «{status}»")
        self.tell(status)

    def _by_keys(self, number: str, status: str) -> None:
        names = self.page.locator(".column-name h2").all_inner_texts()
        here = self.page.locator(".column").filter(has=card(self.page, number)).locator(".column-name h2").inner_text()
        steps = names.index(status) - names.index(here)
        assert abs(steps) == 1, f"keys move by one column: {here} → {status}"
        by_keys(self.page, number, "ArrowRight" if steps > 0 else "ArrowLeft")

    def undo(self, number: str, back_in: str, status: str) -> None:
        self.toast(number).locator("[data-undo]").click()
        expect_in(self.page, number, back_in)
        expect(self.toast(number)).to_contain_text(f"снова в «{back_in}»")
        self.expected.subtract((status, who) for who in TABLE[status])

    def toast(self, number: str) -> Locator:
        return self.page.locator(".toast:not([data-kind])").filter(has_text=number)


def test_a_working_day_on_one_page(visit: Visits, site: Site) -> None:
    _rules_of_every_action(site.log.parent / "instance")
    day, second = Day(visit("melnikov", reduced_motion="no-preference")), visit("belova")
    page = day.page

    # the morning: new orders, and the first moves; each toast outlives the next
    new = ["К-0039", "К-0040", "К-0041", "К-0042"]
    for number, customer in zip(new, ("Утренняя Анна", "Утренний Борис", "Утренняя Вера", "Утренний Глеб"), strict=True):
        day.place(customer, number)

    page.keyboard.press("Escape")

    # forty moves by every way, to and fro between two neighbours, each order at its own pace
    made = 0
    for turn in range(MOVES // len(new)):
        for place, number in enumerate(new):
            day.move((turn + place) % 3, number, READY if turn % 2 == 0 else DESIGN)
            made += 1
    assert made == MOVES
    day.undo(new[-1], READY, DESIGN)
    expect(day.toast(new[-2]).locator("[data-undo]")).to_be_visible()

    # noon: the second person moves, adds and filters; the page follows
    by_menu(second, "К-0038", PAID)
    expect_in(page, "К-0038", PAID)
    day.tell(PAID, but="belova")
    second.locator('input[type="search"]').first.fill("Утренн")
    second.locator('input[type="search"]').first.press("Enter")
    expect(second.locator(".card")).to_have_count(4)
    with visit.expects("409 /orders/*/move"):
        card(page, new[0]).evaluate("(card) => (card.dataset.version = '1')")
        by_keys(page, new[0], "ArrowRight")
        expect(page.locator('.toast[data-kind="refused"]')).to_contain_text(new[0])
        expect_in(page, new[0], DESIGN)

    # rules of every action: each move is answered as what it is
    day.move(0, new[0], PREPAID)
    day.tell("В производстве")
    day.move(1, new[0], INSTALL)
    day.move(0, new[1], INSTALL)
    for number in new[:2]:
        expect(card(page, number)).to_be_visible()
    day.undo(new[1], DESIGN, INSTALL)

    # a break in the line, and back
    with visit.allows("failed /*"):
        page.context.set_offline(True)
        by_keys(page, new[2], "ArrowRight")
        expect(page.locator('.toast[data-kind="refused"]').last).to_contain_text("Нет связи")
        expect_in(page, new[2], DESIGN)
        page.context.set_offline(False)
        by_menu(second, new[3], CLOSED)
        day.tell(CLOSED, but="belova")
        expect_in(page, new[3], CLOSED)
    day.move(2, new[2], READY)

    # the evening: exactly these e-mails, each once, and the page is the one that was opened in the morning
    expected = +day.expected
    until(lambda: len(site.mail.mail) >= expected.total(), 60)
    page.wait_for_timeout(2000)
    arrived = Counter((status_of(one), str(one["To"]).split("<")[-1].split("@")[0]) for one in site.mail.mail)
    assert arrived == expected
    assert len({one["Message-ID"] for one in site.mail.mail}) == expected.total()
    assert page.evaluate("window.openedInTheMorning") is True
    expect(column(page, INSTALL).locator(".card-number", has_text=new[0])).to_be_visible()
