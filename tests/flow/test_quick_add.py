"""The quick add: who is responsible, by which organisation, and today's order date."""

import re

from flask.testing import FlaskClient
from sqlalchemy import select

from kanban import clock
from kanban.db import db
from kanban.models import Order
from kanban.people import add_organisation, change_organisation
from kanban.transactions import transaction
from tests.cast import Cast, Signed


def chosen(page: str, name: str) -> str | None:
    """The value that stands chosen in a select of the quick add; None where there is no such select."""
    found = re.search(rf'<select[^>]*name="{name}"[^>]*>(.*?)</select>', page, re.S)
    if found is None:
        return None
    selected = re.search(r'value="(\d*)" selected', found[1])
    return selected[1] if selected else ""


def newest() -> Order:
    db.session.rollback()
    found = db.session.scalar(select(Order).order_by(Order.id.desc()).limit(1))
    assert found is not None
    return found


def test_it_begins_with_me_the_only_organisation_and_today(cast: Cast, client: FlaskClient) -> None:
    manager = Signed(client, cast.email("manager"))
    page = manager.get("/boards/1").text
    assert (chosen(page, "responsible_id"), chosen(page, "organisation_id")) == (str(cast.people["manager"]), str(cast.organisation))
    manager.post("/boards/1/place", {"customer_name": "Ли"}, htmx=True)
    order = newest()
    assert (order.responsible_id, order.organisation_id, order.order_on) == (cast.people["manager"], cast.organisation, clock.today())


def test_of_several_organisations_the_one_named_last_by_this_person(cast: Cast, client: FlaskClient) -> None:
    with transaction() as session:
        second = add_organisation(session, None, "ИП Мельников").id
    manager = Signed(client, cast.email("manager"))
    assert chosen(manager.get("/boards/1").text, "organisation_id") == ""
    cast.place(cast.designer)
    values = {"customer_name": "Ли", "responsible_id": str(cast.people["designer"]), "organisation_id": str(second)}
    manager.post("/boards/1/place", values, htmx=True)
    assert (newest().responsible_id, newest().organisation_id) == (cast.people["designer"], second)
    manager.post("/boards/1/place", {"customer_name": "Ли", "responsible_id": "", "organisation_id": ""}, htmx=True)
    assert (newest().responsible_id, newest().organisation_id) == (None, None)
    assert chosen(manager.get("/boards/1").text, "organisation_id") == str(second)
    with transaction() as session:
        third = add_organisation(session, None, "ООО «Третье»").id
        change_organisation(session, cast.owner, second, "ИП Мельников", False)
    assert chosen(manager.get("/boards/1").text, "organisation_id") == "" and third


def test_what_was_chosen_stays_where_the_rest_is_wrong_and_nobody_else_can_be_chosen(cast: Cast, client: FlaskClient) -> None:
    manager = Signed(client, cast.email("manager"))
    values = {"customer_name": "", "responsible_id": str(cast.people["designer"]), "organisation_id": ""}
    answer = manager.post("/boards/1/place", values, htmx=True)
    assert answer.status_code == 422
    assert (chosen(answer.text, "responsible_id"), chosen(answer.text, "organisation_id")) == (str(cast.people["designer"]), "")
    wrong = manager.post("/boards/1/place", {"customer_name": "Ли", "responsible_id": "99999"}, htmx=True)
    assert wrong.status_code == 422 and 'aria-describedby="quick-responsible' in wrong.text
