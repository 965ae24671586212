"""The exchange with other systems: answers to repeat, jobs, webhooks and their outbox.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _column(name: str, kind: sa.types.TypeEngine, *, null: bool = False) -> sa.Column:
    return sa.Column(name, kind, nullable=null)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "repeat",
        _column("client", sa.String(200)),
        _column("idempotency_key", sa.String(200)),
        _column("fingerprint", sa.String(64)),
        _column("batch", sa.String(40)),
        _column("lease_until", MOMENT),
        _column("status", sa.Integer(), null=True),
        _column("answer", sa.Text(), null=True),
        _column("expires_at", MOMENT),
        sa.PrimaryKeyConstraint("client", "idempotency_key", name=op.f("pk_repeat")),
    )
    op.create_index(op.f("ix_repeat_expires_at"), "repeat", ["expires_at"])
    op.create_table(
        "job",
        _column("id", sa.String(40)),
        _column("client", sa.String(200)),
        _column("state", sa.String(20)),
        _column("asked", sa.LargeBinary(), null=True),
        _column("visit", sa.JSON()),
        _column("done", sa.Integer()),
        _column("total", sa.Integer()),
        _column("why", sa.Text(), null=True),
        _column("run_id", sa.Integer(), null=True),
        _column("created_at", MOMENT),
        _column("finished_at", MOMENT, null=True),
        _column("lease_until", MOMENT, null=True),
        _column("expires_at", MOMENT),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_job_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_state"), "job", ["state"])
    op.create_index(op.f("ix_job_expires_at"), "job", ["expires_at"])
    op.create_table(
        "job_part",
        _column("job_id", sa.String(40)),
        _column("part", sa.Integer()),
        _column("lines", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_part_job_id_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "part", name=op.f("pk_job_part")),
    )
    _webhooks()


def _webhooks() -> None:
    op.create_table(
        "endpoint",
        _column("id", sa.String(40)),
        _column("client", sa.String(200)),
        _column("url", sa.Text()),
        _column("kinds", sa.JSON()),
        _column("secret_number", sa.Integer()),
        _column("former_until", MOMENT, null=True),
        _column("created_at", MOMENT),
        _column("disabled_at", MOMENT, null=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint")),
    )
    op.create_index(op.f("ix_endpoint_client"), "endpoint", ["client"])
    op.create_table(
        "outbox",
        _column("id", sa.String(40)),
        _column("kind", sa.String(60)),
        _column("ids", sa.JSON()),
        _column("at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_at"), "outbox", ["at"])
    event, to = "fk_delivery_event_id_outbox", "fk_delivery_endpoint_id_endpoint"
    op.create_table(
        "delivery",
        _column("event_id", sa.String(40)),
        _column("endpoint_id", sa.String(40)),
        _column("state", sa.String(20)),
        _column("attempts", sa.Integer()),
        _column("next_at", MOMENT),
        _column("last_result", sa.String(60), null=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'dead')", name=op.f("ck_delivery_state")),
        sa.ForeignKeyConstraint(["event_id"], ["outbox.id"], name=op.f(event), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["endpoint_id"], ["endpoint.id"], name=op.f(to), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("event_id", "endpoint_id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_state_next_at"), "delivery", ["state", "next_at"])
    op.create_index(op.f("ix_delivery_endpoint_id"), "delivery", ["endpoint_id"])


def downgrade() -> None:
    """Take the step back."""
    for table in ("delivery", "outbox", "endpoint", "job_part", "job", "repeat"):
        op.drop_table(table)
