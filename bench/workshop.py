"""A workshop of any size for the measurements: orders by bulk insert, rules of which one matches."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from fractional_indexing import generate_n_keys_between
from sqlalchemy import func, insert, select, update

from app import create_app
from kanban import clock
from kanban.actor import Actor, actor_of
from kanban.config import Config
from kanban.db import Base, db
from kanban.i18n import force_locale
from kanban.models import Customer, Order, Person, Status
from kanban.presets.demo import make_people
from kanban.security import passwords
from kanban.transactions import transaction
from kanban.views import setup
from rules.definition.actions import SendMessage, action_json
from rules.definition.channels import Channel
from rules.definition.recipients import RoleRecipient
from rules.demo import fill as fill_demo
from rules.models import Rule, RuleVersion

PASSWORD = "bench-password-1"


@contextmanager
def workshop(**changed: object) -> Iterator[Flask]:
    """An application on a fresh SQLite file with the demo; the file goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        values: dict[str, object] = {
            "database_url": f"sqlite:///{folder}/bench.db",
            "secret_key": "bench",
            "seal_key": "bench",
            "public_url": "http://127.0.0.1:8000",
            "password_hash_cost": "cheap",
        }
        setup.forget()
        app = create_app(Config(**(values | changed)), Path(folder))  # type: ignore[arg-type]
        with app.app_context():
            Base.metadata.create_all(db.engine)
            cast = make_people(lambda _: passwords().hash(PASSWORD))
            with force_locale("ru"), transaction() as session:
                fill_demo(session, app.config["POTOK"], cast, "ru")
            yield app
            db.session.remove()
            db.engine.dispose()


def owner() -> Actor:
    person = db.session.scalars(select(Person).where(Person.access == "admin")).one()
    actor = actor_of(db.session(), person)
    db.session.rollback()
    return actor


def fill(open_orders: int) -> None:
    """Brings the first board to this many open orders, evenly over its first six statuses."""
    draw = random.Random(7)
    with transaction() as session:
        statuses = list(session.scalars(select(Status).where(Status.board_id == 1).order_by(Status.position)))[:6]
        have = session.scalar(select(func.count()).select_from(Order).where(Order.board_id == 1)) or 0
        missing = max(0, open_orders - have)
        people = list(session.scalars(select(Person.id).where(Person.access == "staff")))
        customers = session.scalar(select(func.max(Customer.id))) or 0
        session.execute(insert(Customer), [{"name": f"Заказчик {n}", "phone": "+7 900 000-00-00", "email": ""} for n in range(missing)])
        ranks: dict[int, list[str]] = {}
        for status in statuses:
            last = session.scalar(select(func.max(Order.rank)).where(Order.status_id == status.id))
            ranks[status.id] = generate_n_keys_between(last, None, missing // 6 + 1)
        rows: list[dict[str, Any]] = []
        now, today = clock.now(), clock.today()
        for n in range(missing):
            status = statuses[n % 6]
            total = draw.randrange(100_000, 900_000) * 100
            rows.append(
                {
                    "board_id": 1,
                    "status_id": status.id,
                    "number": f"Н-{have + n:06d}",
                    "title": "Угловая, 3,2 × 1,8 м, эмаль",
                    "customer_id": customers + n + 1,
                    "responsible_id": draw.choice(people),
                    "total": total,
                    "paid": total // 2,
                    "ship_on": today + timedelta(days=draw.randrange(-5, 60)),
                    "rank": ranks[status.id][n // 6],
                    "entered_at": now - timedelta(days=draw.randrange(0, 20)),
                    "search": f"н-{n:06d} заказчик {n}",
                    "tags": [],
                    "installation_address": "",
                    "description": "",
                    "version": 1,
                    "created_at": now,
                }
            )
        for start in range(0, len(rows), 5000):
            session.execute(insert(Order), rows[start : start + 5000])
        for status in statuses:
            count, total = session.execute(select(func.count(), func.sum(Order.total)).where(Order.status_id == status.id)).one()
            session.execute(update(Status).where(Status.id == status.id).values(order_count=count, order_total=total or 0))
    with db.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")


def add_rules(count: int) -> None:
    """This many rules in all, spread over statuses an order never enters here, beside the one of the preset that matches."""
    with transaction() as session:
        have = session.scalar(select(func.count()).select_from(Rule)) or 0
        missing = max(0, count - have)
        if not missing:
            return
        first = (session.scalar(select(func.max(Rule.id))) or 0) + 1
        rules = [
            {
                "id": first + n,
                "board_id": 2,
                "name": f"Правило {n}",
                "active": True,
                "trigger_key": f"entered:{1000 + n % 300}",
                "in_matrix": False,
            }
            for n in range(missing)
        ]
        actions = [action_json(SendMessage(Channel.EMAIL, 1, (RoleRecipient(1),)))]
        versions: list[dict[str, Any]] = [
            {"rule_id": rule["id"], "number": 1, "trigger": "entered", "criteria": {"all": []}, "actions": actions, "tell_actor": False}
            for rule in rules
        ]
        session.execute(insert(Rule), rules)
        session.execute(insert(RuleVersion), versions)
        session.execute(
            update(Rule)
            .where(Rule.version_id.is_(None))
            .values(version_id=select(RuleVersion.id).where(RuleVersion.rule_id == Rule.id).scalar_subquery())
        )
