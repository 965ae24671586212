"""How sure a risk is: the interval beside each person's risk.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("score", sa.Column("interval", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take the step back."""
    op.drop_column("score", "interval")
