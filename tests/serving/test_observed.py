"""What an operator sees: counts, lines and spans by declared path, and never a name, an id or a score."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest

from features.errors import FixableError
from serving.app import create_app
from serving.observed import Metrics, Observed, log_to, serve_metrics
from serving.settings import Settings

ROUTE = "/v1/employees/{employee_id}/risk"


@pytest.fixture
def lines():
    """The log of the service, as it would go to a file."""
    kept = {name: (logging.getLogger(name).handlers, logging.getLogger(name).level) for name in ("serving", "uvicorn")}
    stream = io.StringIO()
    log_to(stream, as_json=True)
    yield stream
    for name, (handlers, level) in kept.items():
        logging.getLogger(name).handlers, logging.getLogger(name).propagate = handlers, True
        logging.getLogger(name).setLevel(level)


def ask_about_everybody(client: TestClient, key) -> None:
    headers = key("hr_system")
    for number in range(1, 29):
        client.get(f"/v1/employees/E{number:04}/risk?purpose=retention_care", headers=headers)
    client.get("/v1/employees/E0001/risk?purpose=dismissal", headers=headers)
    client.get("/v1/employees/E0001/risk%0Aline?purpose=retention_care", headers=headers)
    client.get("/people/E0001", headers={"accept": "text/html"})
    client.request("E0001", "/v1/employees/E0001/risk")


def test_nothing_that_an_operator_sees_is_about_anybody(client: TestClient, app, key, lines, made) -> None:
    ask_about_everybody(client, key)
    told = lines.getvalue() + generate_latest(app.state.metrics.registry).decode()
    assert ROUTE in told
    for canary in (
        "E0001",
        "E0028",
        "Li Na",
        "王芳",
        str(made.CANARY),
        "31 months",
        "hr_system system",
        "dismissal",
    ):
        assert canary not in told, canary


def test_each_request_is_one_line_with_the_id_that_the_audit_log_has(client: TestClient, key, lines, made) -> None:
    answer = client.get("/v1/employees/E0001/risk?purpose=retention_care", headers=key("hr_system"))
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(one["method"], one["route"], one["status"]) for one in found] == [("GET", ROUTE, 200)]
    assert found[0]["request_id"] == answer.headers["x-request-id"] == made.entries()[-1]["request_id"]


def test_of_an_error_only_its_kind_is_logged(lines) -> None:
    try:
        raise ValueError("the score of Li Na is 0.21")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n%s", "Li Na")
    assert "Li Na" not in lines.getvalue()
    assert json.loads(lines.getvalue())["error"] == "ValueError"


def test_requests_are_counted_by_declared_path_and_status(client: TestClient, app, key) -> None:
    counted = app.state.metrics.registry.get_sample_value
    labels = {"method": "GET", "route": ROUTE, "status": "404"}
    before = counted("retention_requests_total", labels) or 0.0
    client.get("/v1/employees/E7777/risk?purpose=retention_care", headers=key("hr_system"))
    assert counted("retention_requests_total", labels) == before + 1


def test_a_span_names_the_declared_path_and_nobody(store, clock, tmp_path, key, made) -> None:
    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    app = create_app(Settings(state=tmp_path), store=store, clock=clock)
    app.middleware_stack = Observed(app.middleware_stack, Metrics.new(), provider.get_tracer("test"))
    client = TestClient(app, base_url=made.ORIGIN)
    client.get("/v1/employees/E0001/risk?purpose=retention_care", headers=key("hr_system"))
    span = memory.get_finished_spans()[0]
    assert span.name == f"GET {ROUTE}"
    assert "E0001" not in span.to_json()


def test_metrics_have_an_address_of_their_own_and_no_route(client: TestClient) -> None:
    assert client.get("/metrics").status_code in (403, 404)
    with pytest.raises(FixableError, match="HOST:PORT"):
        serve_metrics(Metrics.new(), "9100")


def test_an_old_model_in_place_of_the_newest_is_told(client: TestClient, store, made, signed_in) -> None:
    from serving.score import Scored

    assert client.get("/readyz").json() == {"status": "ok"}
    stale = replace(made.bundle("6"), degraded=True)
    made.fill(store, scored=Scored(made.AS_OF, made.people(), made.judged(made.assessments()), stale, {}))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})
    assert "last good copy, version 6" in signed_in().get("/about").text
