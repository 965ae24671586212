"""What the API answers, field by field. Only these fields leave the service; anything else in the store stays there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Purpose = Literal["retention_care", "subject_access", "model_quality", "audit"]
Band = Literal["calm", "watch", "act", "cannot_judge"]

NOTICE_EN = "May be wrong for any single person. Never use it for pay, ratings, promotion or dismissal."
NOTICE_ZH = "对任何一个具体的人都可能是错的。绝不用于薪酬、考评、晋升或辞退。"


class Answer(BaseModel):
    """Base of every answer: closed, so that a new field in the store cannot slip out."""

    model_config = ConfigDict(extra="forbid")


class ModelRef(Answer):
    """Which model said so."""

    name: str
    version: str
    sha256: str


class HorizonRisk(Answer):
    """The risk of leaving within ``horizon_days`` after ``as_of``; ``other``: retirement, contract end and the like."""

    horizon_days: int
    voluntary: float = Field(ge=0, le=1)
    other: float = Field(ge=0, le=1)


class Told(Answer):
    """A reason in words; the numbers beside it only for a key that may see numbers."""

    driver: str
    direction: Literal["raises", "keeps"]
    text_en: str
    text_zh: str
    contribution: float | None = None
    factor: float | None = None
    facts: list[dict[str, Any]] | None = None


class BandEvidence(Answer):
    """What became of people in this band on later months that the model had not seen."""

    n: float
    left: float
    rate: float
    low: float
    high: float
    text_en: str
    text_zh: str


class Limits(Answer):
    """What has to stand beside every score."""

    evidence: BandEvidence | None
    accuracy_en: str
    accuracy_zh: str
    notice_en: str = NOTICE_EN
    notice_zh: str = NOTICE_ZH
    disagree_at: str


class OverrideNote(Answer):
    """A person's word over the assessment."""

    decision: Literal["disregard", "calm", "watch", "act"]
    reason: str
    decided_by: str
    decided_at: datetime


class PlanAnswer(Answer):
    """Suggestions for a conversation; empty with a reason when there is nothing good to suggest."""

    actions: list[dict[str, Any]]
    empty_because_en: str | None
    empty_because_zh: str | None


class RiskAnswer(Answer):
    """One person's assessment. ``risk`` is null for a key that sees bands only, and when nothing can be judged."""

    employee_id: str
    as_of: date
    computed_at: datetime
    valid_until: date
    model: ModelRef
    band: Band | None
    risk: list[HorizonRisk] | None
    cannot_judge_en: str | None
    cannot_judge_zh: str | None
    reasons: list[Told]
    plan: PlanAnswer
    override: OverrideNote | None
    limits: Limits


class Need(Answer):
    """A driver and its share of all that raises the risk in a team."""

    driver: str
    share: float
    words_en: str
    words_zh: str


class TeamAnswer(Answer):
    """One team as a whole; ``expected_low`` to ``expected_high`` holds in four of five cases."""

    team: str
    department: str | None
    n_people: int
    n_judged: int
    expected_exits: float
    expected_low: int
    expected_high: int
    needs: list[Need]


class TeamsAnswer(Answer):
    """All teams that are large enough, those that need care first on top."""

    as_of: date
    model: ModelRef
    horizon_days: int
    smallest_group: int
    teams: list[TeamAnswer]


class ForecastMonth(Answer):
    """Until the end of a month, counted from ``as_of``: the likely range of empty seats, and the hires that suffice."""

    until: date
    low: int
    high: int
    hires: int


class ForecastLine(Answer):
    """One group of people in a department and job; ``*`` stands for several that are too small to be shown alone.

    Whole people. ``low`` to ``high`` holds in about four of five cases; ``hires`` suffices with ``service_level``.
    ``n_going`` have given notice already and are counted in. ``search_from`` is ``needed_by`` minus ``fill_days``.
    """

    department: str
    job: str
    n_people: int
    n_going: int
    expected: int
    low: int
    high: int
    hires: int
    needed_by: date | None
    search_from: date | None
    fill_days: int
    fill_from: Literal["job", "organisation", "default"]
    months: list[ForecastMonth]


class ForecastAnswer(Answer):
    """The hiring ledger, most hires first: no line about fewer than ``smallest_group`` people, and no total."""

    as_of: date
    model: ModelRef
    until: date
    valid_until: date
    service_level: float
    smallest_group: int
    lines: list[ForecastLine]


class FlaggedPerson(Answer):
    """Somebody in watch or act. Read the person's risk, with a purpose of its own, for more."""

    employee_id: str
    band: Literal["act", "watch"]
    drivers: list[str]
    first_action: str | None
    valid_until: date


class FlaggedAnswer(Answer):
    """A page of a team's list: act before watch, by name within a band, never by risk."""

    as_of: date
    model: ModelRef
    team: str
    people: list[FlaggedPerson]
    next_cursor: str | None
    notice_en: str = NOTICE_EN
    notice_zh: str = NOTICE_ZH


class CatalogAction(Answer):
    """A care action that may be suggested."""

    model_config = ConfigDict(extra="allow")

    action: str
    title_en: str
    title_zh: str


class CatalogAnswer(Answer):
    """Every care action that may be suggested."""

    actions: list[CatalogAction]


class ModelAnswer(Answer):
    """The card of the model behind the current scores."""

    model: ModelRef
    as_of: date
    computed_at: datetime
    data_versions: dict[str, int]
    card: dict[str, Any]


