"""The stop switch: one person stops everything at once, through restarts, and nobody releases it alone."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from models.catalog import load_catalog
from serving import allocation, exchange, stop
from serving.access import PERMISSIONS, ROLES, Viewer, Visit
from serving.allocation import Asked
from serving.problems import Problem
from serving.store import open_store
from serving.store_exchange import Wanted
from serving.store_people import Sight

CARE = {"purpose": "retention_care"}
READS = [
    "/v1/employees/E0001/risk?purpose=retention_care",
    "/v1/teams",
    "/v1/teams/Nursing B/flagged?purpose=retention_care",
    "/v1/forecast",
    "/v1/events?purpose=retention_care",
    "/v1/model",
]


@pytest.fixture
def somebody(made):
    def make(name: str, identity: str | None = None, role: str = "admin") -> Visit:
        viewer = Viewer(f"person 1 {name}", name, role, ROLES[role].scopes, ROLES[role].purposes)
        viewer = Viewer(**{**viewer.__dict__, "identity": identity or f"account {name}"})
        return Visit(viewer, "audit", made.NOW, "test")

    return make


def test_after_the_stop_no_route_tells_anything_about_anybody(store, client, key, signed_in, somebody, made) -> None:
    headers, browser = key("hr_system"), signed_in("hr")
    assert client.get(READS[0], headers=headers).status_code == 200
    stop.stop(store, somebody("Wei"), "inputs have drifted")
    for path in READS:
        answer = client.get(path, headers=headers)
        assert (path, answer.status_code) == (path, 503)
        assert answer.headers["retry-after"]
        assert "E0001" not in answer.text
        assert "stopped" in answer.json()["title"]
    for path in ("/", "/people/E0001", "/teams/Nursing B", "/forecast", "/about", "/contests"):
        page = browser.get(path, params={"lang": "en"})
        assert page.status_code == 503
        assert "The service is stopped" in page.text
        assert "Talk soon" not in page.text
    assert [row["result"] for row in made.entries() if row["action"] == "refused"].count("stopped") >= len(READS)


RECORDS_AND_WEBHOOKS = (
    "/v1/records/{table}",
    "/v1/webhooks",
    "/v1/webhooks/{endpoint_id}",
    "/v1/webhooks/{endpoint_id}/rotate",
    "/v1/webhooks/{endpoint_id}/deliveries",
    "/v1/webhooks/{endpoint_id}/deliveries/{event_id}/replay",
)
"""What a system sends is kept meanwhile; nothing of it tells about a person."""


def test_only_oversight_signing_out_and_the_own_page_go_on_while_stopped() -> None:
    going_on = {path for (_, path), one in PERMISSIONS.items() if not one.halts and one.door != "public"}
    assert going_on == {
        "/v1/audit",
        "/v1/stop",
        "/stop",
        "/stop/release",
        "/sign-out",
        "/me/assessment",
        "/me/contest",
        *RECORDS_AND_WEBHOOKS,
    }


def test_nothing_is_scored_while_stopped(store, somebody, made) -> None:
    stop.stop(store, somebody("Wei"), "inputs have drifted")
    with pytest.raises(Problem, match="stopped"):
        made.fill(store, version="8")


@pytest.mark.only("sqlite")
def test_the_stop_holds_in_a_store_that_was_opened_again(store, somebody) -> None:
    stop.stop(store, somebody("Wei"), "inputs have drifted")
    store.close()
    again = open_store(f"sqlite:///{store.file}")
    held = stop.state(again)
    assert held is not None
    assert held["reason"] == "inputs have drifted"
    again.close()


def test_two_different_people_release_it_and_each_step_is_written_down(store, somebody, client, key, made) -> None:
    stop.stop(store, somebody("Wei"), "inputs have drifted")
    assert stop.release(store, somebody("Wei")) == "first"
    with pytest.raises(Problem, match="two_people"):
        stop.release(store, somebody("Wei"))
    assert client.get("/v1/teams", headers=key("hr_system")).status_code == 503
    assert stop.release(store, somebody("Anna")) == "released"
    assert client.get("/v1/teams", headers=key("hr_system")).status_code == 200
    told = [(row["action"], row["result"]) for row in made.entries() if row["action"].startswith("stop")]
    assert told == [("stop", "stopped"), *[("stop.release", r) for r in ("first", "two_people", "released")]]


@pytest.mark.parametrize(
    "second", [("Wei", "link Wei"), (" wei ", "provider 77"), ("Anna", "account Wei")], ids=["link", "name", "identity"]
)
def test_one_person_under_two_guises_does_not_release(second: tuple[str, str], store, somebody) -> None:
    stop.stop(store, somebody("Omar"), "inputs have drifted")
    stop.release(store, somebody("Wei"))
    with pytest.raises(Problem, match="two_people"):
        stop.release(store, somebody(*second))
    assert stop.state(store) is not None


def test_a_system_may_stop_and_may_not_release(client, key, store, somebody, made) -> None:
    headers = key("admin")
    asked = client.post("/v1/stop", json={"reason": "inputs have drifted"}, headers=headers)
    assert (asked.status_code, asked.json()["by"]) == (200, "admin system")
    again = client.post("/v1/stop", json={"reason": "another reason"}, headers=headers)
    assert again.json()["reason"] == "inputs have drifted"
    assert ("POST", "/v1/stop/release") not in PERMISSIONS
    with pytest.raises(Problem, match="two_people"):
        stop.release(store, Visit(Viewer("key 1 x", "x", "admin", frozenset(), frozenset()), "none", made.NOW, "t"))


def test_it_is_done_on_the_page_as_well(signed_in, form_of, made) -> None:
    first = signed_in("hr", name="Wei")
    second = signed_in("auditor", purpose="audit", name="Anna")
    headers = {"origin": made.ORIGIN}
    first.post("/stop", data={**form_of(first), "reason": "inputs have drifted"}, headers=headers)
    assert "inputs have drifted" in second.get("/stop?lang=en").text
    first.post("/stop/release", data=form_of(first), headers=headers)
    alone = first.post("/stop/release", data=form_of(first), headers=headers)
    assert alone.status_code == 403
    second.post("/stop/release", data=form_of(second), headers=headers)
    assert first.get("/").status_code == 200


def test_a_released_service_can_be_stopped_again(store, somebody) -> None:
    for _ in range(3):
        stop.stop(store, somebody("Wei"), "again")
        stop.release(store, somebody("Wei"))
        stop.release(store, somebody("Anna"))
    with pytest.raises(Problem, match="already"):
        stop.release(store, somebody("Anna"))
    assert stop.state(store) is None


def test_the_own_page_stays_open_and_shows_no_assessment(signed_in, store, somebody) -> None:
    browser: TestClient = signed_in("employee", purpose="subject_access", name="王芳", employee_id="E0001")
    assert "Talk soon" in browser.get("/me/assessment?lang=en").text
    stop.stop(store, somebody("Wei"), "inputs have drifted")
    page = browser.get("/me/assessment?lang=en")
    assert page.status_code == 200
    assert "Talk soon" not in page.text
    assert "The service is stopped" in page.text


def test_a_reason_is_needed_at_the_console(tmp_path) -> None:
    from typer.testing import CliRunner

    from serving.cli import app

    runner = CliRunner()
    state = ["--state", str(tmp_path / "var")]
    assert runner.invoke(app, ["stop", "--reason", "x", *state]).exit_code == 1
    assert runner.invoke(app, ["stop", "--reason", "inputs have drifted", *state]).exit_code == 0
    assert "One more" in runner.invoke(app, ["release", *state]).output
    second = runner.invoke(app, ["release", *state])
    assert second.exit_code == 1
    assert "different person" in second.output


def test_neither_the_plan_at_the_console_nor_an_export_that_runs_goes_on(store, somebody, made) -> None:
    role = ROLES["hr_system"]
    viewer = Viewer("console", "x", "hr_system", role.scopes, role.purposes, Sight("everyone"), door="key")
    visit = Visit(viewer, "retention_care", made.NOW, "r")
    export = exchange.begin_export(store, visit, Wanted(0))
    assert next(exchange.export_pages(store, visit, export))
    stop.stop(store, somebody("Wei"), "inputs have drifted")
    assert list(exchange.export_pages(store, visit, export)) == []
    with pytest.raises(Problem, match="stopped"):
        allocation.planned_people(store, visit, Asked(0, 2), catalog=load_catalog())
