"""The fixed cast: an owner (admin, answers for nothing), a manager, a designer, an accountant, a chief technologist, one
who only looks, and builders with good defaults. Its password is the same for all."""

import contextvars
import re
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from sqlalchemy import select

from kanban import orders
from kanban.actor import Actor, actor_of
from kanban.db import db
from kanban.fields import BUILT_IN
from kanban.i18n import force_locale
from kanban.models import Board, Order, Person, Status
from kanban.orders import OrderFields
from kanban.people import PersonFields, add_organisation, add_person
from kanban.presets import load_preset
from kanban.security import enter, passwords
from kanban.settings import write_setting
from kanban.transactions import transaction
from rules.editing.process_import import load_rules
from rules.models import Message

PASSWORD = "quiet-river-birch-42"
PEOPLE = {
    "owner": ("Сергей Мельников", "admin", []),
    "manager": ("Ольга Белова", "staff", ["manager"]),
    "designer": ("Марина Лисицына", "staff", ["designer"]),
    "accountant": ("Тамара Гусева", "staff", ["accountant"]),
    "technologist": ("Виктор Новосельцев", "staff", ["technologist"]),
    "viewer": ("Павел Лебедев", "viewer", []),
}


def order_fields(now: OrderFields | None = None, **values: Any) -> OrderFields:
    """With some of its fields changed, columns of the order by their names; None: of an order that says nothing yet."""
    columns = {field.name for field in BUILT_IN.columns} & set(values)
    others = {name: value for name, value in values.items() if name not in columns}
    return replace(now or OrderFields(""), **others).with_values(**{name: values[name] for name in columns})


@cache
def _hashed(_cost: str) -> str:
    return passwords().hash(PASSWORD)


@dataclass
class Cast:
    """Ids by key: people by PEOPLE's keys, roles, boards and statuses by the preset's."""

    people: dict[str, int]
    actors: dict[str, Actor]
    roles: dict[str, int]
    boards: dict[str, int]
    statuses: dict[str, int]
    templates: dict[str, int]
    organisation: int

    def __getattr__(self, name: str) -> Actor:
        if name in PEOPLE:
            return self.actors[name]
        raise AttributeError(name)

    def email(self, who: str) -> str:
        return f"{who}@melnikov.example"

    def place(self, actor: Actor | None = None, **fields: Any) -> Order:
        """A customer order, placed by the owner unless said otherwise."""
        values = {
            "customer_name": "Хасанова Гузель",
            "customer_phone": "+7 900 123-45-67",
            "customer_email": "guzel@mail.example",
            "title": "Угловая кухня",
            "total": 38_700_000,
            "paid": 19_350_000,
            "ship_on": date(2026, 12, 26),
            "organisation_id": self.organisation,
            "description": "Мойка у окна",
            "installation_address": "Казань, Баумана 14",
        }
        with transaction() as session:
            return orders.place(session, actor or self.owner, self.boards["orders"], order_fields(**(values | fields))).order

    def move(self, order: Order | int, status: str, actor: Actor | None = None, **more: Any) -> orders.Moved:
        id_ = order if isinstance(order, int) else order.id
        version = more.pop("version", None) or db.session.scalar(select(Order.version).where(Order.id == id_))
        before = more.pop("before", "")
        with transaction() as session:
            return orders.move(session, actor or self.owner, id_, status_id=self.statuses[status], before=before, version=version, **more)

    def undo(self, order: Order, event_id: int, actor: Actor | None = None) -> orders.Undoing:
        with transaction() as session:
            return orders.undo(session, actor or self.owner, order.id, event_id)

    def produce(self, order: Order, actor: Actor | None = None) -> Order:
        with transaction() as session:
            return orders.make_production(session, actor or self.owner, order.id).order

    def messages(self, **by: Any) -> list[Message]:
        query = select(Message).order_by(Message.id).execution_options(populate_existing=True)
        found = list(db.session.scalars(query.filter_by(**by)))
        for message in found:
            db.session.expunge(message)
        db.session.rollback()
        return found

    def column(self, status: str) -> list[str]:
        """Numbers of the orders of a column, from the top."""
        query = select(Order.number).where(Order.status_id == self.statuses[status]).order_by(Order.rank)
        found = list(db.session.scalars(query))
        db.session.rollback()
        return found

    def head(self, status: str) -> tuple[int, int]:
        db.session.rollback()
        one = db.session.get_one(Status, self.statuses[status], populate_existing=True)
        found = (one.order_count, one.order_total)
        db.session.rollback()
        return found


def make_cast(language: str) -> Cast:
    """Fills an empty database with the kitchen preset and the cast. Needs an application context."""
    password = _hashed("cheap")
    with force_locale(language), transaction() as session:
        write_setting(session, "company", "Кухни «Мельников»")
        write_setting(session, "language", language)
        organisation = add_organisation(session, None, "ООО «Мельников»")
        loaded = load_preset(session, "kitchen", language)
        people = {
            key: add_person(
                session,
                None,
                PersonFields(
                    name, f"{key}@melnikov.example", access=access, language=language, role_ids=[loaded.roles[role].id for role in roles]
                ),
                password,
            )
            for key, (name, access, roles) in PEOPLE.items()
        }
        templates = load_rules(session, loaded, language)
        actors = {key: actor_of(session, person) for key, person in people.items()}
    ids = {key: person.id for key, person in people.items()}
    made = Cast(
        ids,
        actors,
        {key: role.id for key, role in loaded.roles.items()},
        {key: board.id for key, board in loaded.boards.items()},
        {key: status.id for key, status in loaded.statuses.items()},
        {key: one.id for key, one in templates.items()},
        organisation.id,
    )
    db.session.rollback()
    return made


TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def _sign_in(app: Flask, email: str) -> tuple[dict[str, Any], str]:
    """What the cookie holds then, and a CSRF token."""
    with app.test_request_context("/sign-in"):
        app.preprocess_request()
        enter(db.session.scalars(select(Person).where(Person.email == email)).one(), stay=False)
        token = generate_csrf()
        return dict(session), token


class Signed:
    """A client that has signed in, and sends the CSRF token as the pages do. The way through the form has tests of its own."""

    def __init__(self, client: FlaskClient, email: str) -> None:
        self.client = client
        kept, self.token = contextvars.Context().run(_sign_in, client.application, email)
        with client.session_transaction() as stored:
            stored.update(kept)

    def get(self, url: str, htmx: bool = False, page: str = "", **more: Any) -> Any:
        return self.client.get(url, headers=self._headers(htmx, page), **more)

    def post(self, url: str, data: dict[str, Any] | None = None, htmx: bool = False, page: str = "") -> Any:
        return self.client.post(url, data=data or {}, headers=self._headers(htmx, page))

    def _headers(self, htmx: bool, page: str) -> dict[str, str]:
        headers = {"X-CSRFToken": self.token, "Referer": "http://localhost/"}
        if htmx:
            headers |= {"HX-Request": "true", "HX-Current-URL": f"http://localhost{page}"}
        return headers


__all__ = ["PASSWORD", "Board", "Cast", "Person", "Signed", "make_cast"]
