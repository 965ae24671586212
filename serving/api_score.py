"""Scoring on demand: of posted records at once or as a job, and of a person with something changed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import iterate_in_threadpool

from features.kept import kept_day
from models.own_effects import read_own
from serving import audit, jobs, posted, service, store_exchange, what_if
from serving.access import Visit
from serving.api_people import model_ref
from serving.api_records import for_everybody
from serving.at_hand import AtHand, lake_of
from serving.body import Body, read
from serving.documented import NDJSON, SECURITY, answers, asks, streams
from serving.guard import desk, visit
from serving.idempotency import Answered, Key, fingerprint, once
from serving.problems import Problem
from serving.schemas import Purpose
from serving.schemas_exchange import (
    MOST_AT_ONCE,
    MOST_IN_JOB,
    ActionableAnswer,
    ActionableColumn,
    JobAnswer,
    JobLine,
    ScoresAnswer,
    ScoresAsk,
    WhatIfAnswer,
    WhatIfAsk,
)
from serving.told_scores import posted_risk, refused_row, side

router = APIRouter()
Let = Annotated[Visit, Depends(visit)]
JobId = Annotated[str, Path(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$")]
EmployeeId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
CURIOUS = ("reason_needed", "slow_down")
HARD = ("timeout", "too_large", "media", "overloaded", "not_scored", "no_model")
TO_JOB = {"operationId": "scoring_job", "parameters": {"job_id": "$response.body#/job_id"}}


@router.post("/v1/scores", responses=answers(ScoresAnswer, *HARD), openapi_extra=asks(ScoresAsk))
def score_records(request: Request, who: Let, purpose: Purpose, raw: Body) -> ScoresAnswer:
    """Posted people (at most 100), by the recipe of the nightly batch. Nothing of what is posted is kept."""
    at, hand = desk(request), at_hand(request)
    for_everybody(who)
    asked = read(raw, ScoresAsk)
    within(asked, MOST_AT_ONCE)
    run = service.current(at.store)
    with hand.heavy.place():
        bundle = hand.bundle(run, at.settings)
        own = lake_of(at.settings).own_columns()
        records: Any = asked.records
        how: Any = {"own": own, "bundle": bundle, "plans": hand.plans}
        ready = posted.prepare(records, as_of=asked.as_of, only=asked.employees, **how)
        everybody = posted.answer(ready, bundle, hand.catalog, own=read_own(at.settings.own_effects))
    hidden = jobs.kept_back(at.store, [one.employee_id for one in everybody], now=who.now)
    found = [one for one in everybody if one.employee_id not in hidden]
    service.current(at.store)  # somebody may have stopped the service meanwhile
    answer = ScoresAnswer(
        as_of=asked.as_of,
        model=model_ref(run),
        people=[
            posted_risk(one, bundle, numbers=who.viewer.sees_numbers, left_out=ready.left_out.get(one.employee_id, 0))
            for one in found
        ],
        absent=[*ready.absent, *sorted(hidden)],
        refused=[refused_row(one) for one in ready.refused],
    )
    told = audit.entry_of(who, "score.posted", f"{len(found)} people", subject="posted", run=run)
    jobs.write_down(at.store, who, told, [one.employee_id for one in found])
    return answer


def within(asked: ScoresAsk, most: int) -> None:
    """Refuse more people than this operation takes, and a request without any."""
    people = {row.get("employee_id") for row in asked.records.get("employees", [])}
    if not people:
        raise Problem("invalid", ({"where": "records.employees", "what": "missing"},))
    if len(people) > most:
        raise Problem("invalid", ({"where": "records.employees", "what": f"more_than_{most}_people"},))


@router.post(
    "/v1/jobs",
    status_code=202,
    response_model=JobAnswer,
    responses={
        202: {**answers(JobAnswer)[200], "links": {"Progress": TO_JOB}},
        **{k: v for k, v in answers(None, *HARD, "header_missing", "in_progress", "key_reused").items() if k != 200},
    },
    openapi_extra=asks(ScoresAsk),
)
def start_scoring_job(request: Request, who: Let, purpose: Purpose, idempotency_key: Key, raw: Body) -> JSONResponse:
    """Posted people, as many as the body holds, scored one portion after the other; survives a restart."""
    at = desk(request)
    for_everybody(who)
    asked = read(raw, ScoresAsk)
    within(asked, MOST_IN_JOB)
    service.current(at.store)

    def work(batch: str) -> Answered:
        row = jobs.start(at, who, asked, raw, batch=batch)
        return Answered(202, _job(row).model_dump(mode="json"), location=f"/v1/jobs/{row['id']}")

    answer = once(at, who, (idempotency_key, fingerprint(request, raw)), work)
    request.app.state.job_bell.set()
    return answer


@router.get("/v1/jobs/{job_id}", responses=answers(JobAnswer, "not_found"), openapi_extra=SECURITY)
def scoring_job(request: Request, who: Let, job_id: JobId) -> JobAnswer:
    """Where a job stands."""
    return _job(jobs.own(desk(request).store, who, job_id))


@router.delete(
    "/v1/jobs/{job_id}", status_code=204, responses=answers(None, "not_found", status=204), openapi_extra=SECURITY
)
def delete_scoring_job(request: Request, who: Let, job_id: JobId) -> Response:
    """Stop a job and delete it, with everything that was posted and answered."""
    with desk(request).store.begin() as tx:
        gone = store_exchange.delete_job(tx, who.viewer.actor, job_id)
        store_exchange.forget_write(tx, who.viewer.actor, job_id.removeprefix("job_"))
    if not gone:
        raise Problem("not_found")
    return Response(status_code=204)


@router.get(
    "/v1/jobs/{job_id}/answers",
    responses=streams(JobLine, "not_found", "not_ready"),
    openapi_extra=SECURITY,
    response_class=Response,
)
def scoring_job_answers(request: Request, who: Let, purpose: Purpose, job_id: JobId) -> Response:
    """The answers of a finished job, one line each: rows left out, people not at risk, assessments."""
    parts = jobs.answers(desk(request).store, who, job_id)
    return StreamingResponse(iterate_in_threadpool(parts), media_type=NDJSON)


@router.get("/v1/what-if", responses=answers(ActionableAnswer, "not_scored", "no_model"), openapi_extra=SECURITY)
def actionable_columns(request: Request, who: Let) -> ActionableAnswer:
    """What a what-if may change, with units and words."""
    at = desk(request)
    run = service.current(at.store)
    bundle = at_hand(request).bundle(run, at.settings)
    cards = [
        ActionableColumn(
            column=card.column,
            driver=card.driver,
            unit=card.unit,
            meaning=card.meaning,
            words_en=card.words_en,
            words_zh=card.words_zh,
            levels=list(bundle.model.categories.get(card.column, ())) if card.kind == "category" else None,
        )
        for card in what_if.columns(bundle)
    ]
    return ActionableAnswer(model=model_ref(run), columns=cards)


@router.post(
    "/v1/employees/{employee_id}/what-if",
    responses=answers(
        WhatIfAnswer, *HARD, "not_found", "expired", "reason_needed", "slow_down", "set_aside", "no_snapshot"
    ),
    openapi_extra=asks(WhatIfAsk),
)
def ask_what_if(request: Request, who: Let, employee_id: EmployeeId, purpose: Purpose, raw: Body) -> WhatIfAnswer:
    """What the model would say of somebody if something that care can change were otherwise."""
    at, hand = desk(request), at_hand(request)
    seen = service.person(at.store, who, employee_id, question=True)  # the look is written down here, and refused here
    asked = read(raw, WhatIfAsk)
    if seen.assessed.band is None:
        raise Problem("set_aside")
    bundle = hand.bundle(seen.run, at.settings)
    if wrong := what_if.wrong(asked.changes, bundle):
        raise Problem("invalid", tuple(wrong))
    with hand.heavy.place():
        known = kept_day(lake_of(at.settings), seen.run.as_of, versions=seen.run.data_versions)
        found = what_if.ask(known, employee_id, asked.changes, bundle=bundle, catalog=hand.catalog) if known else None
    if found is None:
        raise Problem("no_snapshot")
    numbers = who.viewer.sees_numbers
    return WhatIfAnswer(
        employee_id=employee_id,
        as_of=seen.run.as_of,
        valid_until=seen.assessed.valid_until,
        model=model_ref(seen.run),
        changes=asked.changes,
        now=side(found.now, bundle, numbers=numbers),
        then=side(found.then, bundle, numbers=numbers),
        drivers=list(what_if.moved(found)),
    )


def at_hand(request: Request) -> AtHand:
    """Return what the service holds ready."""
    return request.app.state.at_hand


def _job(row: dict) -> JobAnswer:  # type: ignore[type-arg]
    facts = {name: row[name] for name in JobAnswer.model_fields if name != "job_id"}
    return JobAnswer(job_id=row["id"], **facts)
