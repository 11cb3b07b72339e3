"""facts are kept so that PostgreSQL reads parts of them"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("event", "facts", type_=postgresql.JSONB(), existing_nullable=False, postgresql_using="facts::jsonb")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("event", "facts", type_=sa.JSON(), existing_nullable=False, postgresql_using="facts::json")
