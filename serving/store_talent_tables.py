"""The tables of growth: one file per person from the last batch, what HR is reminded of, and the achievement file.

No risk stands in any of them. Ids of colleagues are kept in rows of their own (``growth_pair``), so that erasing a
person also takes them out of everybody else's suggestions.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from features.tables import TABLES
from serving.store_tables import Utc, metadata

KINDS = next(column.allowed for column in TABLES["recognitions"].columns if column.name == "kind") or ()
"""What can be recorded: the kinds of the table ``recognitions``."""

SOURCES = ("import", "page", "api")

growth_run = Table(
    "growth_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("as_of", Date, nullable=False),
    Column("computed_at", Utc, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("data_versions", JSON, nullable=False),
    Column("shared", JSON, nullable=False),
)
"""The batch behind the files; there is one, the next replaces it. ``shared``: courses, requirements, rules."""

growth_file = Table(
    "growth_file",
    metadata,
    Column("employee_id", String(200), primary_key=True),
    Column("facts", JSON, nullable=False),
    Column("told", JSON, nullable=False),
)
"""One person: ``facts`` as ``features.talent`` wrote them, ``told`` as ``models.talent`` concluded."""

growth_need = Table(
    "growth_need",
    metadata,
    Column("employee_id", ForeignKey("growth_file.employee_id", ondelete="CASCADE"), primary_key=True),
    Column("need", String(40), primary_key=True),
    Index(None, "need"),
)
"""What HR is reminded of, one row per person and need, so that counts are one query."""

growth_pair = Table(
    "growth_pair",
    metadata,
    Column("employee_id", ForeignKey("growth_file.employee_id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("other_id", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("skill", Text),
    Column("reasons", JSON, nullable=False),
    CheckConstraint("kind IN ('mentor', 'buddy')", name="kind"),
    Index(None, "other_id"),
)
"""Who is suggested to whom as mentor or buddy."""

achievement = Table(
    "achievement",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("employee_id", String(200), nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("note", Text),
    Column("given_by", String(200)),
    Column("source", String(20), nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", Utc, nullable=False),
    Column("hidden_at", Utc),
    CheckConstraint("kind IN ({})".format(", ".join(f"'{kind}'" for kind in KINDS)), name="kind"),
    CheckConstraint("source IN ('import', 'page', 'api')", name="source"),
    Index(None, "employee_id"),
    Index(None, "happened_on"),
)
"""A moment worth seeing. What the person has hidden (``hidden_at``) nobody else is shown or counts."""
