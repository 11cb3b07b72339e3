"""ids of rules and their versions are never used again"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """PostgreSQL never does; SQLite only where it is told so."""
    _rebuild({"sqlite_autoincrement": True})


def downgrade() -> None:
    _rebuild({})


def _rebuild(settings: dict[str, bool]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in ("rule", "rule_version"):
            with op.batch_alter_table(table, recreate="always", table_kwargs=settings):
                pass
