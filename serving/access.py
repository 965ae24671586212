"""Who may do what, as tables: purposes, scopes, roles, and one permission for every route.

Permissions only add. A route that is not listed here is refused to everybody, also to those who hold every scope.
Which *people* a viewer sees is decided elsewhere, by their sight (``store_people.visible``); both must say yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from serving.store_people import Sight

PURPOSES = ("retention_care", "subject_access", "model_quality", "audit")
"""Why a person's assessment may be read. Pay, promotion, rating, dismissal and restructuring are not in the list."""


@dataclass(frozen=True)
class Role:
    """The most that a key or a session of this role can be given."""

    scopes: frozenset[str]
    purposes: frozenset[str]


ROLES = {
    "hr_system": Role(
        frozenset(
            {"risk.read", "teams.read", "forecast.read", "model.read", "catalog.read", "care.read", "care.write"}
            | {"people.export", "score.run", "records.write", "webhooks.write"}
        ),
        frozenset({"retention_care", "subject_access"}),
    ),
    "hr": Role(
        frozenset(
            {"band.read", "teams.read", "forecast.read", "model.read", "catalog.read", "care.read", "care.write"}
        ),
        frozenset({"retention_care", "subject_access"}),
    ),
    "manager": Role(
        frozenset({"band.read", "teams.read", "model.read", "catalog.read", "care.read", "care.write"}),
        frozenset({"retention_care"}),
    ),
    "analyst": Role(frozenset({"teams.read", "model.read", "catalog.read"}), frozenset({"model_quality"})),
    "auditor": Role(frozenset({"audit.read", "model.read", "catalog.read"}), frozenset({"audit"})),
    "employee": Role(frozenset({"own.read"}), frozenset({"subject_access"})),
}
"""``risk.read`` shows numbers, ``band.read`` words only. People in conversation with people hold ``band.read``.

``own.read`` is what an employee sees of what was agreed with them; it is for people who sign in, never for a key."""

SCOPES = tuple(sorted(set().union(*(role.scopes for role in ROLES.values()))))


@dataclass(frozen=True)
class Permission:
    """What a route asks for: the door it is behind, any one of these scopes, and one of these purposes if any."""

    door: Literal["public", "key", "session"]
    scopes: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()


def _key(*scopes: str, purposes: Sequence[str] = ()) -> Permission:
    return Permission("key", frozenset(scopes), frozenset(purposes))


def _session(*scopes: str, purposes: Sequence[str] = ()) -> Permission:
    return Permission("session", frozenset(scopes), frozenset(purposes))


PUBLIC = Permission("public")
_CARE = ("retention_care",)
_READ = ("retention_care", "subject_access")

PERMISSIONS: dict[tuple[str, str], Permission] = {
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/static/{name}"): PUBLIC,
    ("GET", "/v1/openapi.json"): PUBLIC,
    ("GET", "/sign-in"): PUBLIC,
    ("POST", "/sign-in"): PUBLIC,
    ("GET", "/v1/employees/{employee_id}/risk"): _key("risk.read", "band.read", purposes=PURPOSES),
    ("GET", "/v1/teams"): _key("teams.read"),
    ("GET", "/v1/teams/{team}/flagged"): _key("risk.read", "band.read", purposes=_CARE),
    ("GET", "/v1/forecast"): _key("forecast.read"),
    ("GET", "/v1/events"): _key("risk.read", "band.read", purposes=_CARE),
    ("GET", "/v1/model"): _key("model.read"),
    ("GET", "/v1/catalog"): _key("catalog.read"),
    ("GET", "/v1/audit"): _key("audit.read"),
    ("GET", "/v1/people"): _key("risk.read", "band.read", purposes=_CARE),
    ("GET", "/v1/people/export"): _key("people.export", purposes=_CARE),
    ("POST", "/v1/records/{table}"): _key("records.write"),
    ("POST", "/v1/scores"): _key("score.run", purposes=_CARE),
    ("POST", "/v1/jobs"): _key("score.run", purposes=_CARE),
    ("GET", "/v1/jobs/{job_id}"): _key("score.run"),
    ("DELETE", "/v1/jobs/{job_id}"): _key("score.run"),
    ("GET", "/v1/jobs/{job_id}/answers"): _key("score.run", purposes=_CARE),
    ("GET", "/v1/what-if"): _key("model.read"),
    ("POST", "/v1/employees/{employee_id}/what-if"): _key("risk.read", "band.read", purposes=_CARE),
    ("GET", "/v1/webhooks"): _key("webhooks.write"),
    ("POST", "/v1/webhooks"): _key("webhooks.write"),
    ("DELETE", "/v1/webhooks/{endpoint_id}"): _key("webhooks.write"),
    ("POST", "/v1/webhooks/{endpoint_id}/rotate"): _key("webhooks.write"),
    ("GET", "/v1/webhooks/{endpoint_id}/deliveries"): _key("webhooks.write"),
    ("POST", "/v1/webhooks/{endpoint_id}/deliveries/{event_id}/replay"): _key("webhooks.write"),
    ("GET", "/"): _session("teams.read"),
    ("GET", "/forecast"): _session("forecast.read"),
    ("GET", "/about"): _session("model.read"),
    ("GET", "/teams/{team}"): _session("band.read", purposes=_CARE),
    ("GET", "/people"): _session("band.read", purposes=_READ),
    ("GET", "/people/{employee_id}"): _session("band.read", purposes=_READ),
    ("POST", "/people/{employee_id}/override"): _session("care.write", purposes=_CARE),
    ("POST", "/people/{employee_id}/care"): _session("care.write", purposes=_CARE),
    ("POST", "/people/{employee_id}/withdrawal"): _session("care.write", purposes=_CARE),
    ("POST", "/sign-out"): _session(),
    ("GET", "/v1/cases"): _key("care.read", purposes=_CARE),
    ("POST", "/v1/cases"): _key("care.write", purposes=_CARE),
    ("GET", "/v1/cases/{case_id}"): _key("care.read", purposes=_CARE),
    ("POST", "/v1/cases/{case_id}/steps"): _key("care.write", purposes=_CARE),
    ("GET", "/v1/reminders"): _key("care.read", purposes=_CARE),
    ("GET", "/v1/employees/{employee_id}/care"): _key("care.read", purposes=("subject_access",)),
    ("GET", "/cases"): _session("care.read", purposes=_CARE),
    ("GET", "/cases/{case_id}"): _session("care.read", purposes=_CARE),
    ("POST", "/cases/{case_id}/steps"): _session("care.write", purposes=_CARE),
    ("GET", "/mine"): _session("own.read", purposes=("subject_access",)),
}
"""Every route of the service. The public ones are short in number and tell nothing about anybody."""


