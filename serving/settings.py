"""What the deployer decides: read once from ``RETENTION_…`` variables, frozen, handed down, and refused when unsafe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from features.errors import FixableError

MIN_SECRET = 32
"""Characters. A shorter secret can be guessed offline from one signed cursor."""


class Settings(BaseSettings):
    """Everything that differs between two installations of the service.

    ``local`` mode is for one person on one computer over plain HTTP; ``production`` refuses to start until the hosts,
    the secret and HTTPS are settled. ``min_group`` and the validity of a score can be tightened, never loosened.
    """

    model_config = SettingsConfigDict(env_prefix="RETENTION_", frozen=True, extra="forbid")

    mode: Literal["local", "production"] = "local"
    debug: bool = False
    state: Path = Path("var")
    database_url: str | None = None
    tracking_uri: str | None = None
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "localhost")
    behind_https: bool = False
    secret: SecretStr | None = None
    score_valid_days: int = Field(90, ge=1, le=90)
    note_valid_days: int = Field(365, ge=1, le=365)
    min_group: int = Field(5, ge=5)
    session_hours: int = Field(8, ge=1, le=24)
    link_minutes: int = Field(15, ge=1, le=60)
    page_size: int = Field(50, ge=1, le=200)
    log: Literal["off", "text", "json"] = "off"
    metrics_at: str | None = None
    traces: bool = False
    max_body_bytes: int = Field(65_536, ge=1_024, le=10_000_000)

    @field_validator("trusted_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def store_url(self) -> str:
        """Where scores, keys and the audit log are kept."""
        return self.database_url or f"sqlite:///{(self.state / 'retention.db').as_posix()}"

    @property
    def mlflow_uri(self) -> str:
        """Where the registered models are listed; only scoring asks there, never a page or the API."""
        return self.tracking_uri or f"sqlite:///{(self.state / 'mlflow.db').as_posix()}"


def load(**given: Any) -> Settings:
    """Return the settings of this installation; ``FixableError`` lists every problem at once.

    ``given`` overrides the environment, so that a command-line option wins. Values never enter the message: a mistyped
    secret must not end in a log.
    """
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise FixableError(
            "The service does not start with these settings.",
            [f"RETENTION_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors()],
        ) from None
    problems = unsafe(settings)
    if problems:
        raise FixableError("The service does not start in production with these settings.", problems)
    return settings


def unsafe(settings: Settings) -> list[str]:
    """Return what must change before this may be reached by others; empty in local mode or when all is well."""
    if settings.mode == "local":
        return []
    secret = settings.secret.get_secret_value() if settings.secret else ""
    rules = {
        "RETENTION_DEBUG: must be off, it shows the inside of errors": not settings.debug,
        "RETENTION_TRUSTED_HOSTS: name the hosts people use, comma separated": _named(settings.trusted_hosts),
        "RETENTION_TRUSTED_HOSTS: no wildcards": not any("*" in host for host in settings.trusted_hosts),
        f"RETENTION_SECRET: at least {MIN_SECRET} random characters": len(secret) >= MIN_SECRET,
        "RETENTION_SECRET: looks like a placeholder": len(set(secret)) >= 12 or len(secret) < MIN_SECRET,
        "RETENTION_BEHIND_HTTPS: set it to true behind a proxy that speaks HTTPS": settings.behind_https,
    }
    return [problem for problem, fine in rules.items() if not fine]


def _named(hosts: tuple[str, ...]) -> bool:
    return bool(set(hosts) - {"127.0.0.1", "localhost"})
