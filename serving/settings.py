"""What the deployer decides: read once from ``RETENTION_…`` variables, frozen, handed down, and refused when unsafe."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from features.errors import FixableError
from serving.access import PERSON_ROLES

MIN_SECRET = 32
"""Characters. A shorter secret can be guessed offline from one signed cursor."""


class Settings(BaseSettings):
    """Everything that differs between two installations of the service.

    ``local`` mode is for one person on one computer over plain HTTP; ``production`` refuses to start until the hosts,
    the secret and HTTPS are settled. ``min_group`` and the validity of a score can be tightened, never loosened.
    ``min_group_managers`` is for a manager's key made for figures alone: see ``groups.smallest``.
    ``month_pay`` is a typical month's pay in the local currency: what care costs is counted in it.
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
    min_group_managers: int = Field(10, ge=5)
    session_hours: int = Field(8, ge=1, le=24)
    link_minutes: int = Field(15, ge=1, le=60)
    month_pay: float = Field(5000, gt=0, le=1e9)
    page_size: int = Field(50, ge=1, le=200)
    log: Literal["off", "text", "json"] = "off"
    metrics_at: str | None = None
    traces: bool = False
    max_body_bytes: int = Field(65_536, ge=1_024, le=10_000_000)
    session_idle_minutes: int = Field(30, ge=5, le=240)
    key_days: int = Field(365, ge=1, le=1_095)
    employees_see_band: bool = True
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_scopes: str = "openid profile"
    oidc_role_claim: str = "groups"
    oidc_roles: dict[str, str] = Field(default_factory=dict)
    oidc_employee_claim: str = "employee_id"
    oidc_department_claim: str = "department"
    max_records_bytes: int = Field(16_000_000, ge=65_536, le=100_000_000)
    requests_per_minute: int = Field(1_200, ge=1)
    max_in_flight: int = Field(64, ge=1, le=1_000)
    body_seconds: float = Field(30.0, gt=0, le=600)
    webhook_networks: Annotated[tuple[str, ...], NoDecode] = ()
    answers_hours: int = Field(48, ge=24, le=720)

    @field_validator("trusted_hosts", "webhook_networks", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("webhook_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ipaddress.ip_network(one)  # a slip must stop the start, and not every delivery
        return value

    @property
    def store_url(self) -> str:
        """Where scores, keys and the audit log are kept."""
        return self.database_url or f"sqlite:///{(self.state / 'retention.db').as_posix()}"

    @property
    def own_actions(self) -> Path:
        """Where the organisation says which care actions it adds, changes and switches off."""
        return self.state / "care.toml"

    @property
    def own_effects(self) -> Path:
        """Where learning leaves what care did in this organisation."""
        return self.state / "effects.json"

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
    halves = half_told(settings)
    if halves:
        raise FixableError("The service does not start with half a sign-in.", halves)
    problems = unsafe(settings)
    if problems:
        raise FixableError("The service does not start in production with these settings.", problems)
    return settings


def half_told(settings: Settings) -> list[str]:
    """Return what is missing for people to sign in through a provider; empty without a provider, or when all is told.

    ``oidc_roles`` says which group of the provider has which role here, the first match in its order counts; who is
    in none of them does not come in.
    """
    if settings.oidc_issuer is None:
        return []
    unknown = sorted(set(settings.oidc_roles.values()) - set(PERSON_ROLES))
    rules = {
        "RETENTION_OIDC_CLIENT_ID: the name under which the provider knows this service": settings.oidc_client_id,
        'RETENTION_OIDC_ROLES: which group has which role, as JSON: {"hr-leads": "hr"}': settings.oidc_roles,
        f"RETENTION_OIDC_ROLES: people are {', '.join(PERSON_ROLES)}, not {', '.join(unknown)}": not unknown,
        "RETENTION_OIDC_SCOPES: must hold openid": "openid" in settings.oidc_scopes.split(),
    }
    return [problem for problem, fine in rules.items() if not fine]


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
        "RETENTION_OIDC_ISSUER: must begin with https://": (settings.oidc_issuer or "https://").startswith("https://"),
    }
    return [problem for problem, fine in rules.items() if not fine]


def _named(hosts: tuple[str, ...]) -> bool:
    return bool(set(hosts) - {"127.0.0.1", "localhost"})
