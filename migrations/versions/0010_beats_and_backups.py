"""when web and worker last wrote, backups"""

import sqlalchemy as sa
from alembic import op

from kanban.db import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "beat",
        sa.Column("part", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("part", "name", name=op.f("pk_beat")),
    )
    op.execute("INSERT INTO beat (part, name, at) SELECT 'worker', name, at FROM worker_beat")
    op.drop_table("worker_beat")
    op.create_table(
        "backup",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("by", sa.String(length=254), nullable=False),
        sa.Column("worker", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("backup")
    op.create_table(
        "worker_beat",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_beat")),
    )
    op.execute("INSERT INTO worker_beat (name, at) SELECT name, at FROM beat WHERE part = 'worker'")
    op.drop_table("beat")
