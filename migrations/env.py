"""Alembic's environment. On SQLite foreign keys are off while tables are rebuilt (a rebuilt parent would cascade into
every child row), and checked afterwards."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from kanban.db import Base


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        is_sqlite = engine.dialect.name == "sqlite"
        if is_sqlite:
            # straight to the driver: the pragma counts only outside a transaction
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
            connection.execution_options(potok_write=True)
        context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=is_sqlite, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
        if is_sqlite:
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            connection.rollback()
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")
            if broken:
                raise RuntimeError(f"the migration left rows that point nowhere: {broken[:5]}")


run()
