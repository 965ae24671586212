"""What other systems send and get when they exchange with the service: closed schemas, field by field."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from serving.schemas import NOTICE_EN, NOTICE_ZH, Answer, Band, HorizonRisk, ModelRef, PlanAnswer, Told

MOST_PUSHED = 5_000
MOST_AT_ONCE = 100
MOST_IN_JOB = 20_000
MOST_COLUMNS = 100
WHAT_IF_EN = "What the model would say, not what would happen: changing the fact need not change the risk."
WHAT_IF_ZH = "这是模型会给出的结果，不是实际会发生的结果：改变该事实未必改变风险。"

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 12, 31)


def _possible(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"must lie between {FIRST_DAY} and {LAST_DAY}")
    return day


def _moment(moment: datetime) -> datetime:
    if not FIRST_DAY.year <= moment.year <= LAST_DAY.year:
        raise ValueError(f"must lie between {FIRST_DAY.year} and {LAST_DAY.year}")
    return moment


Day = Annotated[date, AfterValidator(_possible), Field(description=f"{FIRST_DAY} to {LAST_DAY}")]
Moment = Annotated[AwareDatetime, AfterValidator(_moment)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Text = Annotated[str, StringConstraints(max_length=2_000)]
Whole = Annotated[int, Field(ge=-(10**15), le=10**15)]
Number = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
Cell = Text | bool | Whole | Number | None
Row = Annotated[dict[ColumnName, Cell], Field(max_length=MOST_COLUMNS)]
PostedTable = Literal[
    "employees",
    "exits",
    "positions",
    "interactions",
    "surveys",
    "reviews",
    "goals",
    "learning",
    "skills",
    "recognitions",
    "attendance",
    "aspirations",
    "care_actions",
    "exit_interviews",
    "job_skills",
    "courses",
    "activities",
]
"""Every table but ``protected``, which is handed over as a file by people who may."""


class PersonLine(Answer):
    """Somebody in a list, by id: least data. ``band`` is null when a person has set the assessment aside."""

    employee_id: str
    team: str
    department: str | None
    band: Band | None
    decided_by_person: bool
    valid_until: date


class PeopleAnswer(Answer):
    """A page of people within sight, by id and never by risk. Read a person's risk for more."""

    as_of: date
    computed_at: datetime
    model: ModelRef
    people: list[PersonLine]
    next_cursor: str | None
    notice_en: str = NOTICE_EN
    notice_zh: str = NOTICE_ZH


class ExportLine(Answer):
    """One line of an export. ``risk`` is null without ``numbers=true``, and where nothing can be judged."""

    export: str = Field(description="Number of the export in the audit log: whoever holds the file can be asked")
    as_of: date
    model_version: str
    employee_id: str
    team: str
    department: str | None
    band: Band | None
    decided_by_person: bool
    valid_until: date
    risk: list[HorizonRisk] | None


class FaultAnswer(Answer):
    """One thing wrong with a row, and how to mend it. ``value`` is what was sent."""

    column: str
    value: str | None
    rule: str
    wrong_en: str
    wrong_zh: str
    fix_en: str
    fix_zh: str


class RecordsAsk(Answer):
    """Rows of one table in the form of docs/tables.md; dates as 2026-10-31."""

    rows: list[Row] = Field(min_length=1, max_length=MOST_PUSHED)


class RowAnswer(Answer):
    """What became of one row. A quarantined row waits, under its ``quarantine_id``, to be mended; of a refused one
    nothing is kept."""

    row: int
    state: Literal["accepted", "corrected", "duplicate", "quarantined", "refused"]
    quarantine_id: str | None = None
    faults: list[FaultAnswer] = Field(default=[])


class RecordsAnswer(Answer):
    """received = accepted + corrected + duplicates + quarantined + refused; one line per row, in their order."""

    table: PostedTable
    batch: str
    received: int
    accepted: int
    corrected: int
    duplicates: int
    quarantined: int
    refused: int
    rows: list[RowAnswer]


class ScoresAsk(Answer):
    """Records of people to be scored as of a day. ``employees``: only these (others are there to be compared with)."""

    as_of: Day
    records: dict[PostedTable, Annotated[list[Row], Field(max_length=200_000)]] = Field(min_length=1)
    employees: list[Id] = Field(default=[], max_length=MOST_IN_JOB)


