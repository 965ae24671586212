"""Accounts and their tries, sign-ins through a provider, keys that end, the stop switch, contests.

Revision ID: 0007
Revises: 0006
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SEES_SELF = "sees IN ('everyone', 'department', 'team', 'manager', 'self')"
MOMENT = sa.DateTime(timezone=True)
ADDED: dict[str, tuple[tuple[str, Any], ...]] = {
    "api_key": (("expires_at", MOMENT), ("used_on", sa.Date()), ("replaces", sa.Integer())),
    "sign_in": (("seen_at", MOMENT), ("identity", sa.String(300))),
}


def upgrade() -> None:
    """Take the step."""
    for table, columns in ADDED.items():
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind, nullable=True))
    _accounts()
    op.create_table(
        "stop_switch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stopped_at", MOMENT, nullable=False),
        sa.Column("stopped_by", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_by", sa.String(200)),
        sa.Column("first_identity", sa.String(300)),
        sa.Column("first_at", MOMENT),
        sa.Column("released_by", sa.String(200)),
        sa.Column("released_at", MOMENT),
        sa.Column("is_on", sa.Boolean()),
        sa.CheckConstraint("is_on", name=op.f("ck_stop_switch_on_or_null")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop_switch")),
        sa.UniqueConstraint("is_on", name=op.f("uq_stop_switch_is_on")),
    )
    op.create_table(
        "contest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.String(200), nullable=False),
        sa.Column("words", sa.Text()),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(20)),
        sa.Column("answer", sa.Text()),
        sa.Column("answered_by", sa.String(200)),
        sa.Column("answered_at", MOMENT),
        sa.Column("told_at", MOMENT),
        sa.Column("open_for", sa.String(200)),
        sa.CheckConstraint("outcome IN ('stands', 'set_aside')", name=op.f("ck_contest_outcome")),
        sa.CheckConstraint("(open_for IS NULL) = (answered_by IS NOT NULL)", name=op.f("ck_contest_named")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contest")),
        sa.UniqueConstraint("open_for", name=op.f("uq_contest_open_for")),
    )
    op.create_index(op.f("ix_contest_employee_id"), "contest", ["employee_id"], unique=False)


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(100), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("password_hash", sa.String(300), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("sees", sa.String(20), nullable=False),
        sa.Column("sees_value", sa.String(200)),
        sa.Column("employee_id", sa.String(200)),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.CheckConstraint(SEES_SELF, name=op.f("ck_account_sees")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
    )
    op.create_table(
        "sign_in_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_try")),
    )
    op.create_index(op.f("ix_sign_in_try_about_at"), "sign_in_try", ["about", "at"], unique=False)
    op.create_table(
        "sign_in_flow",
        sa.Column("browser_sha256", sa.String(64), nullable=False),
        sa.Column("state_sha256", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(100), nullable=False),
        sa.Column("verifier", sa.String(100), nullable=False),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("browser_sha256", name=op.f("pk_sign_in_flow")),
    )


def downgrade() -> None:
    """Take the step back."""
    for table in ("contest", "stop_switch", "sign_in_flow", "sign_in_try", "account"):
        op.drop_table(table)
    for table, columns in ADDED.items():
        for name, _ in columns:
            op.drop_column(table, name)
