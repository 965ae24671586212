"""A score is a record of codes and numbers, with one dictionary for a batch; what it raises stands beside it.

Rows from before keep their words as they were written, until their clock runs out.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

DRIVERS = ("growth", "recognition", "belonging", "workload", "pay", "manager", "fairness", "engagement", "context")
WORDS = ("risk", "other", "reasons", "plan")
LOG_ODDS = ("log_odds", "base_log_odds")


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "score_words",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["score_run.id"], name=op.f("fk_score_words_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_score_words")),
    )
    raises = {name: sa.Column(f"raises_{name}", sa.Float(), server_default="0", nullable=False) for name in DRIVERS}
    for column in raises.values():
        op.add_column("score", column)
    op.add_column("score", sa.Column("said", sa.LargeBinary(), nullable=True))
    for name in DRIVERS:
        mine = "d.run_id = score.run_id AND d.employee_id = score.employee_id"
        found = f"SELECT d.raises FROM score_driver d WHERE {mine} AND d.driver = '{name}'"
        op.execute(sa.text(f"UPDATE score SET raises_{name} = COALESCE(({found}), 0)"))
    op.drop_table("score_driver")
    with op.batch_alter_table("score") as batch:
        for name in WORDS:
            batch.alter_column(name, existing_type=sa.JSON(), nullable=True)


def downgrade() -> None:
    """Take the step back. Scores that are records cannot be told by the earlier version: they go."""
    op.create_table(
        "score_driver",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.String(200), nullable=False),
        sa.Column("driver", sa.String(40), nullable=False),
        sa.Column("raises", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id", "employee_id"],
            ["score.run_id", "score.employee_id"],
            name=op.f("fk_score_driver_run_id_employee_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "employee_id", "driver", name=op.f("pk_score_driver")),
    )
    op.execute(sa.text("DELETE FROM score WHERE said IS NOT NULL"))
    op.drop_table("score_words")
    for name in DRIVERS:
        columns = f"SELECT run_id, employee_id, '{name}', raises_{name} FROM score WHERE raises_{name} > 0"
        op.execute(sa.text(f"INSERT INTO score_driver (run_id, employee_id, driver, raises) {columns}"))
        op.drop_column("score", f"raises_{name}")
    op.drop_column("score", "said")
    with op.batch_alter_table("score") as batch:
        for name in WORDS:
            batch.alter_column(name, existing_type=sa.JSON(), nullable=False)
