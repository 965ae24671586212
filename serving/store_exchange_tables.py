"""The tables of the exchange with other systems: answers to repeat, jobs, and what is to be delivered where."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from serving.store_tables import Utc, metadata

JOB_STATES = ("queued", "running", "done", "failed", "cancelled")
DELIVERY_STATES = ("waiting", "delivered", "dead")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


repeat = Table(
    "repeat",
    metadata,
    Column("client", String(200), primary_key=True),
    Column("idempotency_key", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("batch", String(40), nullable=False),
    Column("lease_until", Utc, nullable=False),
    Column("status", Integer),
    Column("answer", Text),
    Column("expires_at", Utc, nullable=False),
    Index(None, "expires_at"),
)
"""What was answered to a write that named a key, so that a repeat gets the same answer. ``status`` is null while the
first one is being worked on; its lease says until when somebody is."""

job = Table(
    "job",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("client", String(200), nullable=False),
    Column("state", String(20), nullable=False),
    Column("asked", LargeBinary),
    Column("visit", JSON, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("why", Text),
    Column("run_id", Integer),
    Column("created_at", Utc, nullable=False),
    Column("finished_at", Utc),
    Column("lease_until", Utc),
    Column("expires_at", Utc, nullable=False),
    _one_of("state", JOB_STATES),
    Index(None, "state"),
    Index(None, "expires_at"),
)
"""Scoring of posted records that takes longer than a request. ``asked`` (the records, packed) is emptied with the end
of the job, whatever its end was."""

job_part = Table(
    "job_part",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("lines", LargeBinary, nullable=False),
    ForeignKeyConstraint(["job_id"], ["job.id"], ondelete="CASCADE"),
)
"""The answers of a job, part by part, as packed NDJSON: a part is there once or not at all."""

endpoint = Table(
    "endpoint",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("client", String(200), nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("secret_number", Integer, nullable=False),
    Column("former_until", Utc),
    Column("created_at", Utc, nullable=False),
    Column("disabled_at", Utc),
    Index(None, "client"),
)
"""Where events go. The signing secret is not stored: it is derived from the service's own and ``secret_number``."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("ids", JSON, nullable=False),
    Column("at", Utc, nullable=False),
    Index(None, "at"),
)
"""What happened, in ids alone, written in the transaction in which it happened."""

delivery = Table(
    "delivery",
    metadata,
    Column("event_id", ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True),
    Column("endpoint_id", ForeignKey("endpoint.id", ondelete="CASCADE"), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Utc, nullable=False),
    Column("last_result", String(60)),
    _one_of("state", DELIVERY_STATES),
    Index(None, "state", "next_at"),
    Index(None, "endpoint_id"),
)
"""One event for one endpoint: waiting for its next try, delivered, or dead after the last one."""
