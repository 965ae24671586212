"""The API for other systems: ``/v1``, JSON, one key per system, a purpose for every look at a person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter

from serving import cursor, groups, service
from serving.access import Visit
from serving.documented import document
from serving.guard import desk, visit
from serving.problems import KINDS
from serving.schema_examples import EXAMPLES
from serving.schemas import (
    AuditAnswer,
    AuditLine,
    BandEvidence,
    CatalogAnswer,
    EventStatus,
    FlaggedAnswer,
    FlaggedPerson,
    ForecastAnswer,
    ForecastLine,
    Limits,
    ModelAnswer,
    ModelRef,
    Need,
    OverrideNote,
    ProblemAnswer,
    Purpose,
    RiskAnswer,
    State,
    TeamAnswer,
    TeamsAnswer,
    WithdrawalAnswer,
    WithdrawalEvent,
)
from serving.schemas_talent import GROWTH_EXAMPLES, PLAIN_TEXT
from serving.seen import Assessed, Run, TeamNeed
from serving.store import answers, is_current
from serving.words import Words

router = APIRouter()
EN, ZH = Words("en"), Words("zh")

Let = Annotated[Visit, Depends(visit)]
EmployeeId = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN_TEXT)]
Team = Annotated[str, Path(min_length=1, max_length=200, pattern=PLAIN_TEXT)]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=900)]
Limit = Annotated[int, Query(ge=1, le=200)]


def documented(
    answer: type[BaseModel] | dict[str, Any], *problems: str, status: int = 200
) -> dict[int | str, dict[str, Any]]:
    """Return the documented answers of an operation: an example of the good one, and every problem it can meet."""
    example = answer if isinstance(answer, dict) else (EXAMPLES | GROWTH_EXAMPLES)[answer.__name__]
    good = {"content": {"application/json": {"example": example}}}
    codes = {KINDS[name].status: KINDS[name].title_en for name in problems}
    schema = {"content": {"application/problem+json": {"schema": ProblemAnswer.model_json_schema()}}}
    return {status: good, **{code: {"description": title, **schema} for code, title in sorted(codes.items())}}


ONE = TypeAdapter(RiskAnswer)
"""The one answer that is asked for most: straight from what is told to bytes."""

LOCKED = ("not_signed_in", "scope_missing", "invalid", "store")
"""Problems of every route behind a key; 503 is also what a stopped service answers."""


@router.get(
    "/v1/employees/{employee_id}/risk",
    response_model=RiskAnswer,
    responses=documented(RiskAnswer, *LOCKED, "not_found", "expired", "reason_needed", "slow_down"),
    openapi_extra={"security": [{"key": []}]},
)
async def employee_risk(request: Request, who: Let, employee_id: EmployeeId, purpose: Purpose) -> Response:
    """One person's risk over every horizon, the reasons, and the care plan. The read is written down first."""
    run, one = await service.risk(desk(request).store, who, employee_id)
    told = {
        "employee_id": one.employee_id,
        "as_of": run.as_of,
        "computed_at": run.computed_at,
        "valid_until": one.valid_until,
        "model": model_ref(run),
        "band": one.band,
        "risk": _risk(one),
        "may_be": one.may_be,
        "cannot_judge_en": one.cannot_judge_en,
        "cannot_judge_zh": one.cannot_judge_zh,
        "reasons": [reason for reason in one.reasons if reason["text_en"]],
        "plan": one.plan or {"actions": [], "empty_because_en": None, "empty_because_zh": None},
        "override": _override(one),
        "limits": _limits(run, one),
    }
    answer = ONE.validate_python(told)  # the parts with the whole: a fifth of the time of one after the other
    # Checked when it was made; the framework would check it once more, at a third of the cost of the whole answer.
    return Response(ONE.dump_json(answer), media_type="application/json")


@router.get(
    "/v1/teams",
    responses=documented(TeamsAnswer, *LOCKED),
    openapi_extra={"security": [{"key": []}]},
)
def teams(request: Request, who: Let) -> TeamsAnswer:
    """Teams as a whole, those that need care first on top; left out: small ones, and those you see in part."""
    at = desk(request)
    min_group = groups.smallest(who.viewer, at.settings)
    seen = service.overview(at.store, who, min_group=min_group)
    return TeamsAnswer(
        as_of=seen.run.as_of,
        model=model_ref(seen.run),
        horizon_days=seen.run.horizon_days,
        smallest_group=min_group,
        teams=[_team(need) for need in seen.teams if need.figures],
    )


