"""The catalogue of models: runs, figures, versions and the aliases ``champion`` and ``challenger``.

The only door to MLflow. MLflow is a catalogue here and nothing more: it is never asked to load a model, only to hand
over files, and what it hands over is verified (``models.bundle``). When it is away or hands over something else, the
last good local copy is served and marked as degraded.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import FixableError
from models.bundle import Bundle, BundleError, check_in_child, load_bundle

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODEL_NAME = "retention-risk"
CHAMPION, CHALLENGER = "champion", "challenger"
LAST_GOOD = "last_good.json"


@dataclass(frozen=True)
class Record:
    """What a training run leaves behind in the catalogue."""

    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    bundle: Path
    sha256: str
    figures: Path | None = None


def publish(tracking_uri: str, artifacts: Path, record: Record) -> str:
    """Log one run, register its bundle as a new version, point ``challenger`` at it, and return the version."""
    client = _client(tracking_uri)
    from mlflow.entities import Metric, Param

    experiment = client.get_experiment_by_name(MODEL_NAME)
    experiment_id = (
        experiment.experiment_id
        if experiment is not None
        else client.create_experiment(MODEL_NAME, artifact_location=artifacts.resolve().as_uri())
    )
    run_id = client.create_run(experiment_id, tags=dict(record.tags)).info.run_id
    parameters = [Param(name, str(value)) for name, value in record.parameters.items()]
    metrics = [Metric(name, value, timestamp=0, step=0) for name, value in record.metrics.items()]
    client.log_batch(run_id, metrics=metrics, params=parameters)
    client.log_artifacts(run_id, str(record.bundle), "bundle")
    if record.figures is not None:
        client.log_artifacts(run_id, str(record.figures), "figures")
    client.set_terminated(run_id)
    _ensure_registered(client)
    source = f"{client.get_run(run_id).info.artifact_uri}/bundle"
    version = client.create_model_version(MODEL_NAME, source, run_id, tags={"sha256": record.sha256}).version
    client.set_registered_model_alias(MODEL_NAME, CHALLENGER, version)
    return str(version)


def promote(tracking_uri: str, version: str) -> None:
    """Make ``version`` the champion. Rolling back is the same call with the former version."""
    _client(tracking_uri).set_registered_model_alias(MODEL_NAME, CHAMPION, version)


def alias_version(tracking_uri: str, alias: str) -> str | None:
    """Return the version that an alias points at, or None."""
    from mlflow.exceptions import MlflowException

    try:
        return str(_client(tracking_uri).get_model_version_by_alias(MODEL_NAME, alias).version)
    except MlflowException:
        return None


def load_champion(tracking_uri: str, *, cache: Path) -> Bundle:
    """Return the verified champion; when the catalogue fails, the last good local copy, marked ``degraded``.

    Raises ``FixableError`` when there is neither.
    """
    from mlflow.exceptions import MlflowException

    try:
        return _from_catalogue(tracking_uri, cache)
    except (MlflowException, OSError, BundleError) as problem:
        return _last_good(tracking_uri, cache, problem)


def _from_catalogue(tracking_uri: str, cache: Path) -> Bundle:
    client = _client(tracking_uri)
    found = client.get_model_version_by_alias(MODEL_NAME, CHAMPION)
    sha256 = found.tags.get("sha256", "")
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise BundleError(f"Version {found.version} in the catalogue has no checksum to hold its files against.")
    kept = cache / sha256
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            fetched = Path(client.download_artifacts(str(found.run_id), "bundle", folder))
            check_in_child(fetched, expected_sha256=sha256)
            shutil.move(fetched, kept)
    bundle = load_bundle(kept, version=str(found.version), expected_sha256=sha256)
    (cache / LAST_GOOD).write_text(json.dumps({"version": bundle.version, "sha256": sha256}))
    return bundle


def _last_good(tracking_uri: str, cache: Path, problem: Exception) -> Bundle:
    pointer = cache / LAST_GOOD
    if not pointer.is_file():
        waits = alias_version(tracking_uri, CHALLENGER)
        advice = (
            f"Version {waits} waits as challenger: it did not pass every gate. Read why in its evaluation; "
            f"to serve it all the same: retention-train promote {waits}"
            if waits
            else "Train one first: retention-train fit"
        )
        raise FixableError("There is no model to serve.", [str(problem), advice]) from problem
    known = json.loads(pointer.read_text())
    folder = cache / known["sha256"]
    check_in_child(folder, expected_sha256=known["sha256"])
    return load_bundle(folder, version=known["version"], expected_sha256=known["sha256"], degraded=True)


def _ensure_registered(client: MlflowClient) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(MODEL_NAME)
    except MlflowException:
        client.create_registered_model(MODEL_NAME)


QUIET_AND_PRIVATE = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # usage data would go to a third party; nobody asked for that
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # its own default tries for minutes before the local copy is used
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


def _client(tracking_uri: str) -> MlflowClient:
    for name, value in QUIET_AND_PRIVATE.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
