"""Cases on pages: agreed with one button, found again in a list, and nothing lost when two people write at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving import store_cases
from serving.store_people import Sight

ORIGIN = {"origin": "http://127.0.0.1:8000"}


@pytest.fixture
def manager(signed_in) -> TestClient:
    return signed_in("manager", Sight("manager", "M1"), name="Anna Berg")


@pytest.fixture
def post(form_of):
    """Send a form as a browser does, and say where it led."""

    def send(browser: TestClient, path: str, **fields: str) -> Any:
        return browser.post(path, data={**form_of(browser), **fields}, headers=ORIGIN)

    return send


def agreed(post, browser: TestClient, action: str = "career_talk") -> str:
    """Agree to an action for E0001 and return the path of the case."""
    return str(post(browser, "/people/E0001/care", action=action, step="agree").url.path)


def version(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found[1]


def test_a_manager_agrees_on_the_persons_page_and_gets_the_guide_for_the_talk(manager, post) -> None:
    page = manager.get("/people/E0001?lang=en").text
    assert "Agree to this" in page
    assert "Decide in their place" not in page
    path = agreed(post, manager)
    page = manager.get(path).text
    assert "First step by 16 Nov 2026." in page
    assert "Which part of your work would you like to have more of in a year?" in page
    assert "Anna Berg agreed" in page
    page = manager.get("/people/E0001").text
    assert f'href="{path}">Open the case' in page
    assert page.count(">Agree to this<") == 2, "the other action of the plan, and an idea of one's own"


def test_from_agreement_over_done_to_the_outcome_in_one_sitting(manager, post) -> None:
    path = agreed(post, manager)
    page = post(manager, f"{path}/steps?lang=en", step="done", day="2026-11-02", version="2").text
    assert "Ask how it went by 2 Dec 2026." in page
    assert "It helped, the person says" in page
    page = post(manager, f"{path}/steps", step="outcome", reason="helped", day="2026-11-02", version=version(page)).text
    assert "Finished. Nothing is left to do." in page
    assert "Career talk" in manager.get("/cases?show=closed").text
    assert "Career talk" not in manager.get("/cases").text


def test_hr_leaves_the_decision_to_the_manager_or_says_why_not(signed_in, manager, post) -> None:
    hr = signed_in("hr")
    page = hr.get("/people/E0001?lang=en").text
    assert "Put on the list for the direct manager" in page
    assert "Decide in their place" in page
    refused = post(hr, "/people/E0001/care", action="career_talk", step="agree")
    assert refused.status_code == 422
    path = post(hr, "/people/E0001/care", action="career_talk", step="suggest").url.path
    page = manager.get(f"{path}?lang=en").text
    assert "Still has to agree: the direct manager" in page
    assert "Li Na of HR put this on the list" in page
    page = post(manager, f"{path}/steps", step="agree", version="1").text
    assert "Anna Berg agreed" in page


def test_a_reason_for_deciding_in_anothers_place_is_seen_by_the_other(signed_in, manager, post) -> None:
    hr = signed_in("hr")
    form = {"action": "career_talk", "step": "agree", "instead": "Anna asked me to"}
    path = post(hr, "/people/E0001/care", **form).url.path
    assert "In the place of others, because: Anna asked me to" in manager.get(f"{path}?lang=en").text


def test_who_was_slower_sees_what_changed_and_loses_nothing_typed(signed_in, manager, post) -> None:
    path = agreed(post, manager)
    hr = signed_in("hr")
    old = version(hr.get(path).text)
    post(manager, f"{path}/steps", step="note", note="we meet on Friday", version=old)
    answer = post(hr, f"{path}/steps?lang=en", step="note", note="please call <her> first", version=old)
    assert answer.status_code == 412
    page = answer.text
    assert "your entry was not saved" in page
    assert page.index("your entry was not saved") < page.index("we meet on Friday") < page.index("Career talk</h1>")
    assert ">please call &lt;her&gt; first</textarea>" in page
    again = post(hr, f"{path}/steps", step="note", note="please call her first", version=version(page))
    assert again.status_code == 200
    assert "please call her first" in again.text


@pytest.mark.parametrize(
    ("fields", "code", "told"),
    [
        ({"step": "agree"}, 409, "is not possible"),
        ({"step": "decline"}, 422, "A reason is needed"),
        ({"step": "postpone", "until": "2020-01-01"}, 422, "This day does not fit"),
        ({"step": "done", "day": "2026-11-03"}, 422, "This day does not fit"),
    ],
)
def test_what_cannot_be_saved_is_said_on_the_case_itself(fields, code, told, manager, post) -> None:
    path = agreed(post, manager)
    answer = post(manager, f"{path}/steps?lang=en", version="2", **fields)
    assert (answer.status_code, told in answer.text) == (code, True)
    assert "Career talk</h1>" in answer.text


@pytest.mark.parametrize(
    "fields",
    [
        {"step": "handed_over"},
        {"step": "left"},
        {"version": "two"},
        {"note": "x" * 501},
        {"note": "a\x00b"},
        {"step": "done", "day": "yesterday"},
    ],
    ids=lambda fields: str(next(iter(fields.items())))[:30],
)
def test_a_form_that_is_not_whole_changes_nothing(fields, manager, post, store) -> None:
    path = agreed(post, manager)
    assert post(manager, f"{path}/steps", **{"step": "note", "note": "x", "version": "2", **fields}).status_code == 422
    with store.begin() as tx:
        assert len(store_cases.all_steps(tx)) == 2


def test_the_yes_of_the_person_comes_before_the_deed(manager, post) -> None:
    path = agreed(post, manager, "cross_team_project")
    page = manager.get(f"{path}?lang=en").text
    assert "only with their yes" in page
    assert "It is done" not in page
    page = post(manager, f"{path}/steps", step="consent", day="2026-11-02", version="2").text
    assert "It is done" in page


def test_the_list_puts_what_is_overdue_first_and_the_overview_counts_it(signed_in, manager, post, clock) -> None:
    post(manager, "/people/E0001/care", action="one_on_one_rhythm", step="agree")
    post(manager, "/people/E0002/care", action="skill_course", step="agree")
    assert "0 overdue, 1 due within a week." in manager.get("/?lang=en").text
    clock.pass_days(25)
    later = signed_in("manager", Sight("manager", "M1"))
    page = later.get("/cases?lang=en").text
    assert page.index("Overdue") < page.index("one-on-ones") < page.index("Due this week") < page.index("A course")
    assert "1 overdue, 1 due within a week." in later.get("/?lang=en").text


def test_an_idea_of_ones_own_becomes_a_case(manager, post) -> None:
    answer = post(manager, "/people/E0001/care", action="own", title="bring back the Friday round", step="agree")
    assert "bring back the Friday round" in answer.text
    assert "bring back the Friday round" in manager.get("/people/E0001").text


def test_what_is_not_for_this_person_is_declined_with_a_reason_and_can_be_reopened(manager, post) -> None:
    form = {"action": "career_talk", "step": "decline", "reason": "already_done"}
    page = post(manager, "/people/E0001/care?lang=en", **form).text
    assert "It happens already" in page
    path = re.search(r'href="(/cases/[0-9a-f]+)"', page)
    assert path
    page = post(manager, f"{path[1]}/steps", step="reopen", note="it stopped in June", version="2").text
    assert "To be decided" in page


def test_an_employee_sees_what_was_agreed_and_nothing_else(signed_in, manager, post, made) -> None:
    agreed(post, manager)
    post(manager, "/people/E0001/care", action="skill_course", step="suggest")
    person = signed_in("employee", name="Li Na")
    page = person.get("/mine?lang=en").text
    assert "Career talk" in page
    assert "by Anna Berg" in page
    assert "course" not in page
    assert 'href="/cases' not in page
    for path in ("/", "/people/E0001", "/cases", "/teams/Nursing%20B"):
        assert person.get(path).status_code == 403
    assert "Career talk" not in signed_in("employee", employee_id="E0002").get("/mine").text


def test_the_persons_page_shows_who_looked_at_the_case(signed_in, manager, post) -> None:
    agreed(post, manager)
    page = signed_in("hr").get("/people/E0001?lang=en").text
    assert "agreed to a care action" in page
    assert "read a case" in page


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_of_a_case_obeys_the_policy_in_both_languages(lang, manager, signed_in, post) -> None:
    paths = ["/cases", agreed(post, manager), agreed(post, manager, "cross_team_project")]
    paths += [post(manager, "/people/E0002/care", action="skill_course", step="suggest").url.path]
    for path in (*paths, "/cases?show=declined", "/cases?show=closed&whose=all"):
        answer = manager.get(path, params={"lang": lang, **dict(re.findall(r"(\w+)=(\w+)", path))})
        assert answer.status_code == 200
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|https?://", answer.text)
    assert signed_in("employee").get("/mine", params={"lang": lang}).status_code == 200


NASTY = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}"]


@pytest.mark.parametrize("text", NASTY)
def test_what_people_write_is_shown_as_text(text: str, manager, post) -> None:
    answer = post(manager, "/people/E0001/care", action="own", title=text, step="agree")
    page = post(manager, f"{answer.url.path}/steps", step="note", note=text, version="2").text
    page += manager.get("/cases").text + manager.get("/people/E0001").text
    assert not re.search(r"<script|<img|\D49\D{0,3}</h1>", page)


@pytest.mark.parametrize("path", ["/people/E0001/care", "/cases/{case}/steps"])
def test_a_form_from_elsewhere_changes_no_case(path, manager, post, store) -> None:
    case = agreed(post, manager)
    where = path.format(case=case.rsplit("/", 1)[1])
    fields = {"action": "skill_course", "step": "note", "note": "x", "version": "2"}
    assert manager.post(where, data=fields, headers=ORIGIN).status_code == 403
    with store.begin() as tx:
        assert len(store_cases.all_steps(tx)) == 2


def test_an_hr_partner_agrees_to_what_is_for_hr(signed_in, post) -> None:
    partner = signed_in("hr_partner", Sight("department", "Care"), name="Partner of Care")
    path = agreed(post, partner, "transfer_talk")
    assert "Partner of Care agreed" in partner.get(f"{path}?lang=en").text