@router.get(
    "/v1/teams/{team:path}/flagged",
    responses=documented(FlaggedAnswer, *LOCKED, "not_found"),
    openapi_extra={"security": [{"key": []}]},
)
def flagged(request: Request, who: Let, team: Team, purpose: Purpose, cursor_: Cursor = None) -> FlaggedAnswer:
    """The people of one team in act or watch. Each person on the page is one entry in the audit log."""
    at = desk(request)
    about = f"{who.viewer.actor}|{team}"
    after = cursor.read(cursor_, secret=at.secret, about=about)
    seen = service.team_list(at.store, who, (team, ("act", "watch")), after=after, limit=at.settings.page_size)
    return FlaggedAnswer(
        as_of=seen.run.as_of,
        model=model_ref(seen.run),
        team=seen.team,
        people=[_flagged(one) for one in seen.people],
        next_cursor=cursor.seal(seen.next, secret=at.secret, about=about) if seen.next else None,
    )


@router.get(
    "/v1/forecast",
    responses=documented(ForecastAnswer, *LOCKED, "not_found", "expired"),
    openapi_extra={"security": [{"key": []}]},
)
def forecast(request: Request, who: Let) -> ForecastAnswer:
    """How many will leave per department and job, and how many to hire by when. Groups only, no total."""
    at = desk(request)
    seen = service.forecast(at.store, who, min_group=at.settings.min_group)
    return ForecastAnswer(
        as_of=seen.run.as_of,
        model=model_ref(seen.run),
        until=seen.until,
        valid_until=seen.valid_until,
        service_level=seen.service_level,
        smallest_group=seen.min_group,
        lines=[ForecastLine(**line) for line in seen.lines],
    )


@router.get(
    "/v1/events",
    responses=documented(WithdrawalAnswer, *LOCKED, "not_found"),
    openapi_extra={"security": [{"key": []}]},
)
def events(
    request: Request,
    who: Let,
    purpose: Purpose,
    team: Annotated[str | None, Query(min_length=1, max_length=200, pattern=PLAIN_TEXT)] = None,
    employee_id: Annotated[str | None, Query(min_length=1, max_length=200, pattern=PLAIN_TEXT)] = None,
    status: EventStatus | None = None,
) -> WithdrawalAnswer:
    """Who does clearly less than is usual for them, newest first: reach out. Each person is an entry in the log."""
    found = service.events(desk(request).store, who, team=team, employee_id=employee_id, status=status)
    return WithdrawalAnswer(events=[_event(row) for row in found])


@router.get("/v1/model", responses=documented(ModelAnswer, *LOCKED), openapi_extra={"security": [{"key": []}]})
def model(request: Request, who: Let) -> ModelAnswer:
    """The card of the model behind the current scores: what it read, how good it proved, what it is not for."""
    run = service.current(desk(request).store)
    return ModelAnswer(
        model=model_ref(run),
        as_of=run.as_of,
        computed_at=run.computed_at,
        data_versions=run.data_versions,
        card=run.card,
    )


@router.get("/v1/catalog", responses=documented(CatalogAnswer, *LOCKED), openapi_extra={"security": [{"key": []}]})
def catalog(request: Request, who: Let) -> CatalogAnswer:
    """Every care action that may be suggested, with its evidence, its cost, and the harm to avoid."""
    return CatalogAnswer.model_validate({"actions": desk(request).catalog})


@router.get(
    "/v1/audit", responses=documented(AuditAnswer, *LOCKED, "not_found"), openapi_extra={"security": [{"key": []}]}
)
def audit_log(request: Request, who: Let, cursor_: Cursor = None, limit: Limit = 50) -> AuditAnswer:
    """Who did what, when and for which purpose, newest first. Never a score."""
    at = desk(request)
    about = f"{who.viewer.actor}|audit"
    before = cursor.read(cursor_, secret=at.secret, about=about)
    rows = service.log_page(at.store, who, before=before, limit=limit)
    further = rows[limit - 1]["sequence"] if len(rows) > limit else None
    return AuditAnswer(
        entries=[AuditLine(**{name: row[name] for name in AuditLine.model_fields}) for row in rows[:limit]],
        next_cursor=cursor.seal(further, secret=at.secret, about=about) if further else None,
    )


