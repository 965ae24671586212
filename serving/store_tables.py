"""The tables of the store, as code: people, scores with their clocks, decisions by people, keys, and the audit chain.

Every moment is UTC; every day is a plain date. JSON columns hold only what was written at scoring time and is read as a
whole. What a law or a test asks for is a constraint here, not a hope elsewhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from features.cards import DRIVERS


class Utc(TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets time zones: a naive moment is refused going in, and named UTC coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC; a moment without a zone is a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment with its zone."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


BANDS = ("calm", "watch", "act", "cannot_judge")
OVERRIDES = ("disregard", "calm", "watch", "act", "follow")
"""``disregard`` hides the band, a band replaces it, ``follow`` lets the assessment stand again."""

CASE_STATES = ("suggested", "agreed", "done", "declined", "closed")
CASE_ORIGINS = ("suggestion", "own", "carried")
REMINDERS = ("due", "overdue", "handed_over", "decider_left", "person_left")
EVENT_STATES = ("open", "done", "dismissed")
STREAM_NAMES = ("all", "talk", "meeting", "initiative")
SIGHTS = ("everyone", "department", "team", "manager")
SIGHTS_OF_PEOPLE = (*SIGHTS, "self")
"""An employee who signs in sees the own records, and nobody else's; a key never sees so."""

employee = Table(
    "employee",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("name", Text),
    Column("department", Text),
    Column("team", Text, nullable=False),
    Column("location", Text),
    Column("job", Text),
    Column("manager_id", String(200)),
    Index(None, "team"),
    Index(None, "manager_id"),
)
"""Who was employed on the day of the last scoring run. No foreign key on ``manager_id``: managers leave."""

score_run = Table(
    "score_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("computed_at", Utc, nullable=False),
    Column("model_version", String(100), nullable=False),
    Column("bundle_sha256", String(64), nullable=False),
    Column("data_versions", JSON, nullable=False),
    Column("card", JSON, nullable=False),
    Column("forecast", JSON(none_as_null=True)),
    Column("forecast_until", Date),
    Column("expected", JSON(none_as_null=True)),
    Column("is_current", Boolean),
    UniqueConstraint("is_current"),
    CheckConstraint("is_current", name="current_or_null"),
)
"""One batch of scores. ``is_current`` is true for one run and null for all others, held by the unique constraint.

``forecast`` is the hiring ledger, of groups alone, readable until ``forecast_until``; ``expected`` is one sum over
everybody, kept to see how far the level was off and shown to nobody.
"""

score = Table(
    "score",
    metadata,
    Column("run_id", ForeignKey("score_run.id"), primary_key=True),
    Column("employee_id", String(200), primary_key=True),
    Column("valid_until", Date, nullable=False),
    Column("band", String(20), nullable=False),
    Column("risk_at_reference", Float),
    Column("said", LargeBinary),
    *(Column(f"raises_{driver}", Float, nullable=False, server_default="0") for driver in DRIVERS),
    Column("cannot_judge_en", Text),
    Column("cannot_judge_zh", Text),
    Column("risk", JSON(none_as_null=True)),
    Column("other", JSON(none_as_null=True)),
    Column("interval", JSON(none_as_null=True)),
    Column("log_odds", Float),
    Column("base_log_odds", Float),
    Column("reasons", JSON(none_as_null=True)),
    Column("plan", JSON(none_as_null=True)),
    _one_of("band", BANDS),
    Index(None, "employee_id"),
    Index(None, "valid_until"),
)
"""One person in one batch: what was said, and the last day on which it may be read.

``said`` is the record (``models.record``), told by ``store_said``. ``raises_…`` is how much a driver raises this score
(never below zero), so that a team's needs are one sum. The columns from ``risk`` on hold the words of a row from before
records, as they were written, and nothing otherwise."""

score_words = Table(
    "score_words",
    metadata,
    Column("run_id", ForeignKey("score_run.id"), primary_key=True),
    Column("words", JSON, nullable=False),
)
"""The dictionary of a batch: all that a code in its records can mean, in full."""

override = Table(
    "override",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("employee_id", String(200), nullable=False),
    Column("run_id", ForeignKey("score_run.id"), nullable=False),
    Column("decision", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Utc, nullable=False),
    Column("valid_until", Date, nullable=False),
    _one_of("decision", OVERRIDES),
    Index(None, "employee_id"),
)
"""A person's word over the model's. The latest one stands, whatever is computed later."""

