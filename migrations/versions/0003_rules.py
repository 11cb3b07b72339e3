"""rules of every trigger"""

import sqlalchemy as sa
from alembic import op

import kanban.db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rule_version") as batch_op:
        batch_op.add_column(sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("board_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("event") as batch_op:
        batch_op.create_index(batch_op.f("ix_event_cause_event_id"), ["cause_event_id"], unique=False)
    with op.batch_alter_table("run") as batch_op:
        failed = sa.text("outcome IN ('failed', 'stopped')")
        batch_op.create_index("ix_run_failed", ["rule_id", "id"], unique=False, sqlite_where=failed, postgresql_where=failed)
    with op.batch_alter_table("rule") as batch_op:
        batch_op.add_column(sa.Column("log_only", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("paused_until", kanban.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("watched_from", kanban.db.UtcDateTime(timezone=True), nullable=False, server_default="2026-01-01 00:00:00+00:00")
        )
    with op.batch_alter_table("order") as batch_op:
        for day in ("ship_on", "installation_on", "order_on"):
            batch_op.create_index(batch_op.f(f"ix_order_board_id_order_{day}"), ["board_id", day], unique=False)
    op.create_table(
        "fired",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(length=40), nullable=False),
        sa.Column("at", kanban.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_fired_order_id_order"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["rule_id"], ["rule.id"], name=op.f("fk_fired_rule_id_rule"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fired")),
    )
    op.create_table(
        "later",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("status_id", sa.Integer(), nullable=False),
        sa.Column("due_at", kanban.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("created_at", kanban.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_later_event_id_event"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_later_order_id_order"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["rule_id"], ["rule.id"], name=op.f("fk_later_rule_id_rule"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_later")),
    )
    with op.batch_alter_table("later") as batch_op:
        batch_op.create_index(batch_op.f("ix_later_event_id_later_rule_id_later_action"), ["event_id", "rule_id", "action"], unique=True)
        batch_op.create_index(batch_op.f("ix_later_state_later_due_at"), ["state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_later_order_id"), ["order_id"], unique=False)
    with op.batch_alter_table("fired") as batch_op:
        batch_op.create_index(batch_op.f("ix_fired_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fired_rule_id_fired_order_id_fired_mark"), ["rule_id", "order_id", "mark"], unique=True)
    op.create_table(
        "todo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("role_id", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("due_time", sa.Time(), nullable=True),
        sa.Column("ring_at", kanban.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("noticed_at", kanban.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author_name", sa.String(length=120), nullable=False),
        sa.Column("done_at", kanban.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("done_by_id", sa.Integer(), nullable=True),
        sa.Column("done_by_name", sa.String(length=120), nullable=False),
        sa.Column("cause_event_id", sa.Integer(), nullable=True),
        sa.Column("cause_rule_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", kanban.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_todo_author_id_person"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["cause_event_id"], ["event.id"], name=op.f("fk_todo_cause_event_id_event"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["done_by_id"], ["person.id"], name=op.f("fk_todo_done_by_id_person"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_todo_order_id_order"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_todo_person_id_person"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name=op.f("fk_todo_role_id_role"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_todo")),
        sa.UniqueConstraint("key", name=op.f("uq_todo_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("todo") as batch_op:
        batch_op.create_index(batch_op.f("ix_todo_order_id_todo_id"), ["order_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_todo_person_id_todo_done_at_todo_due_on"), ["person_id", "done_at", "due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_todo_role_id_todo_done_at_todo_due_on"), ["role_id", "done_at", "due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_todo_ring_at"), ["ring_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_todo_cause_event_id"), ["cause_event_id"], unique=False)


def downgrade() -> None:
    op.drop_table("todo")
    op.drop_table("later")
    op.drop_table("fired")
    with op.batch_alter_table("run") as batch_op:
        batch_op.drop_index("ix_run_failed")
    with op.batch_alter_table("order") as batch_op:
        for day in ("ship_on", "installation_on", "order_on"):
            batch_op.drop_index(batch_op.f(f"ix_order_board_id_order_{day}"))
    with op.batch_alter_table("rule") as batch_op:
        batch_op.drop_column("watched_from")
        batch_op.drop_column("paused_until")
        batch_op.drop_column("log_only")
    with op.batch_alter_table("event") as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_cause_event_id"))
    with op.batch_alter_table("rule_version") as batch_op:
        batch_op.drop_column("board_id")
        batch_op.drop_column("options")
