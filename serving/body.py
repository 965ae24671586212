"""The body of a request to the API: read only once the request was let in, and parsed by its closed schema at once.

Bytes are counted as they arrive (``shield``), compressed bodies are refused (``brakes``), and the parser stops at a
depth of 200: no schema of ours is deeper than a few levels.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from serving.access import Visit
from serving.guard import visit
from serving.problems import Problem

MOST_TOLD = 50
Asked = TypeVar("Asked", bound=BaseModel)


async def sent(request: Request, _who: Annotated[Visit, Depends(visit)]) -> bytes:
    """Return the bytes of a JSON body; another kind of body is a problem."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem("media")
    return await request.body()


Body = Annotated[bytes, Depends(sent)]


def read(raw: bytes, model: type[Asked]) -> Asked:
    """Return what was asked; a problem says where and which rule, never the value that was sent."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_TOLD]
        found = [{"where": ".".join(str(p) for p in e["loc"])[:200], "what": e["type"]} for e in told]
        raise Problem("invalid", tuple(found)) from None
