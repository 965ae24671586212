"""The forecast of a batch: the ledger, until when it may be read, and what was expected.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("score_run", sa.Column("forecast", sa.JSON(), nullable=True))
    op.add_column("score_run", sa.Column("forecast_until", sa.Date(), nullable=True))
    op.add_column("score_run", sa.Column("expected", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take the step back."""
    for column in ("expected", "forecast_until", "forecast"):
        op.drop_column("score_run", column)
