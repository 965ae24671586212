"""Cases of care: a state, its steps and reminders; the decisions recorded so far become cases. Employees may sign in.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SEES = "sees IN ('everyone', 'department', 'team', 'manager')"
SEES_SELF = "sees IN ('everyone', 'department', 'team', 'manager', 'self')"
STATES = "status IN ('suggested', 'agreed', 'done', 'declined', 'closed')"
DAYS_TO_FOLLOW = 30
"""The catalog of that day is not on record; a month is what most of its actions give."""


def upgrade() -> None:
    """Take the step."""
    decisions = list(_old_rows())
    op.drop_index(op.f("ix_care_case_employee_id"), table_name="care_case")
    op.drop_table("care_case")
    _create()
    cases, steps = carried(decisions)
    if cases:
        op.bulk_insert(_table("care_case", cases[0]), cases)
        op.bulk_insert(_table("care_step", steps[0]), steps)
    with op.batch_alter_table("sign_in") as batch:
        batch.add_column(sa.Column("employee_id", sa.String(length=200), nullable=True))
        batch.drop_constraint(op.f("ck_sign_in_sees"), type_="check")
        batch.create_check_constraint(op.f("ck_sign_in_sees"), SEES_SELF)


def carried(decisions: Iterable[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return cases and steps for the decisions of before, oldest first: an agreement is open until it was done."""
    cases: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    running: dict[tuple[str, str], dict[str, Any]] = {}
    for row in decisions:
        key = (row["employee_id"], row["action"])
        case = running.get(key)
        if case is None:
            case = _new_case(row)
            cases.append(case)
            running[key] = case
        else:
            case["version"] += 1
        _advance(case, row)
        steps.append(_step(case, row))
        if case["status"] == "declined":
            del running[key]
    return cases, steps


def _new_case(row: Mapping[str, Any]) -> dict[str, Any]:
    nothing = ("title", "lead_id", "consent_on", "decided_by_id", "agreed_on", "done_on", "closed_on")
    return {
        "id": secrets.token_hex(8),
        "employee_id": row["employee_id"],
        "action": row["action"],
        "origin": "carried",
        "sides": "line",
        "agreed_sides": "line",
        "days": DAYS_TO_FOLLOW,
        "needs_consent": False,
        "opened_on": row["happened_on"],
        "run_id": row["run_id"],
        "version": 1,
        "outcome": None,
        **dict.fromkeys(nothing),
    }


def _advance(case: dict[str, Any], row: Mapping[str, Any]) -> None:
    status, day = row["status"], row["happened_on"]
    over = status == "declined"
    case.update(status=status, decided_by=row["decided_by"], reason="other" if over else None)
    case.update(due_on=None if over else day + timedelta(days=DAYS_TO_FOLLOW), open_as=None if over else row["action"])
    case["closed_on" if over else f"{status}_on"] = day


def _step(case: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "case_id": case["id"],
        "version": case["version"],
        "step": {"agreed": "agree", "declined": "decline", "done": "done"}[row["status"]],
        "status": row["status"],
        "day": row["happened_on"],
        "at": row["recorded_at"],
        "by_name": row["decided_by"],
        "by_id": None,
        "recorded_by": row["recorded_by"],
        "reason": case["reason"],
        "instead": None,
        "note": row["note"],
    }


def _old_rows() -> Iterable[Mapping[str, Any]]:
    names = ("employee_id", "action", "status", "decided_by", "recorded_by", "note")
    typed = [sa.column("happened_on", sa.Date()), sa.column("recorded_at", sa.DateTime(timezone=True))]
    columns: list[Any] = [sa.column("id"), sa.column("run_id"), *(sa.column(name) for name in names), *typed]
    old = sa.table("care_case", *columns)
    return [dict(row) for row in op.get_bind().execute(sa.select(old).order_by(old.c.id)).mappings()]


def _table(name: str, row: Mapping[str, Any]) -> sa.TableClause:
    days = {"opened_on", "due_on", "consent_on", "agreed_on", "done_on", "closed_on", "day"}
    kinds: dict[str, Any] = {"at": sa.DateTime(timezone=True), "needs_consent": sa.Boolean()}
    return sa.table(name, *(sa.column(n, sa.Date() if n in days else kinds.get(n, sa.types.NullType())) for n in row))


