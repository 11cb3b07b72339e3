"""gates and limits of statuses, removed and blocked orders, what cards show, how each person sees a board"""

import sqlalchemy as sa
from alembic import op

from kanban.db import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("status", sa.Column("gate", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("status", sa.Column("limit_refuses", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("status", sa.Column("sort", sa.String(10), server_default="hand", nullable=False))
    op.add_column("order", sa.Column("removed_at", UtcDateTime(), nullable=True))
    op.add_column("order", sa.Column("blocked", sa.String(200), server_default="", nullable=False))
    removed = sa.text("removed_at IS NOT NULL")
    op.create_index("ix_order_removed_at", "order", ["removed_at"], sqlite_where=removed, postgresql_where=removed)
    op.add_column("board", sa.Column("card_fields", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("person", sa.Column("theme", sa.String(10), server_default="", nullable=False))
    op.add_column("person", sa.Column("compact", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("person", sa.Column("single_keys", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_table(
        "person_column",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("status_id", sa.Integer(), nullable=False),
        sa.Column("collapsed", sa.Boolean(), nullable=True),
        sa.Column("sort", sa.String(10), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_person_column_person_id_person", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["status_id"], ["status.id"], name="fk_person_column_status_id_status", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "status_id", name="pk_person_column"),
    )


def downgrade() -> None:
    op.drop_table("person_column")
    for name in ("single_keys", "compact", "theme"):
        op.drop_column("person", name)
    op.drop_column("board", "card_fields")
    op.drop_index("ix_order_removed_at", "order")
    for name in ("blocked", "removed_at"):
        op.drop_column("order", name)
    for name in ("sort", "limit_refuses", "gate"):
        op.drop_column("status", name)
