"""An unsafe installation does not start, and says everything that is wrong at once, without repeating a secret."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from features.errors import FixableError
from serving.settings import Settings, load

GOOD = {
    "RETENTION_MODE": "production",
    "RETENTION_TRUSTED_HOSTS": "care.example, people.example",
    "RETENTION_SECRET": "7rXvQ2mK9pLw4sTz8uYb6nJd3fGh1cAe",
    "RETENTION_BEHIND_HTTPS": "true",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_production_with_everything_settled_starts(environment) -> None:
    assert load().trusted_hosts == ("care.example", "people.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "true"),
        ("TRUSTED_HOSTS", "*"),
        ("TRUSTED_HOSTS", "*.example"),
        ("TRUSTED_HOSTS", ""),
        ("TRUSTED_HOSTS", "localhost,127.0.0.1"),
        ("SECRET", ""),
        ("SECRET", "short"),
        ("SECRET", "change-me"),
        ("SECRET", "a" * 40),
        ("BEHIND_HTTPS", "false"),
        ("MIN_GROUP", "4"),
        ("SCORE_VALID_DAYS", "91"),
        ("SESSION_HOURS", "48"),
        ("MODE", "prod"),
        ("PAGE_SIZE", "0"),
    ],
)
def test_each_unsafe_setting_is_refused(name: str, value: str, environment) -> None:
    environment.setenv(f"RETENTION_{name}", value)
    with pytest.raises(FixableError) as refused:
        load()
    assert f"RETENTION_{name}" in str(refused.value)


def test_everything_wrong_is_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_MODE", "production")
    monkeypatch.setenv("RETENTION_DEBUG", "1")
    with pytest.raises(FixableError) as refused:
        load()
    assert {problem.split(":")[0] for problem in refused.value.problems} == {
        "RETENTION_DEBUG",
        "RETENTION_TRUSTED_HOSTS",
        "RETENTION_SECRET",
        "RETENTION_BEHIND_HTTPS",
    }


def test_a_refused_secret_does_not_stand_in_the_message(environment) -> None:
    environment.setenv("RETENTION_SECRET", "hunter2hunter2")
    environment.setenv("RETENTION_SCORE_VALID_DAYS", "hunter2hunter2")
    with pytest.raises(FixableError) as refused:
        load()
    assert "hunter2" not in str(refused.value)


def test_settings_do_not_change_after_the_start() -> None:
    with pytest.raises(ValidationError):
        Settings().min_group = 3  # type: ignore[misc]