def _create() -> None:
    _create_case()
    _create_step()
    _create_reminder()


def _create_case() -> None:
    op.create_table(
        "care_case",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("employee_id", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("sides", sa.String(length=40), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("needs_consent", sa.Boolean(), nullable=False),
        sa.Column("lead_id", sa.String(length=200), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("agreed_sides", sa.String(length=40), nullable=False),
        sa.Column("consent_on", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_by_id", sa.String(length=200), nullable=True),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("open_as", sa.String(length=140), nullable=True),
        sa.CheckConstraint(STATES, name=op.f("ck_care_case_status")),
        sa.CheckConstraint("origin IN ('suggestion', 'own', 'carried')", name=op.f("ck_care_case_origin")),
        sa.CheckConstraint(
            "status NOT IN ('agreed', 'done') OR decided_by IS NOT NULL", name=op.f("ck_care_case_named")
        ),
        sa.CheckConstraint(
            "(status = 'declined') = (reason IS NOT NULL)", name=op.f("ck_care_case_declined_with_reason")
        ),
        sa.CheckConstraint(
            "(status = 'closed') = (outcome IS NOT NULL)", name=op.f("ck_care_case_closed_with_outcome")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["score_run.id"], name=op.f("fk_care_case_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_case")),
        sa.UniqueConstraint("employee_id", "open_as", name=op.f("uq_care_case_employee_id_open_as")),
    )
    op.create_index(op.f("ix_care_case_due_on"), "care_case", ["due_on"], unique=False)


def _create_step() -> None:
    op.create_table(
        "care_step",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("by_id", sa.String(length=200), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("instead", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(STATES, name=op.f("ck_care_step_status")),
        sa.ForeignKeyConstraint(["case_id"], ["care_case.id"], name=op.f("fk_care_step_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", "version", name=op.f("pk_care_step")),
    )


def _create_reminder() -> None:
    op.create_table(
        "care_reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("recipient", sa.String(length=200), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('due', 'overdue', 'handed_over', 'decider_left', 'person_left')",
            name=op.f("ck_care_reminder_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["care_case.id"], name=op.f("fk_care_reminder_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_reminder")),
        sa.UniqueConstraint(
            "case_id", "kind", "recipient", "about", name=op.f("uq_care_reminder_case_id_kind_recipient_about")
        ),
    )
    op.create_index(op.f("ix_care_reminder_recipient"), "care_reminder", ["recipient"], unique=False)


def downgrade() -> None:
    """Take the step back: what was agreed, done and declined stays as decisions, the rest of a case is lost."""
    bind = op.get_bind()
    bind.execute(sa.text("DELETE FROM sign_in WHERE sees = 'self'"))
    with op.batch_alter_table("sign_in") as batch:
        batch.drop_constraint(op.f("ck_sign_in_sees"), type_="check")
        batch.create_check_constraint(op.f("ck_sign_in_sees"), SEES)
        batch.drop_column("employee_id")
    told = bind.execute(
        sa.text(
            "SELECT c.employee_id, c.action, s.status, s.by_name, s.recorded_by, s.day, s.at, s.note, c.run_id"
            " FROM care_step s JOIN care_case c ON c.id = s.case_id"
            " WHERE s.step IN ('agree', 'done', 'decline') AND s.status IN ('agreed', 'done', 'declined')"
            " ORDER BY s.at, s.version"
        )
    ).all()
    op.drop_table("care_reminder")
    op.drop_table("care_step")
    op.drop_table("care_case")
    _create_old()
    for number, row in enumerate(told, 1):
        values = dict(zip(("e", "a", "s", "b", "r", "d", "t", "n", "run"), row, strict=True))
        into = sa.text("INSERT INTO care_case VALUES (:id, :e, :a, :s, :b, :r, :d, :t, :n, :run)")
        bind.execute(into, {"id": number, **values})


def _create_old() -> None:
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
