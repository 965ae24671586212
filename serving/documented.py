"""The description of the API for programs: every operation with a name, an example of what it takes and gives, and
every problem it can meet."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from serving.problems import KINDS
from serving.schema_examples_exchange import ASKS, EXCHANGED
from serving.schemas import ProblemAnswer
from serving.schemas_exchange import ASKED, plain

JSON, NDJSON, PARQUET = "application/json", "application/x-ndjson", "application/vnd.apache.parquet"
LOCKED = ("not_signed_in", "scope_missing", "invalid", "too_many", "store")
SECURITY: dict[str, Any] = {"security": [{"key": []}]}

Responses = dict[int | str, dict[str, Any]]


def answers(answer: type[BaseModel] | None, *problems: str, status: int = 200) -> Responses:
    """Return the documented answers of an operation; ``answer`` None: an answer without a body."""
    good: dict[str, Any] = {"description": "Done"}
    if answer is not None:
        good["content"] = {JSON: {"example": EXCHANGED[answer.__name__]}}
    return {status: good, **problems_of(*LOCKED, *problems)}


def streams(line: type[BaseModel], *problems: str, also: dict[str, Any] | None = None) -> Responses:
    """Return the documented answers of an operation that streams one line of JSON per person."""
    told = {"schema": {"type": "string"}, "example": _line(EXCHANGED[line.__name__])}
    good = {"description": f"One {line.__name__} per line", "content": {NDJSON: told, **(also or {})}}
    return {200: good, **problems_of(*LOCKED, *problems)}


def problems_of(*names: str) -> Responses:
    """Return the documented problems, those of one status together."""
    titles: dict[int, list[str]] = {}
    for name in dict.fromkeys(names):
        titles.setdefault(KINDS[name].status, []).append(KINDS[name].title_en)
    schema = {"content": {"application/problem+json": {"schema": ProblemAnswer.model_json_schema()}}}
    found: Responses = {}
    for status, told in sorted(titles.items()):
        found[status] = {"description": " ".join(told), **schema}
        if status in (409, 429, 503):
            seconds = {"description": "Seconds after which to try again", "schema": {"type": "integer", "minimum": 0}}
            found[status]["headers"] = {"Retry-After": seconds}
    return found


def asks(model: type[BaseModel], **links: Any) -> dict[str, Any]:
    """Return the documented body of an operation that parses it itself."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    body = {"required": True, "content": {JSON: {"schema": schema, "example": ASKS[model.__name__]}}}
    return {**SECURITY, "requestBody": body, **links}


def operation_name(route: APIRoute) -> str:
    """Return the name of an operation: that of the function behind it, which a test holds unique."""
    return route.name


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the bodies that the routes parse themselves and the way to show a key."""
    found = app.openapi()
    parts = found.setdefault("components", {})
    parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for model in ASKED:
        schema = plain(model)
        parts.setdefault("schemas", {}).update(schema.pop("$defs", {}))
        parts["schemas"][model.__name__] = schema
    for operations in found["paths"].values():
        for operation in operations.values():
            _shown(operation.get("requestBody", {}).get("content", {}).get(JSON, {}))
    return found


def _shown(body: dict[str, Any]) -> None:
    """Give a body without an example the one that is written down for its schema, if there is one."""
    name = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name in ASKS:
        body.setdefault("example", ASKS[name])


def _line(example: Any) -> str:
    return json.dumps(example, ensure_ascii=False) + "\n"
