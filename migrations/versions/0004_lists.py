"""lists of orders: runs and marks without an order"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("run") as batch_op:
        batch_op.alter_column("event_id", existing_type=sa.Integer(), nullable=True)
    with op.batch_alter_table("fired") as batch_op:
        batch_op.alter_column("order_id", existing_type=sa.Integer(), nullable=True)
        of_lists = sa.text("order_id IS NULL")
        batch_op.create_index("ix_fired_list", ["rule_id", "mark"], unique=True, sqlite_where=of_lists, postgresql_where=of_lists)


def downgrade() -> None:
    op.execute("DELETE FROM run WHERE event_id IS NULL")
    op.execute("DELETE FROM fired WHERE order_id IS NULL")
    with op.batch_alter_table("fired") as batch_op:
        batch_op.drop_index("ix_fired_list")
        batch_op.alter_column("order_id", existing_type=sa.Integer(), nullable=False)
    with op.batch_alter_table("run") as batch_op:
        batch_op.alter_column("event_id", existing_type=sa.Integer(), nullable=False)
