"""sign-ins know when and from where, links that work once, requests for a new password, the security journal"""

import sqlalchemy as sa
from alembic import op

from kanban.db import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("person", sa.Column("unlocked_at", UtcDateTime(timezone=True), nullable=True))
    _upgrade_sign_ins()
    op.create_table(
        "one_time_link",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_one_time_link_author_id_person"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_one_time_link_person_id_person"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_link")),
    )
    op.create_index(op.f("ix_one_time_link_expires_at"), "one_time_link", ["expires_at"])
    op.create_index(op.f("ix_one_time_link_person_id_one_time_link_created_at"), "one_time_link", ["person_id", "created_at"])
    op.create_table(
        "reset_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reset_request")),
    )
    op.create_table(
        "security_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("who", sa.String(length=254), nullable=False),
        sa.Column("about", sa.String(length=254), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_security_event_person_id_person"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_security_event_at"), "security_event", ["at"])
    op.create_index(op.f("ix_security_event_kind_security_event_id"), "security_event", ["kind", "id"])
    op.create_index(op.f("ix_security_event_person_id_security_event_id"), "security_event", ["person_id", "id"])


def _upgrade_sign_ins() -> None:
    """Whoever is signed in has just been seen, and has typed the password when they came."""
    op.add_column("sign_in", sa.Column("address", sa.String(length=45), nullable=False, server_default=""))
    for name in ("seen_at", "confirmed_at"):
        op.add_column("sign_in", sa.Column(name, UtcDateTime(timezone=True), nullable=True))
    op.execute("UPDATE sign_in SET seen_at = CURRENT_TIMESTAMP, confirmed_at = created_at")
    with op.batch_alter_table("sign_in") as table:
        for name in ("seen_at", "confirmed_at"):
            table.alter_column(name, existing_type=UtcDateTime(timezone=True), nullable=False)


def downgrade() -> None:
    for name in ("security_event", "reset_request", "one_time_link"):
        op.drop_table(name)
    for name in ("address", "seen_at", "confirmed_at"):
        op.drop_column("sign_in", name)
    for name in ("must_change_password", "unlocked_at"):
        op.drop_column("person", name)
