"""Many people for other systems: a list in pages, and the whole of it as NDJSON or Parquet. By id, never by risk."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import iterate_in_threadpool

from serving import cursor, exchange
from serving.access import Visit
from serving.documented import NDJSON, PARQUET, SECURITY, answers, streams
from serving.exchange import Export
from serving.guard import desk, visit
from serving.problems import Problem
from serving.schemas import NOTICE_EN, Band, ModelRef, Purpose
from serving.schemas_exchange import ExportLine, Moment, PeopleAnswer, PersonLine
from serving.seen import Run
from serving.store_exchange import Wanted

router = APIRouter()
Let = Annotated[Visit, Depends(visit)]
Team = Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Since = Annotated[
    Moment | None,
    Query(
        description="Another band than at this moment, or a person's word since; time zone needed, in a URL + is %2B"
    ),
]


def which(team: Team = None, band: Band | None = None, changed_since: Since = None) -> Wanted:
    """Return the filters of a list; its batch is filled in when it is read."""
    return Wanted(0, team, band, changed_since.astimezone(UTC) if changed_since else None)


Which = Annotated[Wanted, Depends(which)]


@router.get("/v1/people", responses=answers(PeopleAnswer, "not_found"), openapi_extra=SECURITY)
def people(
    request: Request,
    who: Let,
    purpose: Purpose,
    which: Which,
    cursor_: Annotated[str | None, Query(alias="cursor", max_length=900)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> PeopleAnswer:
    """People within sight in pages, by id. Each person on the page is one entry in the audit log."""
    at = desk(request)
    about = f"{who.viewer.actor}|people|{which.team}|{which.band}|{which.since}"
    after = cursor.read(cursor_, secret=at.secret, about=about)
    listed = exchange.people(at.store, who, replace(which, after=after, limit=limit))
    run = listed.run
    return PeopleAnswer(
        as_of=run.as_of,
        computed_at=run.computed_at,
        model=model_ref(run),
        people=[PersonLine(**exchange.line(row)) for row in listed.people],
        next_cursor=cursor.seal(listed.next, secret=at.secret, about=about) if listed.next else None,
    )


_PARQUET = {PARQUET: {"schema": {"type": "string", "format": "binary"}}}


@router.get(
    "/v1/people/export",
    responses=streams(ExportLine, "overloaded", also=_PARQUET),
    openapi_extra=SECURITY,
    response_class=Response,
)
def export_people(
    request: Request,
    who: Let,
    purpose: Purpose,
    which: Which,
    file: Annotated[
        Literal["ndjson", "parquet"], Query(description="One JSON object per line, or one table")
    ] = "ndjson",
    numbers: Annotated[bool, Query(description="With risks; without, bands alone")] = False,
) -> Response:
    """Everybody within sight at once. The export and each person in it are in the audit log before the first line."""
    at = desk(request)
    if numbers and not who.viewer.sees_numbers:
        raise Problem("scope_missing")
    with request.app.state.at_hand.heavy.place():
        export = exchange.begin_export(at.store, who, which)
        pages = exchange.export_pages(at.store, who, export)
        rows = (_row(export, row, numbers=numbers) for page in pages for row in page)
        headers = {"x-export": export.name}
        if file == "parquet":
            return Response(_parquet(export, rows, who), media_type=PARQUET, headers=headers)
    lines = (json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
    return StreamingResponse(iterate_in_threadpool(_batched(lines)), media_type=NDJSON, headers=headers)


def model_ref(run: Run) -> ModelRef:
    """Return which model stands behind a batch."""
    return ModelRef(name=run.card["name"], version=run.model_version, sha256=run.bundle_sha256)


def _row(export: Export, row: dict[str, Any], *, numbers: bool) -> dict[str, Any]:
    facts = {"export": export.name, "as_of": export.run.as_of, "model_version": export.run.model_version}
    return {**facts, **exchange.line(row), "risk": exchange.risks(row) if numbers else None}


def _batched(lines: Iterator[str], size: int = 500) -> Iterator[str]:
    """Yield lines together, so that a page costs one step between threads and not one per person."""
    part: list[str] = []
    for line in lines:
        part.append(line)
        if len(part) >= size:
            yield "".join(part)
            part = []
    yield "".join(part)


def _parquet(export: Export, rows: Iterator[dict[str, Any]], who: Visit) -> bytes:
    """Return one flat table; who took it, why and when stands in the file's own facts."""
    days = [str(days) for days in export.run.card["horizons_days"]]
    numbers = [f"{name}_{day}d" for day in days for name in ("risk", "other", "low", "high")]
    texts = ("export", "model_version", "employee_id", "team", "department", "band")
    schema: dict[str, Any] = {**dict.fromkeys(texts, pl.String), "decided_by_person": pl.Boolean}
    schema |= {"as_of": pl.Date, "valid_until": pl.Date, **dict.fromkeys(numbers, pl.Float64)}
    flat = [{**{k: v for k, v in row.items() if k != "risk"}, **_flat(row["risk"] or [])} for row in rows]
    facts = {"export": export.name, "by": who.viewer.actor, "purpose": who.purpose, "notice": NOTICE_EN}
    file = io.BytesIO()
    pl.DataFrame(flat, schema=schema).write_parquet(file, metadata={**facts, "at": who.now.isoformat()})
    return file.getvalue()


def _flat(risks: list[dict[str, Any]]) -> dict[str, float | None]:
    names = {"voluntary": "risk", "other": "other", "low": "low", "high": "high"}
    return {f"{short}_{one['horizon_days']}d": one[name] for one in risks for name, short in names.items()}
