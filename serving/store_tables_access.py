"""The tables of who may come in and who may object: accounts, tries, flows, the stop switch, contests.

Part of ``store_tables.metadata``; apart only so that each file stays short.
"""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, String, Table, Text, UniqueConstraint

from serving.store_tables import SIGHTS_OF_PEOPLE, Utc, metadata

OUTCOMES = ("stands", "set_aside")
"""What an answer to a contest can be: the assessment is shown again, or a person's word hides its band."""

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(100), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("password_hash", String(300), nullable=False),
    Column("role", String(40), nullable=False),
    Column("sees", String(20), nullable=False),
    Column("sees_value", String(200)),
    Column("employee_id", String(200)),
    Column("created_at", Utc, nullable=False),
    Column("ended_at", Utc),
    CheckConstraint(f"sees IN ({', '.join(repr(one) for one in SIGHTS_OF_PEOPLE)})", name="sees"),
)
"""A person of this installation who signs in with a password, of which only the argon2id hash is kept."""

sign_in_try = Table(
    "sign_in_try",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("about", String(64), nullable=False),
    Column("at", Utc, nullable=False),
    Index(None, "about", "at"),
)
"""Tries of a password within the last minutes. ``about`` is a keyed hash: neither login nor address can be read."""

sign_in_flow = Table(
    "sign_in_flow",
    metadata,
    Column("browser_sha256", String(64), primary_key=True),
    Column("state_sha256", String(64), nullable=False),
    Column("nonce", String(100), nullable=False),
    Column("verifier", String(100), nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("until", Utc, nullable=False),
)
"""A sign-in that is on its way through the identity provider; used once, then gone."""

stop_switch = Table(
    "stop_switch",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stopped_at", Utc, nullable=False),
    Column("stopped_by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("first_by", String(200)),
    Column("first_identity", String(300)),
    Column("first_at", Utc),
    Column("released_by", String(200)),
    Column("released_at", Utc),
    Column("is_on", Boolean),
    UniqueConstraint("is_on"),
    CheckConstraint("is_on", name="on_or_null"),
)
"""Each time somebody stopped the service. ``is_on`` is true for the one stop that holds, null for those released."""

contest = Table(
    "contest",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("employee_id", String(200), nullable=False),
    Column("words", Text),
    Column("opened_at", Utc, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("outcome", String(20)),
    Column("answer", Text),
    Column("answered_by", String(200)),
    Column("answered_at", Utc),
    Column("told_at", Utc),
    Column("open_for", String(200), unique=True),
    CheckConstraint(f"outcome IN ({', '.join(repr(one) for one in OUTCOMES)})", name="outcome"),
    CheckConstraint("(open_for IS NULL) = (answered_by IS NOT NULL)", name="named"),
    Index(None, "employee_id"),
)
"""An employee's objection. ``open_for`` repeats the employee while it is open: one open contest per person at most."""

reader_look = Table(
    "reader_look",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("who", String(300), nullable=False),
    Column("employee_id", String(200), nullable=False),
    Column("at", Utc, nullable=False),
    Column("question", Boolean, nullable=False),
    Index(None, "who", "at"),
    Index(None, "employee_id"),
)
"""Whom a reader opened, or asked a what-if question about, within the days that count (``curious``)."""

reader_brake = Table(
    "reader_brake",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("who", String(300), nullable=False),
    Column("at", Utc, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("words", Text, nullable=False),
    CheckConstraint("kind IN ('unusual', 'reason')", name="kind"),
    Index(None, "who", "at"),
)
"""That a reader opened unusually many people, and why they say so; for auditors."""