class AuditLine(Answer):
    """One entry of the audit log. ``employee_id`` is null when it was about nobody or the person was erased."""

    sequence: int
    at: datetime
    actor: str
    action: str
    purpose: str
    employee_id: str | None
    model_version: str | None
    result: str
    request_id: str
    hash: str


class AuditAnswer(Answer):
    """A page of the audit log, newest first."""

    entries: list[AuditLine]
    next_cursor: str | None


class State(Answer):
    """Alive or ready, without detail."""

    status: Literal["ok", "not_ready"]


class ProblemAnswer(BaseModel):
    """RFC 9457: what went wrong, without data about anybody."""

    type: str = "about:blank"
    title: str
    status: int
    request_id: str
    errors: list[dict[str, str]] = []


_MODEL = {"name": "retention-risk", "version": "7", "sha256": "9f2c" * 16}
_REASON = {
    "driver": "growth",
    "direction": "raises",
    "text_en": "Growth: 31 months since the last promotion (typical here: 14) goes with a clearly higher risk.",
    "text_zh": "成长发展：距上次晋升 31 个月（这里常见为 14），往往伴随明显较高的离职风险。",
    "contribution": 0.42,
    "factor": 1.52,
    "facts": [],
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "RiskAnswer": {
        "employee_id": "E0042",
        "as_of": "2026-10-31",
        "computed_at": "2026-11-01T02:00:00Z",
        "valid_until": "2027-01-30",
        "model": _MODEL,
        "band": "act",
        "risk": [
            {"horizon_days": 30, "voluntary": 0.04, "other": 0.002},
            {"horizon_days": 90, "voluntary": 0.11, "other": 0.006},
            {"horizon_days": 180, "voluntary": 0.21, "other": 0.012},
            {"horizon_days": 365, "voluntary": 0.35, "other": 0.025},
        ],
        "cannot_judge_en": None,
        "cannot_judge_zh": None,
        "reasons": [_REASON],
        "plan": {
            "actions": [{"action": "career_talk", "title_en": "Career talk", "title_zh": "职业发展面谈", "days": 14}],
            "empty_because_en": None,
            "empty_because_zh": None,
        },
        "override": None,
        "limits": {
            "evidence": {
                "n": 240,
                "left": 53,
                "rate": 0.22,
                "low": 0.15,
                "high": 0.3,
                "text_en": "Of 100 people with signs like these, about 22 gave notice within half a year (15–30).",
                "text_zh": "过去有类似迹象的人，每 100 人中大约有 22 人在半年内提出离职（15–30 人）。",
            },
            "accuracy_en": "It put a later leaver above a stayer 74 times out of 100; guessing gets 50.",
            "accuracy_zh": "100 次中有 74 次把后来离职的人排在留下的人前面；随意猜是 50 次。",
            "notice_en": NOTICE_EN,
            "notice_zh": NOTICE_ZH,
            "disagree_at": "/people/E0042#disagree",
        },
    },
    "TeamsAnswer": {
        "as_of": "2026-10-31",
        "model": _MODEL,
        "horizon_days": 180,
        "smallest_group": 5,
        "teams": [
            {
                "team": "Nursing B",
                "department": "Care",
                "n_people": 14,
                "n_judged": 13,
                "expected_exits": 2.3,
                "expected_low": 1,
                "expected_high": 4,
                "needs": [{"driver": "growth", "share": 0.41, "words_en": "Growth", "words_zh": "成长发展"}],
            }
        ],
    },
    "ForecastAnswer": {
        "as_of": "2026-10-31",
        "model": _MODEL,
        "until": "2027-04-30",
        "valid_until": "2027-01-30",
        "service_level": 0.8,
        "smallest_group": 5,
        "lines": [
            {
                "department": "Care",
                "job": "nurse",
                "n_people": 31,
                "n_going": 1,
                "expected": 3,
                "low": 2,
                "high": 5,
                "hires": 5,
                "needed_by": "2026-11-30",
                "search_from": "2026-10-31",
                "fill_days": 45,
                "fill_from": "job",
                "months": [{"until": "2026-11-30", "low": 1, "high": 1, "hires": 1}],
            }
        ],
    },
    "FlaggedAnswer": {
        "as_of": "2026-10-31",
        "model": _MODEL,
        "team": "Nursing B",
        "people": [
            {
                "employee_id": "E0042",
                "band": "act",
                "drivers": ["growth"],
                "first_action": "career_talk",
                "valid_until": "2027-01-30",
            }
        ],
        "next_cursor": None,
        "notice_en": NOTICE_EN,
        "notice_zh": NOTICE_ZH,
    },
    "ModelAnswer": {
        "model": _MODEL,
        "as_of": "2026-10-31",
        "computed_at": "2026-11-01T02:00:00Z",
        "data_versions": {"employees": 4, "surveys": 12},
        "card": {"reference_horizon_days": 180, "model_kind": "boosted", "base_rate": {"180": 0.09}},
    },
    "CatalogAnswer": {
        "actions": [{"action": "career_talk", "title_en": "Career talk", "title_zh": "职业发展面谈", "days": 14}]
    },
    "AuditAnswer": {
        "entries": [
            {
                "sequence": 812,
                "at": "2026-11-03T08:12:44Z",
                "actor": "person 12 Li Na",
                "action": "risk.read",
                "purpose": "retention_care",
                "employee_id": "E0042",
                "model_version": "7",
                "result": "shown",
                "request_id": "5d1f2a9c0e7b4a68",
                "hash": "51ce" * 16,
            }
        ],
        "next_cursor": None,
    },
    "State": {"status": "ok"},
}
"""One answer per operation, shown in the OpenAPI document and held to the schema by a test."""
