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

PURPOSES = ("retention_care", "subject_access", "model_quality", "audit", "talent_development")
"""Why a person's records may be read. Pay, rating, dismissal and restructuring are not in the list; for
``talent_development`` (growing people, a shortlist by contribution included) no assessment can be read."""


@dataclass(frozen=True)
class Role:
    """The most that a key or a session of this role can be given."""

    scopes: frozenset[str]
    purposes: frozenset[str]


AHEAD = frozenset({"forecast.read", "plan.read"})
CARE = frozenset({"care.read", "care.write"})
GROWTH = frozenset({"growth.read", "growth.write"})

ROLES = {
    "hr_system": Role(
        frozenset({"risk.read", "teams.read", "model.read", "catalog.read"} | AHEAD | CARE | GROWTH)
        | frozenset({"people.export", "score.run", "records.write", "webhooks.write"}),
        frozenset({"retention_care", "subject_access", "talent_development"}),
    ),
    "hr": Role(
        frozenset({"band.read", "teams.read", "model.read", "catalog.read"} | AHEAD | CARE | GROWTH)
        | frozenset({"contest.review", "stop.use", "assessment.own"}),
        frozenset({"retention_care", "subject_access", "talent_development"}),
    ),
    "hr_partner": Role(
        frozenset({"band.read", "teams.read", "model.read", "catalog.read"} | AHEAD | CARE | GROWTH)
        | frozenset({"contest.review", "assessment.own"}),
        frozenset({"retention_care", "subject_access", "talent_development"}),
    ),
    "manager": Role(
        frozenset({"band.read", "teams.read", "model.read", "catalog.read", "assessment.own"} | CARE | GROWTH),
        frozenset({"retention_care", "talent_development"}),
    ),
    "employee": Role(
        frozenset({"own.read", "own.write", "assessment.own", "model.read"}), frozenset({"subject_access"})
    ),
    "analyst": Role(
        frozenset({"pseudonym.read", "teams.read", "model.read", "catalog.read"}), frozenset({"model_quality"})
    ),
    "auditor": Role(frozenset({"audit.read", "model.read", "catalog.read", "stop.use"}), frozenset({"audit"})),
    "admin": Role(frozenset({"model.read", "catalog.read", "stop.use"}), frozenset({"audit"})),
}
"""``risk.read`` shows numbers, ``band.read`` words only. People in conversation with people hold ``band.read``.

``hr_system`` is an integration, ``hr`` the lead of HR, ``hr_partner`` HR of one department. An analyst sees people
under pseudonyms, an admin and an auditor see none at all. ``own.read`` and ``assessment.own`` open what is kept about
the person who signs in.
"""

KEY_ROLES = ("hr_system", "hr", "hr_partner", "manager", "analyst", "auditor", "admin")
PERSON_ROLES = ("hr", "hr_partner", "manager", "employee", "analyst", "auditor", "admin")

SIGHTS_OF = {
    "hr_system": ("everyone", "department", "team", "manager"),
    "hr": ("everyone", "department", "team", "manager"),
    "hr_partner": ("department",),
    "manager": ("manager", "team"),
    "analyst": ("everyone", "department"),
    "auditor": ("everyone", "nobody"),
    "employee": ("self",),
    "admin": ("everyone", "nobody"),
}
"""How far a role may see. An auditor and an admin have no scope about people; "everyone" opens nothing to them."""

OF_PEOPLE_ONLY = frozenset({"own.read", "own.write", "assessment.own", "contest.review"})
"""Scopes that no key is given: a system is nobody's self and nobody's independent reviewer."""

SCOPES = tuple(sorted(set().union(*(role.scopes for role in ROLES.values()))))


@dataclass(frozen=True)
class Permission:
    """What a route asks for: the door it is behind, any one of these scopes, and one of these purposes if any.

    ``halts``: the route answers nothing while the service is stopped. That is so unless a route says otherwise.
    """

    door: Literal["public", "key", "session"]
    scopes: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    halts: bool = True


def _key(*scopes: str, purposes: Sequence[str] = (), halts: bool = True) -> Permission:
    return Permission("key", frozenset(scopes), frozenset(purposes), halts)


def _session(*scopes: str, purposes: Sequence[str] = (), halts: bool = True) -> Permission:
    return Permission("session", frozenset(scopes), frozenset(purposes), halts)


