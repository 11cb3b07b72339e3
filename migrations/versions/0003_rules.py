"""rules of every trigger"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rule_version") as batch_op:
        batch_op.add_column(sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("event") as batch_op:
        batch_op.create_index(batch_op.f("ix_event_cause_event_id"), ["cause_event_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("event") as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_cause_event_id"))
    with op.batch_alter_table("rule_version") as batch_op:
        batch_op.drop_column("options")