care_case = Table(
    "care_case",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("employee_id", String(200), nullable=False),
    Column("action", String(100), nullable=False),
    Column("title", Text),
    Column("origin", String(20), nullable=False),
    Column("sides", String(40), nullable=False),
    Column("days", Integer, nullable=False),
    Column("needs_consent", Boolean, nullable=False),
    Column("lead_id", String(200)),
    Column("opened_on", Date, nullable=False),
    Column("due_on", Date),
    Column("run_id", ForeignKey("score_run.id")),
    Column("status", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("agreed_sides", String(40), nullable=False),
    Column("consent_on", Date),
    Column("decided_by", Text),
    Column("decided_by_id", String(200)),
    Column("agreed_on", Date),
    Column("done_on", Date),
    Column("closed_on", Date),
    Column("reason", String(40)),
    Column("outcome", String(40)),
    Column("open_as", String(140)),
    _one_of("status", CASE_STATES),
    _one_of("origin", CASE_ORIGINS),
    CheckConstraint("status NOT IN ('agreed', 'done') OR decided_by IS NOT NULL", name="named"),
    CheckConstraint("(status = 'declined') = (reason IS NOT NULL)", name="declined_with_reason"),
    CheckConstraint("(status = 'closed') = (outcome IS NOT NULL)", name="closed_with_outcome"),
    UniqueConstraint("employee_id", "open_as"),
    Index(None, "due_on"),
)
"""One care action for one person, where it stands now; see ``serving.cases``. The number is random: it counts nothing.

``open_as`` holds the action while the case is open and is null afterwards, so that the same action is never open twice.
"""

care_step = Table(
    "care_step",
    metadata,
    Column("case_id", ForeignKey("care_case.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("step", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("day", Date, nullable=False),
    Column("at", Utc, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("by_id", String(200)),
    Column("recorded_by", Text, nullable=False),
    Column("reason", String(40)),
    Column("instead", Text),
    Column("note", Text),
    _one_of("status", CASE_STATES),
)
"""What was done in a case, by whom. The version is the lock: of two people who write the same one, one is told.

Goes back to training as the table ``care_actions``, without a word of what people wrote."""

care_reminder = Table(
    "care_reminder",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", ForeignKey("care_case.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("recipient", String(200), nullable=False),
    Column("about", String(200), nullable=False),
    Column("due_on", Date),
    Column("made_at", Utc, nullable=False),
    _one_of("kind", REMINDERS),
    UniqueConstraint("case_id", "kind", "recipient", "about"),
    Index(None, "recipient"),
)
"""The outbox: who should hear of which case, once for each ``about``. Thin: no name, no action, no word of the case."""

withdrawal_event = Table(
    "withdrawal_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("employee_id", String(200)),
    Column("team", Text, nullable=False),
    Column("week", Date, nullable=False),
    Column("since", Date, nullable=False),
    Column("weeks", Integer, nullable=False),
    Column("stream", String(20), nullable=False),
    Column("usual", Float),
    Column("now", Float),
    Column("level", Float, nullable=False),
    Column("n_people", Integer, nullable=False),
    Column("false_share", Float),
    Column("found_at", Utc, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("status", String(20), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Utc),
    _one_of("status", EVENT_STATES),
    _one_of("stream", STREAM_NAMES),
    CheckConstraint("(status = 'open') = (decided_by IS NULL)", name="named"),
    UniqueConstraint("employee_id", "week"),
    Index(None, "team"),
    Index(None, "valid_until"),
)
"""Somebody does clearly less than is usual for them: reach out within a week. Without ``employee_id``: a team does.

``usual`` and ``now`` are acts a week of the person, null for a team; ``level`` is their ratio."""

api_key = Table(
    "api_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("role", String(40), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("purposes", JSON, nullable=False),
    Column("sees", String(20), nullable=False),
    Column("sees_value", String(200)),
    Column("created_at", Utc, nullable=False),
    Column("revoked_at", Utc),
    Column("expires_at", Utc),
    Column("used_on", Date),
    Column("replaces", Integer),
    _one_of("sees", SIGHTS),
)
"""A machine's way in; the token itself is shown once and never stored. ``used_on`` is the last day, no finer."""

sign_in = Table(
    "sign_in",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("link_sha256", String(64), nullable=False, unique=True),
    Column("link_until", Utc, nullable=False),
    Column("session_sha256", String(64), unique=True),
    Column("session_until", Utc),
    Column("ended_at", Utc),
    Column("name", String(100), nullable=False),
    Column("purpose", String(40)),
    Column("role", String(40), nullable=False),
    Column("sees", String(20), nullable=False),
    Column("sees_value", String(200)),
    Column("seen_at", Utc),
    Column("identity", String(300)),
    Column("employee_id", String(200)),
    _one_of("sees", SIGHTS_OF_PEOPLE),
)
"""A person's way in: a link that works once (or an account, or a provider), and the session it became.

``identity`` tells two people apart who must not be one; ``employee_id`` is who the person is among the employees."""

audit_subject = Table(
    "audit_subject",
    metadata,
    Column("token", String(32), primary_key=True),
    Column("employee_id", String(200), nullable=False, unique=True),
)
"""Whom a token in the audit log stands for. Erasing a person deletes this row; the chain stays whole."""

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(60), nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("subject", String(32)),
    Column("model_version", String(100)),
    Column("result", String(40), nullable=False),
    Column("request_id", String(40), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Index(None, "subject"),
)
"""Who did what to whom, why and when, each row sealed with the hash of the row before. Never a score."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    Column("hash", String(64), nullable=False),
    CheckConstraint("id = 1", name="single"),
)
"""Where the chain ends: locked while a row is added, so that two writers cannot fork it."""


def plain(row: Any) -> dict[str, Any]:
    """Return a row as a dictionary."""
    return dict(row._mapping)
