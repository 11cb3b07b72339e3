"""a message knows its first address, why it was dropped, and whether its words are kept; a delivery, where it went; an order is
found by its author"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = (
    ("message", "queued_for", sa.String(length=254), ""),
    ("message", "dropped", sa.String(length=20), ""),
    ("message", "text_kept", sa.Boolean(), sa.true()),
    ("delivery", "address", sa.String(length=254), ""),
)


def upgrade() -> None:
    for table, name, kind, first in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=first))
    op.create_index(op.f("ix_message_text_kept_message_created_at"), "message", ["text_kept", "created_at"])
    op.create_index(op.f("ix_order_author_id_order_id"), "order", ["author_id", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_order_author_id_order_id"), table_name="order")
    op.drop_index(op.f("ix_message_text_kept_message_created_at"), table_name="message")
    for table, name, _kind, _first in reversed(COLUMNS):
        op.drop_column(table, name)
