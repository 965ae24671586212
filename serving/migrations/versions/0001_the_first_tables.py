"""The first tables: people, scores with a clock, decisions, ways in, and the audit chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("sees", sa.String(length=20), nullable=False),
        sa.Column("sees_value", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("sees IN ('everyone', 'department', 'team', 'manager')", name=op.f("ck_api_key_sees")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_key_sha256")),
    )
    op.create_table(
        "audit_entry",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=True),
        sa.Column("model_version", sa.String(length=100), nullable=True),
        sa.Column("result", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entry_hash")),
    )
    op.create_index(op.f("ix_audit_entry_subject"), "audit_entry", ["subject"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_subject",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("employee_id", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_audit_subject")),
        sa.UniqueConstraint("employee_id", name=op.f("uq_audit_subject_employee_id")),
    )
    op.create_table(
        "employee",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("job", sa.Text(), nullable=True),
        sa.Column("manager_id", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employee")),
    )
    op.create_index(op.f("ix_employee_manager_id"), "employee", ["manager_id"], unique=False)
    op.create_index(op.f("ix_employee_team"), "employee", ["team"], unique=False)

    op.create_table(
        "score_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_version", sa.String(length=100), nullable=False),
        sa.Column("bundle_sha256", sa.String(length=64), nullable=False),
        sa.Column("data_versions", sa.JSON(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=True),
        sa.CheckConstraint("is_current", name=op.f("ck_score_run_current_or_null")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_run")),
        sa.UniqueConstraint("is_current", name=op.f("uq_score_run_is_current")),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("link_sha256", sa.String(length=64), nullable=False),
        sa.Column("link_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session_sha256", sa.String(length=64), nullable=True),
        sa.Column("session_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("sees", sa.String(length=20), nullable=False),
        sa.Column("sees_value", sa.String(length=200), nullable=True),
        sa.CheckConstraint("sees IN ('everyone', 'department', 'team', 'manager')", name=op.f("ck_sign_in_sees")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("link_sha256", name=op.f("uq_sign_in_link_sha256")),
        sa.UniqueConstraint("session_sha256", name=op.f("uq_sign_in_session_sha256")),
    )
    op.create_table(
        "care_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("status IN ('agreed', 'declined', 'done')", name=op.f("ck_care_case_status")),
        sa.ForeignKeyConstraint(["run_id"], ["score_run.id"], name=op.f("fk_care_case_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_case")),
    )
    op.create_index(op.f("ix_care_case_employee_id"), "care_case", ["employee_id"], unique=False)

    op.create_table(
        "override",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.String(length=200), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "decision IN ('disregard', 'calm', 'watch', 'act', 'follow')", name=op.f("ck_override_decision")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["score_run.id"], name=op.f("fk_override_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override")),
    )
    op.create_index(op.f("ix_override_employee_id"), "override", ["employee_id"], unique=False)

    op.create_table(
        "score",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.String(length=200), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("band", sa.String(length=20), nullable=False),
        sa.Column("risk_at_reference", sa.Float(), nullable=True),
        sa.Column("risk", sa.JSON(), nullable=False),
        sa.Column("other", sa.JSON(), nullable=False),
        sa.Column("log_odds", sa.Float(), nullable=True),
        sa.Column("base_log_odds", sa.Float(), nullable=True),
        sa.Column("cannot_judge_en", sa.Text(), nullable=True),
        sa.Column("cannot_judge_zh", sa.Text(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.CheckConstraint("band IN ('calm', 'watch', 'act', 'cannot_judge')", name=op.f("ck_score_band")),
        sa.ForeignKeyConstraint(["run_id"], ["score_run.id"], name=op.f("fk_score_run_id")),
        sa.PrimaryKeyConstraint("run_id", "employee_id", name=op.f("pk_score")),
    )
    op.create_index(op.f("ix_score_employee_id"), "score", ["employee_id"], unique=False)
    op.create_index(op.f("ix_score_valid_until"), "score", ["valid_until"], unique=False)

    op.create_table(
        "score_driver",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.String(length=200), nullable=False),
        sa.Column("driver", sa.String(length=40), nullable=False),
        sa.Column("raises", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id", "employee_id"],
            ["score.run_id", "score.employee_id"],
            name=op.f("fk_score_driver_run_id_employee_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "employee_id", "driver", name=op.f("pk_score_driver")),
    )
    # The chain starts here; a store without this row takes no audit entry and therefore shows no score.
    op.execute(sa.text("INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, '" + "0" * 64 + "')"))


def downgrade() -> None:
    """Take the step back."""
    op.drop_table("score_driver")
    op.drop_index(op.f("ix_score_valid_until"), table_name="score")
    op.drop_index(op.f("ix_score_employee_id"), table_name="score")

    op.drop_table("score")
    op.drop_index(op.f("ix_override_employee_id"), table_name="override")

    op.drop_table("override")
    op.drop_index(op.f("ix_care_case_employee_id"), table_name="care_case")

    op.drop_table("care_case")
    op.drop_table("sign_in")
    op.drop_table("score_run")
    op.drop_index(op.f("ix_employee_team"), table_name="employee")
    op.drop_index(op.f("ix_employee_manager_id"), table_name="employee")

    op.drop_table("employee")
    op.drop_table("audit_subject")
    op.drop_table("audit_head")
    op.drop_index(op.f("ix_audit_entry_subject"), table_name="audit_entry")

    op.drop_table("audit_entry")
    op.drop_table("api_key")
