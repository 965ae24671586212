"""Records from other systems, pushed row by row: each row is answered, and what is not right waits to be mended."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse

from features.errors import FixableError
from features.push import push
from serving import audit, store_webhooks
from serving.access import Visit
from serving.at_hand import lake_of
from serving.body import Body, read
from serving.documented import answers, asks
from serving.guard import Desk, desk, visit
from serving.idempotency import Answered, Key, fingerprint, once
from serving.problems import Problem
from serving.schemas_exchange import FaultAnswer, PostedTable, RecordsAnswer, RecordsAsk, RowAnswer

router = APIRouter()
Let = Annotated[Visit, Depends(visit)]
RETRY_SECONDS = 5


@router.post(
    "/v1/records/{table}",
    response_model=RecordsAnswer,
    responses=answers(
        RecordsAnswer,
        *("header_missing", "timeout", "in_progress", "too_large", "media", "key_reused", "records_busy", "overloaded"),
    ),
    openapi_extra=asks(RecordsAsk),
)
def push_records(
    request: Request, who: Let, table: Annotated[PostedTable, Path()], idempotency_key: Key, raw: Body
) -> JSONResponse:
    """Rows of one table. Every row is accepted, a correction, a duplicate, quarantined or refused, and told why."""
    at = desk(request)
    for_everybody(who)
    asked = read(raw, RecordsAsk)
    with request.app.state.at_hand.heavy.place():
        return once(
            at,
            who,
            (idempotency_key, fingerprint(request, raw)),
            lambda batch: Answered(200, _push(at, who, table, batch, asked).model_dump(mode="json")),
        )


def for_everybody(who: Visit) -> None:
    """Refuse a key that sees a part of the organisation: records are about anybody."""
    if who.viewer.sight.kind != "everyone":
        raise Problem("scope_missing")


def _push(at: Desk, who: Visit, table: PostedTable, batch: str, asked: RecordsAsk) -> RecordsAnswer:
    try:
        verdicts = push(lake_of(at.settings), table, asked.rows, batch=batch, today=who.now.date())
    except FixableError:
        raise Problem("records_busy", retry_after=RETRY_SECONDS) from None
    states = Counter(one.state for one in verdicts)
    answer = RecordsAnswer(
        table=table,
        batch=batch,
        received=len(verdicts),
        accepted=states["accepted"],
        corrected=states["corrected"],
        duplicates=states["duplicate"],
        quarantined=states["quarantined"],
        refused=states["refused"],
        rows=[
            RowAnswer(
                row=one.row,
                state=one.state,
                quarantine_id=one.quarantine_id,
                faults=[FaultAnswer(**asdict(fault)) for fault in one.faults],
            )
            for one in verdicts
        ],
    )
    with at.store.begin() as tx:
        told = f"{answer.received} rows"
        audit.record(tx, audit.entry_of(who, "records.push", told, subject=f"push-{batch}"), now=who.now)
        store_webhooks.add_event(tx, "records.received", {"batch": batch, "table": table}, now=who.now)
    return answer
