"""how many months an order's warranty lasts"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("order") as batch_op:
        batch_op.add_column(sa.Column("warranty_months", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("order") as batch_op:
        batch_op.drop_column("warranty_months")
