"""which changes show on boards; tries are counted by all processes together"""

import sqlalchemy as sa
from alembic import op

from kanban.db import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("change", sa.Column("boards", sa.Boolean(), server_default=sa.false(), nullable=False))
    here = sa.text("boards")
    op.create_index("ix_change_id", "change", ["id"], sqlite_where=here, postgresql_where=here)
    op.create_table(
        "guess",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_guess"),
    )
    op.create_index("ix_guess_key_guess_at", "guess", ["key", "at"])
    op.create_index("ix_guess_at", "guess", ["at"])


def downgrade() -> None:
    op.drop_table("guess")
    op.drop_index("ix_change_id", "change")
    with op.batch_alter_table("change") as batch_op:
        batch_op.drop_column("boards")
