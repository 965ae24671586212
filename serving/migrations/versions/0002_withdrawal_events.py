"""Events of withdrawal: somebody, or a team, does clearly less than is usual."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "withdrawal_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.String(length=200), nullable=True),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(length=20), nullable=False),
        sa.Column("usual", sa.Float(), nullable=True),
        sa.Column("now", sa.Float(), nullable=True),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("n_people", sa.Integer(), nullable=False),
        sa.Column("false_share", sa.Float(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('open', 'done', 'dismissed')", name=op.f("ck_withdrawal_event_status")),
        sa.CheckConstraint(
            "stream IN ('all', 'talk', 'meeting', 'initiative')", name=op.f("ck_withdrawal_event_stream")
        ),
        sa.CheckConstraint("(status = 'open') = (decided_by IS NULL)", name=op.f("ck_withdrawal_event_named")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal_event")),
        sa.UniqueConstraint("employee_id", "week", name=op.f("uq_withdrawal_event_employee_id_week")),
    )
    op.create_index(op.f("ix_withdrawal_event_team"), "withdrawal_event", ["team"], unique=False)
    op.create_index(op.f("ix_withdrawal_event_valid_until"), "withdrawal_event", ["valid_until"], unique=False)


def downgrade() -> None:
    """Take the step back."""
    op.drop_index(op.f("ix_withdrawal_event_valid_until"), table_name="withdrawal_event")
    op.drop_index(op.f("ix_withdrawal_event_team"), table_name="withdrawal_event")

    op.drop_table("withdrawal_event")