@router.get("/healthz", responses=documented(State))
def alive(who: Let) -> State:
    """Alive; says nothing about whether it can work."""
    return State(status="ok")


@router.get("/readyz", responses={**documented(State), 503: {"model": State, "description": "Not ready"}})
def ready(request: Request, who: Let) -> Any:
    """Ready: the store takes writes, its tables are up to date, and there are scores to show."""
    store = desk(request).store
    if is_current(store) and answers(store) and service.has_scores(store):
        return State(status="degraded" if service.current(store).card.get("degraded") else "ok")
    return JSONResponse(State(status="not_ready").model_dump(), status_code=503)


@router.get("/v1/openapi.json", include_in_schema=False)
def openapi(request: Request, who: Let) -> JSONResponse:
    """This description of the API, for programs."""
    return JSONResponse(document(request.app))


def model_ref(run: Run) -> ModelRef:
    """Return which model said so."""
    return ModelRef(name=run.card["name"], version=run.model_version, sha256=run.bundle_sha256)


def _risk(one: Assessed) -> list[dict[str, Any]] | None:
    if one.risk is None or one.other is None:
        return None
    days, ends = sorted(one.risk, key=int), one.interval or {}
    between = {d: dict(zip(("low", "high"), ends.get(d, ()), strict=False)) for d in days}
    return [{"horizon_days": int(d), "voluntary": one.risk[d], "other": one.other[d], **between[d]} for d in days]


def _override(one: Assessed) -> OverrideNote | None:
    return OverrideNote(**{name: one.override[name] for name in OverrideNote.model_fields}) if one.override else None


def _limits(run: Run, one: Assessed) -> Limits:
    found = run.card.get("band_evidence", {}).get(one.band)
    evidence = None
    if found and found.get("n"):
        evidence = BandEvidence(
            **{name: found[name] for name in ("n", "left", "rate", "low", "high")},
            text_en=EN.evidence(run.card, one.band),
            text_zh=ZH.evidence(run.card, one.band),
        )
    return Limits(
        evidence=evidence,
        accuracy_en=EN.accuracy(run.card),
        accuracy_zh=ZH.accuracy(run.card),
        disagree_at=f"/people/{one.employee_id}#disagree",
    )


def _event(row: dict[str, Any]) -> WithdrawalEvent:
    told = {name: row[name] for name in WithdrawalEvent.model_fields if name in row}
    told |= {"team": row["team_now"], "usual_a_week": round(row["usual"], 1), "now_a_week": round(row["now"], 1)}
    return WithdrawalEvent(**told, text_en=EN.withdrawal(row), text_zh=ZH.withdrawal(row))


def _team(need: TeamNeed) -> TeamAnswer:
    figures = need.figures
    if figures is None:
        raise ValueError("a group that is too small has no figures to show")
    return TeamAnswer(
        team=need.team,
        department=need.department,
        n_people=figures.n_people,
        n_judged=figures.n_judged,
        expected_exits=figures.expected_exits,
        expected_low=figures.low,
        expected_high=figures.high,
        needs=[
            Need(driver=driver, share=share, words_en=EN.driver(driver), words_zh=ZH.driver(driver))
            for driver, share in figures.needs
        ],
    )


def _flagged(one: Assessed) -> FlaggedPerson:
    if one.band not in ("act", "watch"):
        raise ValueError("somebody outside act and watch came onto the list of flagged people")
    raising = [reason["driver"] for reason in one.reasons if reason["direction"] == "raises" and reason["text_en"]]
    actions = one.plan.get("actions") or [{}]
    return FlaggedPerson(
        employee_id=one.employee_id,
        band=one.band,  # type: ignore[arg-type]
        drivers=[driver for driver in raising if driver != "context"][:3],
        first_action=actions[0].get("action"),
        valid_until=one.valid_until,
    )
