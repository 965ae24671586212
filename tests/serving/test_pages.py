"""The pages: two languages, eight elements beside every assessment, no number of a person, no script."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from serving.pages import environment
from serving.store_people import Sight
from serving.words import Words

PAGES = ["/", "/about", "/teams/Nursing%20B", "/people/E0001", "/people/E0006", "/people/E0007"]
ELEMENTS = ("as_of", "model_version", "valid_until", "uncertainty", "accuracy", "may_be_wrong", "never_for", "disagree")
LONG_NUMBER = re.compile(r"0\.\d{2,}")


@pytest.fixture
def hr(signed_in) -> TestClient:
    return signed_in("hr")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_with_an_assessment_carries_the_eight_elements(path: str, lang: str, hr: TestClient) -> None:
    page = hr.get(path, params={"lang": lang}).text
    found = re.findall(r'data-shown="(\w+)"><dt>(.+?)</dt><dd>(.+?)</dd>', page, re.DOTALL)
    assert tuple(name for name, _, _ in found) == ELEMENTS
    assert all(re.sub(r"<[^>]*>|\s", "", words) for _, *both in found for words in both)
    assert ("31 Oct 2026" if lang == "en" else "2026年10月31日") in page
    assert ("31 Jan 2027" if lang == "en" else "2027年1月31日") in page


def test_how_unsure_one_person_s_band_is_is_said_in_bands(hr: TestClient, made) -> None:
    page = hr.get("/people/E0001", params={"purpose": "retention_care"}).text
    assert "it could be anything from" in page


@pytest.mark.parametrize("path", PAGES)
def test_no_page_tells_a_probability_of_a_person(path: str, hr: TestClient, made) -> None:
    page = re.sub(r"<svg.*?</svg>", "", hr.get(path).text, flags=re.DOTALL)
    assert str(made.CANARY)[:5] not in page
    assert f"{made.CANARY:.0%}" not in page
    assert LONG_NUMBER.findall(page) == []


@pytest.mark.parametrize("path", [*PAGES, "/people/E9999", "/sign-in", "/nowhere"])
def test_every_page_obeys_its_own_policy_no_script_no_inline_style(path: str, hr: TestClient) -> None:
    answer = hr.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|https?://", answer.text)


@pytest.mark.parametrize("path", ["/", "/nowhere", "/v1/teams", "/static/site.css", "/healthz", "/people/E9999"])
def test_every_answer_carries_the_security_headers(path: str, client: TestClient) -> None:
    headers = client.get(path).headers
    for name in ("content-security-policy", "strict-transport-security", "cross-origin-opener-policy", "x-request-id"):
        assert headers[name]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("public, max-age=300" if "static" in path else "no-store")


def test_an_unforeseen_error_has_the_headers_and_tells_nothing(app, client: TestClient, monkeypatch, key) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("canary E0001 0.218734")

    monkeypatch.setattr("serving.service.current", broken)
    answer = client.get("/v1/model", headers=key("analyst"))
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


def test_teams_come_before_names_and_small_ones_without_figures(hr: TestClient, made) -> None:
    page = hr.get("/?lang=en").text
    assert page.index("Nursing B") < page.index("Reception") < page.index("Too small for figures") < page.index("Lab")
    assert "Of the 11 people assessed, probably 0 to 2 give notice within half a year." in page
    names = {row["name"] for row in made.people()} - {"Li Na"}  # whose name is also that of the reader
    assert not any(name in page for name in names if not name.startswith("Lead"))
    assert [row for row in made.entries() if row["employee_id"]] == []


def test_the_team_page_shows_act_before_watch_with_signs_and_a_first_step(hr: TestClient) -> None:
    page = hr.get("/teams/Nursing%20B?lang=en").text
    assert page.index("Talk soon") < page.index("Keep in view")
    assert "31 months since the last promotion" in page
    assert "Career talk" in page
    assert "E0007" not in page


def test_the_person_page_shows_reasons_both_ways_and_the_whole_care_plan(hr: TestClient) -> None:
    page = hr.get("/people/E0001?lang=en").text
    assert (
        page.index("What goes with a higher risk") < page.index("Workload:") < page.index("What goes with a lower risk")
    )
    for head in (
        "First step",
        "Who decides",
        "Cost",
        "First step within",
        "Evidence",
        "What to watch",
        "Harm to avoid",
    ):
        assert f"<dt>{head}</dt>" in page
    assert "Of 100 people with signs like these, about 22 gave notice within half a year (15–30" in page
    assert "Who has looked" in page
    assert "Li Na of HR, 2 Nov 2026, for: retention care" in page


def test_a_reason_that_hardly_matters_is_kept_in_the_store_and_off_the_page(
    signed_in, client, key, store, made
) -> None:
    from dataclasses import replace

    from serving.score import Scored

    first, *others = made.assessments()
    faint = replace(first, reasons=(*first.reasons[:1], replace(first.reasons[1], contribution=0.01)))
    made.fill(store, scored=Scored(made.AS_OF, made.people(), made.judged((faint, *others)), made.bundle(), {}))
    assert "Workload:" not in signed_in("hr").get("/people/E0001?lang=en").text
    answer = client.get("/v1/employees/E0001/risk?purpose=retention_care", headers=key("hr_system")).json()
    assert [reason["driver"] for reason in answer["reasons"]][:2] == ["growth", "workload"]


def test_a_manager_sees_the_people_below_and_why(signed_in) -> None:
    manager = signed_in("manager", Sight("manager", "M1"))
    assert "they report to M1" in manager.get("/people/E0001?lang=en").text
    assert manager.get("/people/E0013").status_code == 404
    assert "Reception" not in manager.get("/").text


def test_the_language_stays_as_chosen_and_starts_as_the_browser_prefers(hr: TestClient, client: TestClient) -> None:
    assert "最先需要关怀的团队" in hr.get("/?lang=zh").text
    assert "谁最先需要关怀" in hr.get("/teams/Nursing%20B").text
    assert "登录" in client.get("/sign-in", headers={"accept-language": "zh-CN,zh;q=0.9"}).text


def test_a_word_from_a_person_stands_at_once_and_later_scoring_does_not_undo_it(hr, form_of, store, made) -> None:
    form = {**form_of(hr), "decision": "calm", "reason": "we agreed on a new role"}
    page = hr.post("/people/E0001/override?lang=en", data=form, headers={"origin": made.ORIGIN}).text
    assert "Li Na of HR decided on 2 Nov 2026: Calm. Reason: we agreed on a new role" in page
    made.fill(store, version="8")
    page = hr.get("/people/E0001?lang=en").text
    assert "we agreed on a new role" in page
    assert 'href="/people/E0001"' not in hr.get("/teams/Nursing%20B").text
    again = {**form_of(hr), "decision": "follow", "reason": "the role fell through"}
    page = hr.post("/people/E0001/override", data=again, headers={"origin": made.ORIGIN}).text
    assert '<span class="badge act">' in page


def test_what_was_set_aside_is_not_shown_but_can_be_found_again(hr, form_of, made) -> None:
    form = {**form_of(hr), "decision": "disregard", "reason": "the records are of another person"}
    page = hr.post("/people/E0001/override?lang=en", data=form, headers={"origin": made.ORIGIN}).text
    assert "The assessment is set aside and not shown." in page
    assert "31 months" not in page
    assert "Set aside by a person" in hr.get("/teams/Nursing%20B?lang=en").text


FORMS = ["/people/E0001/override", "/people/E0001/care", "/sign-out"]
BAD_ORIGINS = {
    "no token": ({}, {"origin": "http://127.0.0.1:8000"}, False),
    "wrong token": ({"form_token": "0" * 64}, {"origin": "http://127.0.0.1:8000"}, False),
    "other origin": ({}, {"origin": "http://evil.example"}, True),
    "null origin": ({}, {"origin": "null"}, True),
    "no origin at all": ({}, {}, True),
    "cross site": ({}, {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "cross-site"}, True),
    "plain text": ({}, {"origin": "http://127.0.0.1:8000", "content-type": "text/plain"}, True),
}


@pytest.mark.parametrize("case", BAD_ORIGINS, ids=str)
@pytest.mark.parametrize("path", FORMS)
def test_a_form_from_anywhere_else_is_refused_and_changes_nothing(path, case, hr, form_of, store) -> None:
    from serving import store_cases

    fields, headers, with_token = BAD_ORIGINS[case]
    good = {"decision": "calm", "reason": "because", "action": "career_talk", "step": "suggest"}
    form = {**good, **(form_of(hr) if with_token else {}), **fields}
    answer = hr.post(path, data=form, headers=headers, follow_redirects=False)
    assert answer.status_code == 403
    assert hr.get("/").status_code == 200
    with store.begin() as tx:
        assert store_cases.all_steps(tx) == []


def test_the_token_of_another_session_does_not_open_a_form(signed_in, form_of, made) -> None:
    one, other = signed_in("hr"), signed_in("hr")
    form = {**form_of(other), "decision": "calm", "reason": "because"}
    assert one.post("/people/E0001/override", data=form, headers={"origin": made.ORIGIN}).status_code == 403


def test_a_link_works_once_and_opening_it_does_not_use_it_up(client: TestClient, store, clock, made) -> None:
    from serving import auth

    with store.begin() as tx:
        invitation = auth.Invitation("Li Na", "hr", Sight("everyone"))
        token = auth.make_link(tx, invitation, now=clock(), minutes=15)
    for _ in range(3):
        assert client.get("/sign-in", params={"token": token}).status_code == 200
    form = {"token": token, "purpose": "retention_care"}
    first = client.post("/sign-in", data=form, headers={"origin": made.ORIGIN}, follow_redirects=False)
    cookie = first.headers["set-cookie"]
    assert first.status_code == 303
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert client.post("/sign-in", data=form, headers={"origin": made.ORIGIN}).status_code == 410
    assert [row["result"] for row in made.entries()[-2:]] == ["signed_in", "link_refused"]


@pytest.mark.parametrize("purpose", ["", "audit", "dismissal"])
def test_nobody_signs_in_for_a_purpose_outside_the_role(purpose, client, store, clock, made) -> None:
    from serving import auth

    with store.begin() as tx:
        token = auth.make_link(tx, auth.Invitation("Li Na", "hr", Sight("everyone")), now=clock(), minutes=15)
    form = {"token": token, "purpose": purpose}
    assert client.post("/sign-in", data=form, headers={"origin": made.ORIGIN}).status_code == 410


def test_a_late_link_and_a_late_session_open_nothing(client, signed_in, store, clock) -> None:
    from datetime import timedelta

    from serving import auth

    browser = signed_in("hr")
    with store.begin() as tx:
        token = auth.make_link(tx, auth.Invitation("Li Na", "hr", Sight("everyone")), now=clock(), minutes=15)
    clock.now += timedelta(minutes=16)
    assert client.get("/sign-in", params={"token": token}).status_code == 410
    clock.now += timedelta(hours=8)
    assert browser.get("/").status_code == 401


def test_signing_out_ends_the_session_in_the_store(hr, form_of, made) -> None:
    cookie = hr.cookies.get("retention")
    hr.post("/sign-out", data=form_of(hr), headers={"origin": made.ORIGIN})
    hr.cookies.set("retention", str(cookie))
    assert hr.get("/").status_code == 401


def test_in_production_the_cookie_is_bound_to_https_and_to_the_host(store, clock, tmp_path) -> None:
    from serving import auth
    from serving.app import create_app
    from serving.settings import Settings

    settings = Settings(state=tmp_path, mode="production", trusted_hosts=("care.example",), behind_https=True)
    browser = TestClient(create_app(settings, store=store, clock=clock), base_url="https://care.example")
    with store.begin() as tx:
        token = auth.make_link(tx, auth.Invitation("Li Na", "hr", Sight("everyone")), now=clock(), minutes=15)
    form = {"token": token, "purpose": "retention_care"}
    answer = browser.post("/sign-in", data=form, headers={"origin": "https://care.example"}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-retention=")
    assert "Secure" in cookie
    assert browser.get("/").status_code == 200


NASTY = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "'; DROP TABLE score; --"]


@pytest.mark.parametrize("text", NASTY)
def test_text_from_people_is_shown_as_text(text: str, hr, form_of, store, made) -> None:
    from sqlalchemy import update

    from serving.store_tables import employee

    with store.begin() as tx:
        tx.execute(update(employee).where(employee.c.id == "E0001").values(name=text, job=text))
    form = {**form_of(hr), "decision": "act", "reason": text}
    for page in (
        hr.post("/people/E0001/override", data=form, headers={"origin": made.ORIGIN}).text,
        hr.get("/teams/Nursing%20B").text,
    ):
        assert text not in page.replace("{{7*7}}", "").replace("DROP TABLE", "") or not text.startswith(("<", '"'))
        assert not re.search(r"<script|<img|onerror=a[^l]", page.replace("&lt;script", ""))


def test_every_template_compiles() -> None:
    for name in environment.list_templates():
        environment.get_template(name)


def test_the_words_for_why_a_person_is_seen_fit_every_kind_of_sight() -> None:
    for language in ("en", "zh"):
        words = Words(language)
        for reason in ("everyone", "department Care", "team Nursing B", "reports to M1"):
            assert words.because(reason)
        assert words.because("reports to M1").count("M1") == 1
