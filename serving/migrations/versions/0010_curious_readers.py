"""Whom a reader opened within days, and why unusually many.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "reader_look",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(300), nullable=False),
        sa.Column("employee_id", sa.String(200), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("question", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reader_look")),
    )
    op.create_index(op.f("ix_reader_look_who_at"), "reader_look", ["who", "at"])
    op.create_index(op.f("ix_reader_look_employee_id"), "reader_look", ["employee_id"])
    op.create_table(
        "reader_brake",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("who", sa.String(300), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('unusual', 'reason')", name=op.f("ck_reader_brake_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reader_brake")),
    )
    op.create_index(op.f("ix_reader_brake_who_at"), "reader_brake", ["who", "at"])


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("reader_brake")
    op.drop_table("reader_look")
