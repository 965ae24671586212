"""Nobody passes a route that was not declared, and every role passes exactly the routes in ``role_matrix.csv``."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from serving.access import (
    ANONYMOUS,
    KEY_ROLES,
    PERMISSIONS,
    PERSON_ROLES,
    PURPOSES,
    ROLES,
    Permission,
    Viewer,
    decide,
    narrow,
)
from serving.app import create_app
from serving.settings import Settings
from serving.store_people import Sight

MATRIX = list(csv.DictReader((Path(__file__).parent / "role_matrix.csv").open(encoding="utf-8")))
PURPOSE_OF = {"employee": "subject_access", "analyst": "model_quality", "auditor": "audit", "admin": "audit"}
ACTION_OF = {"hr": "career_talk", "manager": "skill_course", "hr_partner": "flexible_hours"}
BODIES = {
    "/v1/stop": {"reason": "inputs have drifted"},
    "/v1/employees/{employee_id}/achievements": {"kind": "rescue", "happened_on": "2026-10-01"},
    "/v1/employees/{employee_id}/achievements/{entry}/hidden": {"hidden": True},
    "/v1/growth/skills-needed": {"needs": [{"skill": "triage", "level": 3}]},
}
EVERYTHING = frozenset().union(*(role.scopes for role in ROLES.values()))


def declared(app: FastAPI) -> set[tuple[str, str]]:
    found = set()
    for context in iter_route_contexts(app.routes):
        for method in context.methods or ():
            found.add((method, str(context.path_format)))
    return found


def test_every_route_of_the_application_has_a_permission_and_every_permission_a_route(app: FastAPI) -> None:
    assert declared(app) == set(PERMISSIONS)


def test_every_permission_stands_in_the_role_matrix() -> None:
    assert {(row["method"], bare(row["path"])) for row in MATRIX} == set(PERMISSIONS)


def test_the_public_routes_are_these_and_no_more() -> None:
    public = sorted(path for (_, path), permission in PERMISSIONS.items() if permission.door == "public")
    sign_in = ["/sign-in", "/sign-in", "/sign-in/account", "/sign-in/oidc", "/sign-in/oidc/callback"]
    assert public == ["/healthz", "/readyz", *sign_in, "/static/{name}", "/v1/openapi.json"]


def test_a_route_that_nobody_declared_is_refused_to_everybody(store, clock, tmp_path, key) -> None:
    app = create_app(Settings(state=tmp_path), store=store, clock=clock)
    client = TestClient(app, base_url="http://localhost")

    @app.get("/v1/forgotten")
    def forgotten() -> str:
        return "secret"

    for headers in ({}, *(key(role) for role in KEY_ROLES)):
        answer = client.get("/v1/forgotten", headers=headers)
        assert answer.status_code == 403
        assert "secret" not in answer.text


def bare(path: str) -> str:
    path = path.split("?")[0].replace("site.css", "{name}").replace("Nursing B", "{team}")
    return (
        path.replace("E0001", "{employee_id}")
        .replace("/achievements/1/", "/achievements/{entry}/")
        .replace("0" * 16, "{case_id}")
        .replace("/contests/1", "/contests/{contest_id}")
        .replace("records/employees", "records/{table}")
        .replace("job_x", "{job_id}")
        .replace("wh_x", "{endpoint_id}")
        .replace("msg_x", "{event_id}")
    )


def expected(row: dict[str, str], role: str) -> int:
    """An empty cell is a refusal, and behind a public door what everybody gets."""
    return int(row[role] or (row["anonymous"] if row["door"] == "public" else 403))


def needs_pdf(row: dict[str, str]) -> None:
    if "report" in row["path"]:
        pytest.importorskip("reportlab")


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row['method']} {row['path']}")
def test_anonymous_gets_what_the_matrix_says(row: dict[str, str], client: TestClient, made) -> None:
    answer = client.request(row["method"], row["path"], headers={"origin": made.ORIGIN}, follow_redirects=False)
    assert answer.status_code == int(row["anonymous"])
    assert "E0001" not in answer.text


@pytest.mark.parametrize(
    "row", [r for r in MATRIX if r["door"] != "session"], ids=lambda r: f"{r['method']} {r['path']}"
)
def test_every_key_gets_what_the_matrix_says(row: dict[str, str], client: TestClient, key, made) -> None:
    for place, role in enumerate(KEY_ROLES):
        headers = {**key(role), "origin": made.ORIGIN, "if-match": '"1"'}
        new = {"employee_id": f"E000{place + 1}", "action": "career_talk", "decided_by": "M1"}
        body = {"step": "note", "note": "x", "decided_by": "M1"} if row["path"].find("steps") > 0 else new
        body = BODIES.get(bare(row["path"]), body)
        sent = {"json": body} if row["method"] == "POST" and row["path"].startswith("/v1/") else {}
        answer = client.request(row["method"], row["path"], headers=headers, follow_redirects=False, **sent)
        assert (role, answer.status_code) == (role, expected(row, role))


@pytest.mark.parametrize(
    "row", [r for r in MATRIX if r["door"] == "session"], ids=lambda r: f"{r['method']} {r['path']}"
)
def test_every_person_gets_what_the_matrix_says(row: dict[str, str], signed_in, form_of, key, made, client) -> None:
    needs_pdf(row)
    for role in PERSON_ROLES:
        browser = signed_in(role, purpose=PURPOSE_OF.get(role, "retention_care"))
        form = {**form_of(browser), "decision": "watch", "reason": "I know better"}
        form |= {"status": "agreed", "decided_by": "Li Na", "words": "Please look at this again", "outcome": "stands"}
        form |= {"status": "done"} if row["path"].endswith("withdrawal") else {}
        if row["path"].endswith("care"):
            form |= {
                "action": {"hr": "career_talk", "manager": "skill_course", "hr_partner": "flexible_hours"}.get(
                    role, "x"
                ),
                "step": "suggest",
            }
        form |= {"step": "note", "note": "x", "version": "1"} if row["path"].endswith("steps") else {}
        form |= {"entry": "1", "what": "hide"} if row["path"] == "/me" else {}
        form |= {"kind": "rescue", "happened_on": "2026-10-01"} if row["path"].startswith("/growth") else {}
        data = form if row["method"] == "POST" else None
        answer = browser.request(
            row["method"], row["path"], data=data, headers={"origin": made.ORIGIN}, follow_redirects=False
        )
        assert (role, answer.status_code) == (role, expected(row, role))
    for role in KEY_ROLES:
        headers = {**key(role), "origin": made.ORIGIN}
        assert client.request(row["method"], row["path"], headers=headers).status_code == 401


def test_a_cookie_opens_no_route_of_the_api(signed_in) -> None:
    answer = signed_in("hr").get("/v1/employees/E0001/risk?purpose=retention_care")
    assert answer.status_code == 401


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_methods_that_no_route_declares_do_nothing(method: str, client: TestClient, key) -> None:
    path = "/v1/employees/E0001/risk?purpose=retention_care"
    assert client.request(method, path, headers=key("hr_system")).status_code == 405


def test_without_a_permission_even_a_viewer_with_every_scope_is_refused() -> None:
    viewer = Viewer("key 1 all", "all", "hr_system", EVERYTHING, frozenset(PURPOSES), Sight("everyone"), door="key")
    assert decide(None, viewer, ["retention_care"]) == "not_declared"


def test_the_anonymous_viewer_is_not_even_told_that_a_purpose_is_missing() -> None:
    for permission in PERMISSIONS.values():
        expected = "allowed" if permission.door == "public" else "not_signed_in"
        assert decide(permission, ANONYMOUS, []) == expected


@pytest.mark.parametrize(
    ("purposes", "expected"),
    [
        ([], "purpose_missing"),
        (["retention_care", "retention_care"], "purpose_missing"),
        (["dismissal"], "purpose_unknown"),
        (["audit"], "purpose_refused"),
        (["retention_care"], "allowed"),
    ],
)
def test_exactly_one_known_and_granted_purpose_is_needed(purposes: list[str], expected: str) -> None:
    permission = Permission("key", frozenset({"risk.read"}), frozenset(PURPOSES))
    viewer = Viewer(
        "key 1 x", "x", "hr_system", frozenset({"risk.read"}), frozenset({"retention_care"}), Sight("everyone"), "key"
    )
    assert decide(permission, viewer, purposes) == expected


def test_no_purpose_on_the_list_is_about_pay_rating_or_dismissal() -> None:
    assert set(PURPOSES) == {"retention_care", "subject_access", "model_quality", "audit", "talent_development"}


def test_a_manager_is_never_given_the_scope_that_shows_numbers() -> None:
    assert "risk.read" not in ROLES["manager"].scopes | ROLES["hr"].scopes
    with pytest.raises(ValueError, match=r"risk\.read"):
        narrow("manager", ["risk.read"], [])
    bent = Viewer("key 1 m", "m", "manager", EVERYTHING, frozenset(PURPOSES), Sight("everyone"), door="key")
    assert not bent.sees_numbers
