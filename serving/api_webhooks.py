"""Webhooks of a key: where its events go, the secret that signs them, what was delivered, and once more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from serving import audit, store_exchange, store_webhooks, webhooks
from serving.access import Visit
from serving.body import Body, read
from serving.destinations import RefusedError, networks, plausible
from serving.documented import SECURITY, answers, asks
from serving.guard import Desk, desk, visit
from serving.idempotency import Answered, Key, fingerprint, once
from serving.problems import Problem
from serving.schemas_exchange import (
    DeliveriesAnswer,
    DeliveryLine,
    EndpointAnswer,
    EndpointAsk,
    EndpointMade,
    EndpointsAnswer,
)

router = APIRouter()
Let = Annotated[Visit, Depends(visit)]
EndpointId = Annotated[str, Path(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$")]
MOST_ENDPOINTS = 20
WRITES = ("header_missing", "in_progress", "key_reused")


@router.get("/v1/webhooks", responses=answers(EndpointsAnswer), openapi_extra=SECURITY)
def list_webhooks(request: Request, who: Let) -> EndpointsAnswer:
    """The endpoints of this key, without their secrets."""
    with desk(request).store.begin() as tx:
        rows = store_webhooks.endpoints(tx, who.viewer.actor)
    return EndpointsAnswer(endpoints=[EndpointAnswer(**_facts(row)) for row in rows])


_MADE = answers(EndpointMade, *WRITES, "timeout", "too_large", "media", "too_many_endpoints", status=201)
_LINK = {"operationId": "list_deliveries", "parameters": {"endpoint_id": "$response.body#/endpoint_id"}}


@router.post(
    "/v1/webhooks",
    status_code=201,
    response_model=EndpointMade,
    responses={**_MADE, 201: {**_MADE[201], "links": {"Deliveries": _LINK}}},
    openapi_extra=asks(EndpointAsk),
)
def add_webhook(request: Request, who: Let, idempotency_key: Key, raw: Body) -> JSONResponse:
    """A new endpoint. Its signing secret is told in this answer (and in repeats of it), and is stored nowhere."""
    at = desk(request)
    asked = read(raw, EndpointAsk)
    try:
        plausible(asked.url, allowed=networks(at.settings.webhook_networks))
    except RefusedError as refusal:
        raise Problem("invalid", ({"where": "url", "what": f"refused: {refusal}"},)) from None

    def work(batch: str) -> Answered:
        facts = _add(at, who, asked, f"wh_{batch}")
        return Answered(201, facts, location=f"/v1/webhooks/{facts['endpoint_id']}/deliveries")

    return once(at, who, (idempotency_key, fingerprint(request, raw)), work, dress=lambda body: _dressed(at, body, 1))


def _add(at: Desk, who: Visit, asked: EndpointAsk, endpoint_id: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": endpoint_id,
        "client": who.viewer.actor,
        "url": asked.url,
        "kinds": sorted(set(asked.kinds)),
    }
    row |= {"secret_number": 1, "former_until": None, "created_at": who.now, "disabled_at": None}
    with at.store.begin() as tx:
        if store_webhooks.endpoint_of(tx, who.viewer.actor, endpoint_id) is None:
            if len(store_webhooks.endpoints(tx, who.viewer.actor)) >= MOST_ENDPOINTS:
                raise Problem("too_many_endpoints")
            store_webhooks.add_endpoint(tx, row)
            audit.record(tx, audit.entry_of(who, "webhook.add", "made", subject=endpoint_id), now=who.now)
    return EndpointAnswer(**_facts(row)).model_dump(mode="json")


@router.delete(
    "/v1/webhooks/{endpoint_id}",
    status_code=204,
    responses=answers(None, "not_found", status=204),
    openapi_extra=SECURITY,
)
def delete_webhook(request: Request, who: Let, endpoint_id: EndpointId) -> Response:
    """Send nothing there any more; what waits is dropped."""
    with desk(request).store.begin() as tx:
        gone = store_webhooks.delete_endpoint(tx, who.viewer.actor, endpoint_id)
        if gone:
            store_exchange.forget_write(tx, who.viewer.actor, endpoint_id.removeprefix("wh_"))
            audit.record(tx, audit.entry_of(who, "webhook.delete", "gone", subject=endpoint_id), now=who.now)
    if not gone:
        raise Problem("not_found")
    return Response(status_code=204)


@router.post(
    "/v1/webhooks/{endpoint_id}/rotate",
    response_model=EndpointMade,
    responses=answers(EndpointMade, *WRITES, "not_found"),
    openapi_extra=SECURITY,
)
def rotate_webhook_secret(request: Request, who: Let, endpoint_id: EndpointId, idempotency_key: Key) -> JSONResponse:
    """A new secret. For a day the former one signs beside it, so that no event is lost while the receiver changes."""
    at = desk(request)
    with at.store.begin() as tx:
        before = store_webhooks.endpoint_of(tx, who.viewer.actor, endpoint_id)
    if before is None:
        raise Problem("not_found")

    def work(_batch: str) -> Answered:
        with at.store.begin() as tx:
            store_webhooks.rotate(tx, endpoint_id, former_until=who.now + webhooks.FORMER_VALID)
            audit.record(tx, audit.entry_of(who, "webhook.rotate", "made", subject=endpoint_id), now=who.now)
            row = store_webhooks.endpoint_of(tx, who.viewer.actor, endpoint_id)
        if row is None:
            raise Problem("not_found")
        facts = EndpointAnswer(**_facts(row)).model_dump(mode="json")
        return Answered(200, {**facts, "number": row["secret_number"]})

    mark = (idempotency_key, fingerprint(request, b""))
    return once(at, who, mark, work, dress=lambda body: _dressed(at, body, int(body["number"])))


@router.get(
    "/v1/webhooks/{endpoint_id}/deliveries", responses=answers(DeliveriesAnswer, "not_found"), openapi_extra=SECURITY
)
def list_deliveries(
    request: Request,
    who: Let,
    endpoint_id: EndpointId,
    state: Literal["waiting", "delivered", "dead"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveriesAnswer:
    """What went or goes to an endpoint, newest first; ``state=dead`` is the list of what was given up."""
    with desk(request).store.begin() as tx:
        there = store_webhooks.endpoint_of(tx, who.viewer.actor, endpoint_id)
        rows = store_webhooks.deliveries(tx, endpoint_id, state=state, limit=limit) if there else []
    if there is None:
        raise Problem("not_found")
    return DeliveriesAnswer(deliveries=[_line(row) for row in rows])


@router.post(
    "/v1/webhooks/{endpoint_id}/deliveries/{event_id}/replay",
    responses=answers(DeliveryLine, "not_found"),
    openapi_extra=SECURITY,
)
def replay_delivery(
    request: Request,
    who: Let,
    endpoint_id: EndpointId,
    event_id: Annotated[str, Path(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$")],
) -> DeliveryLine:
    """Deliver once more. The event keeps its id, by which a receiver knows what it has had already."""
    with desk(request).store.begin() as tx:
        there = store_webhooks.endpoint_of(tx, who.viewer.actor, endpoint_id)
        again = bool(there) and store_webhooks.replay(tx, endpoint_id, event_id, now=who.now)
        rows = store_webhooks.deliveries(tx, endpoint_id, state=None, limit=100_000) if again else []
    found = next((row for row in rows if row["event_id"] == event_id), None)
    if found is None:
        raise Problem("not_found")
    return _line(found)


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("url", "kinds", "created_at", "former_until", "disabled_at")
    return {"endpoint_id": row["id"], **{name: row[name] for name in names}}


def _line(row: Mapping[str, Any]) -> DeliveryLine:
    return DeliveryLine(**{name: row[name] for name in DeliveryLine.model_fields})


def _dressed(at: Desk, body: Mapping[str, Any], number: int) -> dict[str, Any]:
    secret = webhooks.signing_secret(webhooks.master(at.settings), body["endpoint_id"], number)
    return {**{name: value for name, value in body.items() if name != "number"}, "secret": secret}
