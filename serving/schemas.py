"""What the API answers, field by field. Only these fields leave the service; anything else in the store stays there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Purpose = Literal["retention_care", "subject_access", "model_quality", "audit", "talent_development"]
EventStatus = Literal["open", "done", "dismissed"]
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
    """The risk of leaving within ``horizon_days`` after ``as_of``; ``other``: retirement, contract end and the like.

    The person's own risk of a voluntary exit lies between ``low`` and ``high`` with a chance of 90 %; both are null
    where the model does not know its doubt.
    """

    horizon_days: int
    voluntary: float = Field(ge=0, le=1)
    other: float = Field(ge=0, le=1)
    low: float | None = Field(default=None, ge=0, le=1)
    high: float | None = Field(default=None, ge=0, le=1)


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
    may_be: tuple[Band, Band] | None = Field(default=None, description="The bands of both ends of the interval")
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
    """One team as a whole, in whole people; ``expected_low`` to ``expected_high`` holds in four of five cases."""

    team: str
    department: str | None
    n_people: int
    n_judged: int
    expected_exits: int
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


class AvoidedAnswer(Answer):
    """Exits avoided, in whole people; ``low`` to ``high`` holds in about four of five cases as far as effects go."""

    expected: int
    low: int
    high: int


class ActionCount(Answer):
    """How many people would be offered an action of the catalog."""

    action: str
    n_people: int


class AllocationLine(Answer):
    """One department; ``*`` stands for several small ones. ``avoided`` is null where few people are planned for."""

    department: str
    n_people: int
    n_planned: int
    actions: list[ActionCount]
    money: float
    hours: float
    avoided: AvoidedAnswer | None


class AllocationAnswer(Answer):
    """The plan in groups. ``gap``: how far it may be from the best plan, as a share. ``more_money``: exits that 10,000
    more would avoid (0: fewer than 0.1); ``more_hour``: what one more hour of one manager would, on average.

    What is avoided is told for 0 or 1, 2 or 5 with zeros in money and 0 or 1, 2, 4, 8 … hours; otherwise it is null."""

    as_of: date
    model: ModelRef
    smallest_group: int
    budget: float
    manager_hours: float
    most_each: int
    n_planned: int
    money: float
    hours: float
    avoided: AvoidedAnswer | None
    gap: float
    more_money: float | None
    more_hour: float | None
    lines: list[AllocationLine]


class PlannedPerson(Answer):
    """Somebody to be offered an action; nothing about a risk."""

    employee_id: str
    department: str
    team: str
    manager_id: str | None
    action: str


class PlannedPeopleAnswer(Answer):
    """The people of the plan, by department, team and number: the order says nothing about anybody."""

    as_of: date
    model: ModelRef
    people: list[PlannedPerson]


class FlaggedPerson(Answer):
    """Somebody in watch or act. Read the person's risk, with a purpose of its own, for more."""

    employee_id: str
    band: Literal["act", "watch"]
    drivers: list[str]
    first_action: str | None
    valid_until: date


class WithdrawalEvent(Answer):
    """Somebody does clearly less than is usual for them, told in counts; why, only a talk can tell.

    ``false_share``: of the events as strong as this one, the share that chance explains.
    """

    employee_id: str
    team: str
    week: date
    since: date
    weeks: int
    stream: Literal["all", "talk", "meeting", "initiative"]
    usual_a_week: float
    now_a_week: float
    false_share: float
    due_on: date
    valid_until: date
    status: EventStatus
    decided_by: str | None
    text_en: str
    text_zh: str


class WithdrawalAnswer(Answer):
    """Events of withdrawal within sight, the newest week first, then by name."""

    events: list[WithdrawalEvent]
    notice_en: str = NOTICE_EN
    notice_zh: str = NOTICE_ZH


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
    """Alive or ready, without detail. ``degraded``: by the last good copy of a model, not the newest."""

    status: Literal["ok", "degraded", "not_ready"]


class ProblemAnswer(BaseModel):
    """RFC 9457: what went wrong, without data about anybody. ``state`` and ``allowed_steps`` only of a case."""

    type: str = "about:blank"
    title: str
    status: int
    request_id: str
    errors: list[dict[str, str]] = []
    state: str | None = None
    allowed_steps: list[str] | None = None
