"""Growth files and achievements.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KINDS = ("customer_praise", "improvement", "cost_saving", "rescue", "peer_thanks", "award")


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "growth_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("data_versions", sa.JSON(), nullable=False),
        sa.Column("shared", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_growth_run")),
    )
    op.create_table(
        "growth_file",
        sa.Column("employee_id", sa.String(length=200), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("employee_id", name=op.f("pk_growth_file")),
    )
    _of_a_file("growth_need", sa.Column("need", sa.String(length=40), nullable=False), key="need")
    _of_a_file(
        "growth_pair",
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("skill", sa.Text(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.CheckConstraint("kind IN ('mentor', 'buddy')", name=op.f("ck_growth_pair_kind")),
        key="place",
    )
    op.create_index(op.f("ix_growth_need_need"), "growth_need", ["need"], unique=False)
    op.create_index(op.f("ix_growth_pair_other_id"), "growth_pair", ["other_id"], unique=False)
    _achievements()


def _of_a_file(name: str, *columns: sa.schema.SchemaItem, key: str) -> None:
    op.create_table(
        name,
        sa.Column("employee_id", sa.String(length=200), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["employee_id"],
            ["growth_file.employee_id"],
            name=op.f(f"fk_{name}_employee_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("employee_id", key, name=op.f(f"pk_{name}")),
    )


def _achievements() -> None:
    listed = ", ".join(f"'{kind}'" for kind in KINDS)
    op.create_table(
        "achievement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.String(length=200), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("given_by", sa.String(length=200), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(f"kind IN ({listed})", name=op.f("ck_achievement_kind")),
        sa.CheckConstraint("source IN ('import', 'page', 'api')", name=op.f("ck_achievement_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_achievement")),
    )
    op.create_index(op.f("ix_achievement_employee_id"), "achievement", ["employee_id"], unique=False)
    op.create_index(op.f("ix_achievement_happened_on"), "achievement", ["happened_on"], unique=False)


def downgrade() -> None:
    """Take the step back."""
    for name in ("achievement", "growth_pair", "growth_need", "growth_file", "growth_run"):
        op.drop_table(name)
