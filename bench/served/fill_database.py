"""`python fill_database.py ORDERS PEOPLE`, run in a checkout: fills its database by its own code.

Uses no more of the checkout than create_app() and bench.workshop.fill(): it may be older or newer than this file.
"""

import importlib
import secrets
import sys
from pathlib import Path
from typing import Any


def main(orders: int, people: int) -> None:
    sys.path[0] = str(Path.cwd())
    app = importlib.import_module("app").create_app()
    with app.app_context():
        importlib.import_module("bench.workshop").fill(orders)
        engine = importlib.import_module("kanban.db").db.engine
        with engine.connect().execution_options(potok_write=True) as connection, connection.begin():
            for number in range(people):
                _add_person(connection, number)


def _add_person(connection: Any, number: int) -> None:
    """A copy of a member of staff, without roles; the password is the owner's, whose hash is the first."""
    first = connection.exec_driver_sql("SELECT * FROM person ORDER BY id LIMIT 1").mappings().one()
    staff = connection.exec_driver_sql("SELECT * FROM person WHERE access = 'staff' ORDER BY id LIMIT 1").mappings().one()
    row = {name: value for name, value in staff.items() if name != "id"}
    row |= {
        "name": f"Сотрудник {number}",
        "email": f"person-{number}@melnikov.example",
        "password": first["password"],
        "fs_uniquifier": secrets.token_hex(16),
    }
    mark = "%({})s" if connection.dialect.paramstyle == "pyformat" else ":{}"
    marks = ", ".join(mark.format(name) for name in row)
    connection.exec_driver_sql(f"INSERT INTO person ({', '.join(row)}) VALUES ({marks})", row)


main(int(sys.argv[1]), int(sys.argv[2]))
