"""The service seen from outside: one line, one count and, if asked for, one span per request. Never about anybody.

What is told of a request is its declared path (``/v1/employees/{employee_id}/risk``), method, status, time and id; the
address itself holds an employee's number and is told nowhere. Whom a request was about stands in the audit log alone,
under the same request id.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import SpanKind, Tracer
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.errors import FixableError

LOG = logging.getLogger("serving.requests")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
"""Upper ends of the classes of the histogram of answering times."""

NO_ROUTE = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True)
class Metrics:
    """What is counted; labels are declared paths, methods and statuses, of which there are few."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram

    @classmethod
    def new(cls) -> Metrics:
        """Return counters at zero, in a registry of their own."""
        registry, labels = CollectorRegistry(), ("method", "route")
        requests = Counter("retention_requests", "Requests answered", (*labels, "status"), registry=registry)
        seconds = Histogram("retention_seconds", "Seconds to answer", labels, buckets=SECONDS, registry=registry)
        return cls(registry, requests, seconds)


class Observed:
    """A layer around the application that tells of each request."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracer: Tracer | None = None) -> None:
        self.app = app
        self.metrics = metrics
        self.tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and tell of it when it has been answered, or has failed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin, began_ns = time.perf_counter(), time.time_ns()
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, answer)
        finally:
            self._tell(scope, status, time.perf_counter() - begin, began_ns)

    def _tell(self, scope: Scope, status: int, seconds: float, began_ns: int) -> None:
        route = str(getattr(scope.get("route"), "path_format", NO_ROUTE))
        method = scope["method"] if scope["method"] in METHODS else "other"  # a made-up method is no label
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.seconds.labels(method, route).observe(seconds)
        request_id = scope.get("state", {}).get("request_id")
        facts = {"method": method, "route": route, "status": status, "request_id": request_id}
        LOG.info("request", extra={"facts": {**facts, "ms": round(seconds * 1000, 1)}})
        if self.tracer is not None:
            told = {"http.request.method": method, "http.route": route, "http.response.status_code": status}
            span = self.tracer.start_span(
                f"{method} {route}", kind=SpanKind.SERVER, start_time=began_ns, attributes={**told}
            )
            span.set_attribute("request_id", str(request_id))
            span.end(began_ns + int(seconds * 1e9))


class Lines(logging.Formatter):
    """One line per entry, as JSON or as words; line breaks cannot start a line of their own."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Of an error only its kind is told: its text may hold data."""
        facts: dict[str, Any] = {"level": record.levelname.lower(), "logger": record.name}
        facts["message"] = record.getMessage() if record.name == LOG.name else str(record.msg)
        facts.update(getattr(record, "facts", {}))
        if record.exc_info and record.exc_info[0]:
            facts["error"] = record.exc_info[0].__name__
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"
        if self.as_json:
            return json.dumps({"at": moment, **facts}, ensure_ascii=True)
        return f"{moment} " + " ".join(f"{name}={json.dumps(value)}" for name, value in facts.items())


def log_to(stream: Any = None, *, as_json: bool) -> logging.Handler:
    """Send lines of the service and of its server to ``stream`` (standard error), and nothing of anybody with them."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(as_json=as_json))
    for name in ("serving", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return handler


def serve_metrics(metrics: Metrics, address: str) -> None:
    """Open ``/metrics`` on ``HOST:PORT`` of its own, away from people and keys; it is for the monitor alone."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise FixableError(f"RETENTION_METRICS_AT: {address} is not of the form HOST:PORT.")
    try:
        start_http_server(int(port), host, registry=metrics.registry)
    except OSError as problem:
        raise FixableError(f"The metrics cannot be opened at {address}.", [str(problem)]) from problem


def tracer_of(*, asked: bool) -> Tracer | None:
    """Return what writes spans to the place that the usual ``OTEL_…`` variables name; None when nobody asked."""
    if not asked:
        return None
    from opentelemetry import trace

    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise FixableError(
            "RETENTION_TRACES is on but OpenTelemetry's exporter is missing.",
            ["pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"],
        ) from None
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return trace.get_tracer("retention-risk", tracer_provider=provider)
