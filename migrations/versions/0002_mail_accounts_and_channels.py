"""mail accounts of everyone, and other channels"""

import sqlalchemy as sa
from alembic import op

import kanban.db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gateway",
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("service", sa.String(length=20), nullable=False),
        sa.Column("sealed_fields", sa.Text(), nullable=False),
        sa.Column("per_hour", sa.Integer(), nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.Column("paused_until", kanban.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_sent_at", kanban.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("last_error_at", kanban.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("changed_at", kanban.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_gateway")),
    )
    op.create_table(
        "unsubscribed",
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("at", kanban.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_unsubscribed")),
    )
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.add_column(sa.Column("account_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("sender", sa.String(length=254), nullable=False, server_default=""))
        batch_op.create_index(batch_op.f("ix_delivery_account_id_delivery_started_at"), ["account_id", "started_at"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_delivery_account_id_mail_account"), "mail_account", ["account_id"], ["id"], ondelete="SET NULL"
        )

    with op.batch_alter_table("mail_account", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=12), nullable=False, server_default="system"))
        batch_op.add_column(sa.Column("person_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("oauth", sa.String(length=12), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("sealed_token", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("receive_host", sa.String(length=254), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("receive_port", sa.Integer(), nullable=False, server_default="993"))
        batch_op.add_column(sa.Column("receive_security", sa.String(length=10), nullable=False, server_default="tls"))
        batch_op.add_column(sa.Column("receive_username", sa.String(length=254), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("copy_to_self", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("keep_sent", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("sent_folder", sa.String(length=120), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("fall_back", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch_op.add_column(sa.Column("per_letter", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("ca_pem", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("per_hour", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("per_day", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("paused_until", kanban.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_index(batch_op.f("ix_mail_account_kind"), ["kind"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_mail_account_person_id"), ["person_id"])
        batch_op.create_foreign_key(batch_op.f("fk_mail_account_person_id_person"), "person", ["person_id"], ["id"], ondelete="CASCADE")

    with op.batch_alter_table("message", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("account_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("note", sa.String(length=30), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("reply_to", sa.String(length=254), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("read_at", kanban.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.drop_index(batch_op.f("ix_message_state_message_due_at_message_id"))
        batch_op.create_index("ix_message_tried", ["channel", "account_id", "state", "attempts", "address", "id"], unique=False)
        batch_op.create_index("ix_message_claim", ["channel", "account_id", "state", "due_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_person_id_message_channel_message_id"), ["person_id", "channel", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_state_message_due_at"), ["state", "due_at"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_message_account_id_mail_account"), "mail_account", ["account_id"], ["id"], ondelete="SET NULL"
        )

    with op.batch_alter_table("person") as batch_op:
        batch_op.add_column(sa.Column("chat", sa.String(length=80), nullable=False, server_default=""))

    with op.batch_alter_table("template") as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=10), nullable=False, server_default="letter"))


def downgrade() -> None:
    with op.batch_alter_table("template") as batch_op:
        batch_op.drop_column("kind")

    with op.batch_alter_table("person") as batch_op:
        batch_op.drop_column("chat")

    with op.batch_alter_table("message", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_message_account_id_mail_account"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_message_state_message_due_at"))
        batch_op.drop_index(batch_op.f("ix_message_person_id_message_channel_message_id"))
        batch_op.drop_index("ix_message_claim")
        batch_op.drop_index("ix_message_tried")
        batch_op.create_index(batch_op.f("ix_message_state_message_due_at_message_id"), ["state", "due_at", "id"], unique=False)
        batch_op.drop_column("read_at")
        batch_op.drop_column("reply_to")
        batch_op.drop_column("note")
        batch_op.drop_column("account_id")

    with op.batch_alter_table("mail_account") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_mail_account_person_id_person"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_mail_account_person_id"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_mail_account_kind"))
        batch_op.drop_column("failures")
        batch_op.drop_column("paused_until")
        batch_op.drop_column("per_day")
        batch_op.drop_column("per_hour")
        batch_op.drop_column("ca_pem")
        batch_op.drop_column("per_letter")
        batch_op.drop_column("fall_back")
        batch_op.drop_column("sent_folder")
        batch_op.drop_column("keep_sent")
        batch_op.drop_column("copy_to_self")
        batch_op.drop_column("receive_username")
        batch_op.drop_column("receive_security")
        batch_op.drop_column("receive_port")
        batch_op.drop_column("receive_host")
        batch_op.drop_column("sealed_token")
        batch_op.drop_column("oauth")
        batch_op.drop_column("person_id")
        batch_op.drop_column("kind")

    with op.batch_alter_table("delivery") as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_delivery_account_id_mail_account"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_delivery_account_id_delivery_started_at"))
        batch_op.drop_column("sender")
        batch_op.drop_column("account_id")

    op.drop_table("unsubscribed")
    op.drop_table("gateway")