def methods_of(path: str) -> list[str]:
    """Return what may be done at an address, by its declared path.

    >>> methods_of("/v1/webhooks")
    ['GET', 'POST']
    """
    return sorted(method for method, declared in PERMISSIONS if declared == path)


NOBODY = Sight()


@dataclass(frozen=True)
class Viewer:
    """Who asks. ``actor`` is how the audit log names them; ``secret`` ties a form to a session.

    ``person_id`` is the number in the records of a person who signed in, where it is known.
    """

    actor: str
    name: str
    role: str
    scopes: frozenset[str]
    purposes: frozenset[str]
    sight: Sight = NOBODY
    door: Literal["public", "key", "session"] = "public"
    secret: str = field(default="", repr=False)
    person_id: str | None = None

    @property
    def sees_numbers(self) -> bool:
        """Whether probabilities may be shown; a manager talks with people and is never given one."""
        return "risk.read" in self.scopes and self.role != "manager"


ANONYMOUS = Viewer("anonymous", "", "", frozenset(), frozenset())


@dataclass(frozen=True)
class Visit:
    """A request that was let in: nothing that touches a person works without one."""

    viewer: Viewer
    purpose: str
    now: datetime
    request_id: str


Answer = Literal[
    "allowed", "not_declared", "not_signed_in", "scope_missing", "purpose_missing", "purpose_unknown", "purpose_refused"
]


def decide(permission: Permission | None, viewer: Viewer, purposes: Sequence[str]) -> Answer:
    """Say whether the viewer may pass, or what is missing. ``purposes`` are those that the request states."""
    if permission is None:
        return "not_declared"
    if permission.door == "public":
        return "allowed"
    if viewer.door != permission.door:
        return "not_signed_in"
    if permission.scopes and not permission.scopes & viewer.scopes:
        return "scope_missing"
    if not permission.purposes:
        return "allowed"
    if len(purposes) != 1:
        return "purpose_missing"
    if purposes[0] not in PURPOSES:
        return "purpose_unknown"
    if purposes[0] not in permission.purposes & viewer.purposes:
        return "purpose_refused"
    return "allowed"


def narrow(role: str, scopes: Sequence[str], purposes: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the scopes and purposes of a new key: all of its role, or fewer; ``ValueError`` names what it cannot have.

    >>> sorted(narrow("auditor", ["audit.read"], [])[0])
    ['audit.read']
    """
    most = ROLES[role]
    wrong = sorted((set(scopes) - most.scopes) | (set(purposes) - most.purposes))
    if wrong:
        raise ValueError(f"a key of role {role} cannot have: {', '.join(wrong)}")
    return frozenset(scopes) or most.scopes, frozenset(purposes) or most.purposes
