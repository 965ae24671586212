"""The page of the stop switch: one person stops, two different people start again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse

from serving import stop
from serving.access import Visit
from serving.guard import desk, visit
from serving.pages import Form, page, text_of
from serving.problems import Problem

router = APIRouter(include_in_schema=False)
Let = Annotated[Visit, Depends(visit)]


@router.get("/stop")
def switch(request: Request, who: Let) -> Response:
    """Whether the service works or is stopped, by whom and why."""
    return page(request, "stop.html", {"held": stop.state(desk(request).store)}, who=who)


@router.post("/stop")
def pull(request: Request, who: Let, form: Form) -> Response:
    """Stop all scoring and showing at once."""
    reason = text_of(form, "reason", longest=1_000)
    if len(reason) < 3:
        raise Problem("invalid")
    stop.stop(desk(request).store, who, reason)
    return RedirectResponse("/stop", status_code=303)


@router.post("/stop/release")
def release(request: Request, who: Let) -> Response:
    """Agree to the release; the second, different person completes it."""
    stop.release(desk(request).store, who)
    return RedirectResponse("/stop", status_code=303)