class PostedRisk(Answer):
    """The assessment of somebody whose records were posted; the same facts as a stored one."""

    employee_id: str
    band: Band
    risk: list[HorizonRisk] | None
    may_be: tuple[Band, Band] | None
    cannot_judge_en: str | None
    cannot_judge_zh: str | None
    reasons: list[Told]
    plan: PlanAnswer
    rows_left_out: int


class RefusedRow(Answer):
    """A posted row that was left out of the scoring."""

    table: PostedTable
    row: int
    faults: list[FaultAnswer]


class ScoresAnswer(Answer):
    """What the model says of posted people. ``absent``: not hired yet, gone, under notice, or not to be told."""

    as_of: date
    model: ModelRef
    people: list[PostedRisk]
    absent: list[str]
    refused: list[RefusedRow]
    notice_en: str = NOTICE_EN
    notice_zh: str = NOTICE_ZH


class JobAnswer(Answer):
    """Where a job stands: ``done`` of ``total`` people. After ``expires_at`` it and its answers are gone."""

    job_id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    done: int
    total: int
    why: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime


class JobLine(Answer):
    """One line of a job's answers: a row left out, somebody not at risk on the day, or a person's assessment."""

    line: Literal["refused", "absent", "person"]
    refused: RefusedRow | None = None
    employee_id: str | None = None
    person: PostedRisk | None = None


class ActionableColumn(Answer):
    """A column that a what-if may change, with its unit and words; ``levels`` of a category."""

    column: str
    driver: str
    unit: str
    meaning: str
    words_en: str
    words_zh: str
    levels: list[str] | None


class ActionableAnswer(Answer):
    """What a what-if may change: what care can act on, what may be told, what the model reads."""

    model: ModelRef
    columns: list[ActionableColumn]


class WhatIfAsk(Answer):
    """New values by column; null stands for unknown."""

    changes: dict[ColumnName, Text | Number | None] = Field(min_length=1, max_length=10)


class Side(Answer):
    """One side of a what-if. ``risk`` only for a key that may see numbers."""

    band: Band
    may_be: tuple[Band, Band] | None
    risk: list[HorizonRisk] | None
    cannot_judge_en: str | None
    cannot_judge_zh: str | None


class WhatIfAnswer(Answer):
    """The assessment as it is and as the model would give it; ``drivers``: what moves, the strongest first."""

    employee_id: str
    as_of: date
    valid_until: date
    model: ModelRef
    changes: dict[str, str | float | None]
    now: Side
    then: Side
    drivers: list[str]
    what_it_is_en: str = WHAT_IF_EN
    what_it_is_zh: str = WHAT_IF_ZH
    notice_en: str = NOTICE_EN
    notice_zh: str = NOTICE_ZH


EventKind = Literal["scores.updated", "records.received", "job.ended"]


class EndpointAsk(Answer):
    """Where events should go: https, reachable from outside."""

    url: Annotated[str, StringConstraints(min_length=8, max_length=2_000, pattern=r"^https?://[!-~]+$")]
    kinds: Annotated[list[EventKind], Field(min_length=1, max_length=3)]


class EndpointAnswer(Answer):
    """An endpoint of this key. ``former_until``: how long the former secret signs beside the present one."""

    endpoint_id: str
    url: str
    kinds: list[EventKind]
    created_at: datetime
    former_until: datetime | None
    disabled_at: datetime | None


class EndpointMade(EndpointAnswer):
    """A new endpoint, or a new secret of one: ``secret`` is told now and never again."""

    secret: str


class EndpointsAnswer(Answer):
    """The endpoints of this key."""

    endpoints: list[EndpointAnswer]


class DeliveryLine(Answer):
    """One event for one endpoint. ``last_result``: the status of the last try, or why there was none."""

    event_id: str
    kind: EventKind
    at: datetime
    state: Literal["waiting", "delivered", "dead"]
    attempts: int
    next_at: datetime
    last_result: str | None


class DeliveriesAnswer(Answer):
    """What went or goes to an endpoint, newest first."""

    deliveries: list[DeliveryLine]


ASKED: tuple[type[Answer], ...] = (RecordsAsk, ScoresAsk, WhatIfAsk, EndpointAsk)
"""Bodies of requests, which the routes parse themselves once the request was let in."""


def plain(model: type[Answer]) -> dict[str, Any]:
    """Return the schema of a body with its parts in the components of the document."""
    return model.model_json_schema(ref_template="#/components/schemas/{model}")
