"""The API of oversight: the stop switch for monitoring systems, and bands under pseudonyms for analysts.

A system may stop the service; releasing it takes two people, so there is no route for that here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from serving import contest, stop
from serving.access import Visit
from serving.api import LOCKED, documented, model_ref
from serving.guard import desk, visit
from serving.schemas import Answer, Band, ModelRef, Purpose

router = APIRouter()
Let = Annotated[Visit, Depends(visit)]
SECURED: dict[str, Any] = {"security": [{"key": []}]}


class StopAnswer(Answer):
    """Whether the service is stopped, since when, by whom and why, and who has agreed to the release so far."""

    stopped: bool
    since: datetime | None = None
    by: str | None = None
    reason: str | None = None
    release_agreed_by: str | None = None


class StopRequest(Answer):
    """Why the service has to pause; people will read it."""

    reason: str = Field(min_length=3, max_length=1_000, pattern=r"^[^\x00-\x1f\x7f]+$")


class Pseudonymous(Answer):
    """One person without a name: the pseudonym is another one in each batch; ``*``: the department is too small."""

    pseudonym: str
    department: str
    band: Band


class PseudonymsAnswer(Answer):
    """Every band of the current batch, under pseudonyms."""

    model: ModelRef
    people: list[Pseudonymous]


STOP_EXAMPLE = {
    "stopped": True,
    "since": "2026-11-02T08:30:00Z",
    "by": "drift monitor",
    "reason": "inputs have drifted",
    "release_agreed_by": None,
}
PSEUDONYMS_EXAMPLE = {
    "model": {"name": "retention-risk", "version": "7", "sha256": "9f2c" * 16},
    "people": [{"pseudonym": "5c1d1c2f0a9be3d47f6a8b90", "department": "Care", "band": "calm"}],
}


@router.get("/v1/stop", responses=documented(STOP_EXAMPLE, *LOCKED), openapi_extra=SECURED)
def state(request: Request, who: Let) -> StopAnswer:
    """Whether the service is stopped."""
    return _told(request)


@router.post("/v1/stop", responses=documented(STOP_EXAMPLE, *LOCKED), openapi_extra=SECURED)
def pull(request: Request, who: Let, asked: StopRequest) -> StopAnswer:
    """Stop all scoring and showing at once; it holds through restarts, until two different people release it."""
    stop.stop(desk(request).store, who, asked.reason)
    return _told(request)


def _told(request: Request) -> StopAnswer:
    held = stop.state(desk(request).store)
    if held is None:
        return StopAnswer(stopped=False)
    return StopAnswer(
        stopped=True,
        since=held["stopped_at"],
        by=held["stopped_by"],
        reason=held["reason"],
        release_agreed_by=held["first_by"],
    )


@router.get("/v1/pseudonyms", responses=documented(PSEUDONYMS_EXAMPLE, *LOCKED, "stopped"), openapi_extra=SECURED)
def pseudonyms(request: Request, who: Let, purpose: Purpose) -> PseudonymsAnswer:
    """Every band under a pseudonym, to check the model without knowing anybody."""
    at = desk(request)
    run, people = contest.pseudonyms(at.store, who, secret=at.secret, min_group=at.settings.min_group)
    return PseudonymsAnswer(model=model_ref(run), people=[Pseudonymous.model_validate(one) for one in people])
