"""The demo workshop: people with freshly made passwords, and orders with a past."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kanban import clock
from kanban.actor import Actor, actor_of
from kanban.models import Event, Order, Person
from kanban.orders import OrderFields, make_production, move, place
from kanban.people import PersonFields, add_organisation, add_person
from kanban.presets import Loaded, read
from kanban.settings import write_setting

PATH = ("design", "ready", "prepaid", "paid", "paid_ready", "install", "closed")
WORK_PATH = ("making", "assembly", "made")
WORDS = [
    "birch",
    "cedar",
    "maple",
    "walnut",
    "copper",
    "linen",
    "ember",
    "harbor",
    "meadow",
    "pebble",
    "willow",
    "saffron",
    "amber",
    "cobalt",
]


@dataclass(frozen=True)
class DemoPerson:
    """password: as typed; hash made before the transaction, because it is slow."""

    key: str
    fields: dict[str, Any]
    password: str
    hash: str


def make_people(hash_password: Callable[[str], str]) -> list[DemoPerson]:
    """The cast of the demo with fresh passwords."""
    people = []
    for content in read("demo")["people"]:
        password = "-".join(secrets.choice(WORDS) for _ in range(3)) + f"-{secrets.randbelow(90) + 10}"
        people.append(DemoPerson(content["key"], content, password, hash_password(password)))
    return people


def load_demo(session: Session, loaded: Loaded, cast: list[DemoPerson], language: str) -> dict[str, Person]:
    """Fills an empty database. Run before rules are loaded, so that the past sends no letters."""
    content = read("demo")
    write_setting(session, "company", content["company"][language])
    write_setting(session, "language", language)
    organisations = [add_organisation(session, None, names[language]) for names in content["organisations"]]
    people = {one.key: _add(session, one, content["domain"], loaded, language) for one in cast}
    actors = {key: actor_of(session, person) for key, person in people.items()}
    for count, row in enumerate(content["orders"]):
        _Past(session, loaded, actors, language).live(row, organisations[1 if count % 5 == 4 else 0].id)
    return people


def _add(session: Session, one: DemoPerson, domain: str, loaded: Loaded, language: str) -> Person:
    fields = PersonFields(
        name=one.fields["name"][language], email=f"{one.fields['email']}@{domain}", access=one.fields["access"],
        phone="", language=language, role_ids=[loaded.roles[key].id for key in one.fields["roles"]],
    )  # fmt: skip
    person = add_person(session, None, fields, one.hash)
    person.tone = one.fields["tone"]
    return person


@dataclass
class _Past:
    """Lives one order's past through the verbs, then sets the clock of its history back."""

    session: Session
    loaded: Loaded
    people: dict[str, Actor]
    language: str

    def live(self, row: dict[str, Any], organisation_id: int) -> None:
        who = self.people[row["who"]]
        seller = self.people["manager"]
        order = place(self.session, seller, self.loaded.boards["orders"].id, self._fields(row, who, organisation_id)).order
        steps = PATH[1 : PATH.index(row["status"]) + 1]
        if "paid_ready" in steps and row["status"] != "paid_ready":
            steps = tuple(step for step in steps if step != "paid")
        for step in steps:
            self._move(order, self._mover(step), step)
        self._age(order, row["age"])
        if "work" in row:
            self._work(order, row)

    def _fields(self, row: dict[str, Any], who: Actor, organisation_id: int) -> OrderFields:
        total = row["total"] * 100
        digits = f"{row['total'] * 7919 % 10_000_000:07d}"
        today = clock.today()
        roles = {"manager": "manager", "designer": "designer"}
        return OrderFields(
            customer_name=row["customer"][self.language], title=row["title"][self.language],
            customer_phone=f"+7 900 {digits[:3]}-{digits[3:5]}-{digits[5:]}", organisation_id=organisation_id,
            responsible_id=who.id, order_on=today - timedelta(days=row["age"] + 7 * PATH.index(row["status"]) + 3),
            ship_on=today + timedelta(days=row["ship"]), installation_on=today + timedelta(days=row["ship"] + 2),
            installation_address=row["address"][self.language], total=total, paid=total * row["paid"] // 100,
            description=row.get("wish", {}).get(self.language, ""),
            people={self.loaded.roles[role].id: self.people[person].id for role, person in roles.items()},
        )  # fmt: skip

    def _mover(self, step: str) -> Actor:
        by = {"ready": "designer", "prepaid": "accountant", "paid": "accountant", "paid_ready": "accountant"}
        return self.people[by.get(step, "manager")]

    def _move(self, order: Order, actor: Actor, step: str) -> None:
        move(self.session, actor, order.id, status_id=self.loaded.statuses[step].id, before="", version=order.version)

    def _work(self, order: Order, row: dict[str, Any]) -> None:
        work = make_production(self.session, self.people["manager"], order.id).order
        for step in WORK_PATH[1 : WORK_PATH.index(row["work"]) + 1]:
            self._move(work, self.people["technologist"], step)
        self._age(work, max(1, row["age"] - 1))

    def _age(self, order: Order, days: int) -> None:
        """The last event `days` ago, those before it some days earlier each, at working hours."""
        at = clock.now().replace(hour=7, minute=0, second=0, microsecond=0) - timedelta(days=days)
        events = self.session.scalars(select(Event).where(Event.order_id == order.id).order_by(Event.id.desc())).all()
        order.entered_at = at
        for step, event in enumerate(events):
            event.at = at
            at = self._earlier(at, order.id + step)

    def _earlier(self, at: datetime, salt: int) -> datetime:
        return (at - timedelta(days=2 + salt % 5)).replace(hour=6 + salt * 7 % 9, minute=salt * 13 % 60)


def is_empty(session: Session) -> bool:
    return session.scalar(select(Person.id).limit(1)) is None