PUBLIC = Permission("public", halts=False)
_CARE = ("retention_care",)
_READ = ("retention_care", "subject_access")
_GROW = ("talent_development",)
_TALK = ("talent_development", "retention_care")
_FILE = ("talent_development", "retention_care", "subject_access")
_OWN = ("subject_access",)

PERMISSIONS: dict[tuple[str, str], Permission] = {
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/static/{name}"): PUBLIC,
    ("GET", "/v1/openapi.json"): PUBLIC,
    ("GET", "/sign-in"): PUBLIC,
    ("POST", "/sign-in"): PUBLIC,
    ("POST", "/sign-in/account"): PUBLIC,
    ("GET", "/sign-in/oidc"): PUBLIC,
    ("GET", "/sign-in/oidc/callback"): PUBLIC,
    ("GET", "/v1/employees/{employee_id}/risk"): _key("risk.read", "band.read", purposes=_READ),
    ("GET", "/v1/teams"): _key("teams.read"),
    ("GET", "/v1/teams/{team}/flagged"): _key("risk.read", "band.read", purposes=_CARE),
    ("GET", "/v1/forecast"): _key("forecast.read"),
    ("GET", "/v1/care-plans/allocation"): _key("plan.read"),
    ("GET", "/v1/care-plans/people"): _key("plan.read", purposes=_CARE),
    ("GET", "/v1/events"): _key("risk.read", "band.read", purposes=_CARE),
    ("GET", "/v1/model"): _key("model.read"),
    ("GET", "/v1/catalog"): _key("catalog.read"),
    ("GET", "/v1/audit"): _key("audit.read", halts=False),
    ("GET", "/v1/pseudonyms"): _key("pseudonym.read", purposes=("model_quality",)),
    ("GET", "/v1/stop"): _key("stop.use", halts=False),
    ("POST", "/v1/stop"): _key("stop.use", halts=False),
    ("GET", "/v1/people"): _key("risk.read", "band.read", purposes=_CARE),
    ("GET", "/v1/people/export"): _key("people.export", purposes=_CARE),
    ("POST", "/v1/records/{table}"): _key("records.write", halts=False),
    ("POST", "/v1/scores"): _key("score.run", purposes=_CARE),
    ("POST", "/v1/jobs"): _key("score.run", purposes=_CARE),
    ("GET", "/v1/jobs/{job_id}"): _key("score.run"),
    ("DELETE", "/v1/jobs/{job_id}"): _key("score.run"),
    ("GET", "/v1/jobs/{job_id}/answers"): _key("score.run", purposes=_CARE),
    ("GET", "/v1/what-if"): _key("model.read"),
    ("POST", "/v1/employees/{employee_id}/what-if"): _key("risk.read", "band.read", purposes=_CARE),
    ("GET", "/v1/webhooks"): _key("webhooks.write", halts=False),
    ("POST", "/v1/webhooks"): _key("webhooks.write", halts=False),
    ("DELETE", "/v1/webhooks/{endpoint_id}"): _key("webhooks.write", halts=False),
    ("POST", "/v1/webhooks/{endpoint_id}/rotate"): _key("webhooks.write", halts=False),
    ("GET", "/v1/webhooks/{endpoint_id}/deliveries"): _key("webhooks.write", halts=False),
    ("POST", "/v1/webhooks/{endpoint_id}/deliveries/{event_id}/replay"): _key("webhooks.write", halts=False),
    ("GET", "/"): _session("teams.read"),
    ("GET", "/forecast"): _session("forecast.read"),
    ("GET", "/allocation"): _session("plan.read"),
    ("GET", "/about"): _session("model.read"),
    ("GET", "/teams/{team}"): _session("band.read", purposes=_CARE),
    ("GET", "/people"): _session("band.read", purposes=_READ),
    ("GET", "/people/{employee_id}"): _session("band.read", purposes=_READ),
    ("POST", "/people/{employee_id}/override"): _session("care.write", purposes=_CARE),
    ("POST", "/people/{employee_id}/care"): _session("care.write", purposes=_CARE),
    ("POST", "/people/{employee_id}/withdrawal"): _session("care.write", purposes=_CARE),
    ("POST", "/people/{employee_id}/reason"): _session("band.read", purposes=_READ),
    ("POST", "/sign-out"): _session(halts=False),
    ("GET", "/me/assessment"): _session("assessment.own", halts=False),
    ("POST", "/me/contest"): _session("assessment.own", halts=False),
    ("GET", "/contests"): _session("contest.review", purposes=_READ),
    ("GET", "/contests/{contest_id}"): _session("contest.review", purposes=_READ),
    ("POST", "/contests/{contest_id}/answer"): _session("contest.review", purposes=_READ),
    ("GET", "/stop"): _session("stop.use", halts=False),
    ("POST", "/stop"): _session("stop.use", halts=False),
    ("POST", "/stop/release"): _session("stop.use", halts=False),
    ("GET", "/v1/employees/{employee_id}/growth"): _key("growth.read", purposes=_FILE),
    ("GET", "/v1/employees/{employee_id}/achievements"): _key("growth.read", purposes=_FILE),
    ("POST", "/v1/employees/{employee_id}/achievements"): _key("growth.write", purposes=_GROW),
    ("POST", "/v1/employees/{employee_id}/achievements/{entry}/hidden"): _key("growth.write", purposes=_OWN),
    ("GET", "/v1/growth/reminders"): _key("growth.read", purposes=_GROW),
    ("GET", "/v1/growth/shortlist"): _key("growth.read", purposes=_GROW),
    ("POST", "/v1/growth/skills-needed"): _key("growth.read", purposes=_GROW),
    ("GET", "/v1/achievements"): _key("growth.read", purposes=_GROW),
    ("GET", "/growth"): _session("growth.read", purposes=_TALK),
    ("GET", "/growth/achievements"): _session("growth.read", purposes=_TALK),
    ("GET", "/growth/shortlist"): _session("growth.read", purposes=_GROW),
    ("GET", "/growth/skills-needed"): _session("growth.read", purposes=_GROW),
    ("GET", "/growth/people/{employee_id}"): _session("growth.read", purposes=_FILE),
    ("POST", "/growth/people/{employee_id}"): _session("growth.write", purposes=_TALK),
    ("GET", "/growth/report/{employee_id}"): _session("growth.read", purposes=_FILE),
    ("GET", "/me"): _session("own.read", purposes=_OWN),
    ("POST", "/me"): _session("own.write", purposes=_OWN),
    ("GET", "/me/report"): _session("own.read", purposes=_OWN),
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

    ``identity`` is the same at each sign-in of one person; ``person_id`` is their number in the records, where known.
    """

    actor: str
    name: str
    role: str
    scopes: frozenset[str]
    purposes: frozenset[str]
    sight: Sight = NOBODY
    door: Literal["public", "key", "session"] = "public"
    secret: str = field(default="", repr=False)
    identity: str = ""
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
    reason: str = ""
    """Why the reader opens so many people, where a request says so (``curious``)."""


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
    scopes_most, purposes_most = ROLES[role].scopes - OF_PEOPLE_ONLY, ROLES[role].purposes
    wrong = sorted((set(scopes) - scopes_most) | (set(purposes) - purposes_most))
    if wrong:
        raise ValueError(f"a key of role {role} cannot have: {', '.join(wrong)}")
    return frozenset(scopes) or scopes_most, frozenset(purposes) or purposes_most


def sight_fits(role: str, sight: Sight) -> bool:
    """Whether a person or key of this role may see so far.

    >>> sight_fits("hr_partner", Sight("everyone")), sight_fits("hr_partner", Sight("department", "Care"))
    (False, True)
    """
    return sight.kind in SIGHTS_OF[role] and (sight.kind in ("everyone", "nobody") or bool(sight.value))


def first_page(role: str, purpose: str) -> str:
    """Return where somebody of this role begins who comes for this purpose."""
    if purpose == "talent_development":
        return "/growth"
    if "teams.read" in ROLES[role].scopes:
        return "/"
    return "/me/assessment" if role == "employee" else "/stop"


def same_person(a: tuple[str, str], b: tuple[str, str]) -> bool:
    """Whether two ``(identity, name)`` may be one person: either is alike. Two people with one name count as one.

    >>> same_person(("account 1", "Li Na"), ("provider x", "li na"))
    True
    """
    return a[0] == b[0] or a[1].strip().casefold() == b[1].strip().casefold()
