"""Growth on pages and over the API: who sees what, what a person hides, and that no risk comes near."""

from __future__ import annotations

import re
import sys
from datetime import timedelta

import polars as pl
import pytest

from models.growth_rules import load
from serving import store_people, store_talent, talent
from serving.schemas_talent import GROWTH_EXAMPLES
from serving.store_people import Sight
from tests.serving.growth_records import DAY, PRAISED, records

GROW = {"purpose": "talent_development"}
M1, M3, SELF = Sight("manager", "M1"), Sight("manager", "M3"), Sight("self", "E0001")
RISKY = re.compile(r'data-shown=|class="badge|band\.|Talk soon|Keep in view|give notice|may leave|0\.2187|\b22 %')


def make(store, made, *, people=None) -> None:
    found = records(people or made.people())
    known, *_ = talent.take_over(store, found, as_of=DAY, now=made.NOW, actor="console - test")
    batch = talent.batch(known, load(), data_versions={"skills": 1})
    talent.save(store, batch, now=made.NOW, valid_days=90, actor="console - test")


@pytest.fixture
def grown(store, made):
    make(store, made)
    return store


@pytest.fixture
def hr(grown, signed_in):
    return signed_in("hr", purpose="talent_development")


PAGES = [
    "/growth",
    "/growth?need=course",
    "/growth/people/E0001",
    "/growth/achievements",
    "/growth/shortlist?job=nurse&level=3",
    "/growth/skills-needed?needs=triage, 4, 2",
]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_of_growth_shows_a_risk_a_band_or_a_script(path: str, lang: str, hr, made) -> None:
    answer = hr.get(path, params={"lang": lang})
    assert answer.status_code == 200
    main = answer.text.split("<main")[1].split("</main>")[0]
    assert not RISKY.search(main)
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://", answer.text)


def test_who_came_to_grow_people_can_open_no_assessment(hr) -> None:
    for path in ("/people/E0001", "/teams/Nursing%20B"):
        assert hr.get(path).status_code == 403
    assert hr.get("/growth/shortlist").status_code == 200


def test_who_came_for_care_makes_no_shortlist(grown, signed_in) -> None:
    care = signed_in("hr")
    assert care.get("/growth/shortlist?job=nurse&level=3").status_code == 403
    page = care.get("/growth?lang=en").text
    assert "only for who signs in for growing people" in page


def test_needs_come_before_names_and_each_name_is_a_look(hr, made) -> None:
    page = hr.get("/growth?lang=en").text
    assert "A course that closes a gap: for" in page
    assert "E0001" not in page
    assert made.entries()[-1]["action"] == "growth.counts"
    page = hr.get("/growth?need=course&lang=en").text
    shown = re.findall(r"/growth/people/(\w+)\"", page)
    looks = {e["employee_id"] for e in made.entries() if e["action"] == "growth.list"}
    assert set(shown) == looks != set()


def test_the_report_tells_gaps_courses_colleagues_and_steps_in_both_languages(hr) -> None:
    page = hr.get("/growth/people/E0001?lang=en").text
    for part in (
        "saved the day – By E0001",
        "Now 1, asked 3.",
        "Course: Triage for all",
        "Mentor for triage",
        "A step up.",
    ):
        assert part in page
    assert page.index("Achievements") < page.index("For the present post")
    assert "Choir night" in page
    chinese = hr.get("/growth/people/E0001?lang=zh").text
    assert "现为 1 级，要求 3 级" in chinese
    assert "专业通道" in chinese


def test_a_manager_opens_only_people_below_and_a_hidden_person_is_an_unknown_one(grown, signed_in, made) -> None:
    manager = signed_in("manager", M3, purpose="talent_development")
    assert manager.get("/growth/people/E0013").status_code == 200
    answers = [manager.get(f"/growth/{kind}/{one}") for kind in ("people", "report") for one in ("E0001", "E4242")]
    without_id = {re.sub(r"[0-9a-f]{16}|E\d+", "", answer.text) for answer in answers}
    assert {answer.status_code for answer in answers} == {404}
    assert len(without_id) == 1
    assert (made.entries()[-1]["action"], made.entries()[-1]["result"]) == ("growth.report", "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/growth?need=course",
        "/growth/achievements",
        "/growth/shortlist?job=nurse&level=3",
        "/growth/skills-needed?needs=triage, 4, 9",
    ],
)
def test_lists_name_only_people_within_sight(path: str, grown, signed_in) -> None:
    page = signed_in("manager", M3, purpose="talent_development").get(path).text
    named = set(re.findall(r"/growth/people/(\w+)\"", page))
    assert named <= {f"E{i:04}" for i in range(19, 26)} | {f"E{i:04}" for i in range(13, 20)}
    assert "E0001" not in page


def test_everything_is_the_same_whether_somebody_out_of_sight_is_there_or_not(grown, signed_in, made) -> None:
    """The answer must not even count them. Mentors are the exception: they are named for who is to learn from them."""
    paths = [path for path in PAGES if "people" not in path]
    manager = signed_in("manager", M3, purpose="talent_development")
    with_them = [manager.get(path).text for path in paths]
    with grown.begin() as tx:
        store_people.erase(tx, "E0001")
    assert [manager.get(path).text for path in paths] == with_them


def form(browser, form_of, **other) -> dict[str, str]:
    good = {"kind": "improvement", "happened_on": "2026-10-20", "note": "A new list", "given_by": ""}
    return {**form_of(browser), **good, **other}


def test_a_manager_records_a_moment_and_the_person_hides_and_shows_it(grown, signed_in, form_of, made) -> None:
    boss = signed_in("manager", M1, purpose="talent_development")
    page = boss.post("/growth/people/E0001?lang=en", data=form(boss, form_of), headers={"origin": made.ORIGIN}).text
    assert "a better way of working – A new list" in boss.get("/growth/people/E0001?lang=en").text
    me = signed_in("employee", SELF, purpose="subject_access")
    page = me.get("/me?lang=en").text
    entry = re.search(r'name="entry" value="(\d+)">\s*<span>[^<]*A new list', page)
    assert entry
    hide = {**form_of(me), "entry": entry[1], "what": "hide"}
    assert "hidden" in me.post("/me?lang=en", data=hide, headers={"origin": made.ORIGIN}).text
    for path in ("/growth/people/E0001", "/growth/achievements?month=2026-10"):
        assert "A new list" not in boss.get(path).text
    me.post("/me", data={**hide, "what": "show"}, headers={"origin": made.ORIGIN})
    assert "A new list" in boss.get("/growth/people/E0001").text
    done = [(e["action"], e["result"]) for e in made.entries() if e["action"].startswith("achievement.")]
    assert {("achievement.add", "recorded"), ("achievement.hide", "recorded"), ("achievement.show", "recorded")} <= set(
        done
    )


def test_an_employee_sees_themselves_and_who_has_looked_and_nothing_else(grown, signed_in, form_of, made) -> None:
    signed_in("hr", purpose="talent_development").get("/growth/people/E0001")
    me = signed_in("employee", SELF, purpose="subject_access")
    page = me.get("/me?lang=en").text
    assert "Growth report: 王芳" in page
    assert "Li Na of HR" in page
    assert not RISKY.search(page)
    for path in ("/", "/growth", "/growth/people/E0001", "/people/E0001", "/teams/Nursing%20B", "/forecast"):
        assert me.get(path).status_code == 403
    theirs = {**form_of(me), "entry": "2", "what": "hide"}
    assert me.post("/me", data=theirs, headers={"origin": made.ORIGIN}).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "dismissal"},
        {"happened_on": "2027-01-01"},
        {"happened_on": "soon"},
        {"note": "x" * 501},
        {"given_by": "E0001"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_achievement_that_is_not_whole_is_not_recorded(wrong, grown, signed_in, form_of, made) -> None:
    boss = signed_in("manager", M1, purpose="talent_development")
    data = form(boss, form_of, **wrong)
    assert boss.post("/growth/people/E0001", data=data, headers={"origin": made.ORIGIN}).status_code == 422
    with grown.begin() as tx:
        assert len(store_talent.achievements_of(tx, "E0001", hidden=True)) == 1


def test_nobody_records_for_who_is_out_of_sight_or_for_themselves(grown, signed_in, form_of, made) -> None:
    boss = signed_in("manager", M1, purpose="talent_development")
    for one in ("E0013", "M1", "E4242"):
        answer = boss.post(f"/growth/people/{one}", data=form(boss, form_of), headers={"origin": made.ORIGIN})
        assert answer.status_code == 404


def test_typing_a_number_as_the_giver_tells_nobody_whose_it_is(grown, signed_in, form_of, made) -> None:
    boss = signed_in("manager", M1, purpose="talent_development")
    for number in ("M3", "E4242"):
        data = form(boss, form_of, given_by=number)
        boss.post("/growth/people/E0001", data=data, headers={"origin": made.ORIGIN})
    page = boss.get("/growth/people/E0001?lang=en").text
    assert "from M3" in page
    assert "from E4242" in page
    assert "Lead of Dental" not in page.split("People and projects")[0]


def test_text_from_people_is_shown_as_text(grown, signed_in, form_of, made) -> None:
    boss = signed_in("manager", M1, purpose="talent_development")
    note = "<script>alert(1)</script>{{7*7}}"
    boss.post("/growth/people/E0001", data=form(boss, form_of, note=note), headers={"origin": made.ORIGIN})
    for path in ("/growth/people/E0001", "/growth/achievements?month=2026-10"):
        page = boss.get(path).text
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page


def test_hidden_entries_count_on_no_shortlist(hr, grown, made) -> None:
    def first() -> str:
        page = hr.get("/growth/shortlist?job=nurse&level=3&lang=en").text
        return re.findall(r"/growth/people/(\w+)\"", page)[0]

    assert first() == "E0003"
    with grown.begin() as tx:
        for one in PRAISED:
            for row in store_talent.achievements_of(tx, one):
                assert store_talent.set_hidden(tx, row["id"], one, at=made.NOW)
    assert first() not in PRAISED


def test_the_risk_changes_no_list_of_growth(hr, store, made) -> None:
    before = [hr.get(path).text for path in PAGES[4:]]
    turned = tuple(made.assessment(one.employee_id, 0.9, band="act") for one in made.assessments())
    from serving.score import Scored

    made.fill(store, scored=Scored(made.AS_OF, made.people(), made.judged(turned), made.bundle("9"), {}))
    assert [hr.get(path).text for path in PAGES[4:]] == before


def test_a_second_import_adds_nothing_keeps_hidden_hidden_and_takes_back_what_was_withdrawn(grown, made) -> None:
    with grown.begin() as tx:
        entry = store_talent.achievements_of(tx, "E0001")[0]
        store_talent.set_hidden(tx, entry["id"], "E0001", at=made.NOW)
    rows = {**records(made.people())}
    known, added, removed = talent.take_over(grown, rows, as_of=DAY, now=made.NOW, actor="t")
    assert (added, removed, known.people["E0001"].praise) == (0, 0, {})
    rows["recognitions"] = rows["recognitions"].filter(pl.col("employee_id") != "E0003")
    assert talent.take_over(grown, rows, as_of=DAY, now=made.NOW, actor="t")[1:] == (0, 1)
    with grown.begin() as tx:
        assert store_talent.achievements_of(tx, "E0001") == []
        assert len(store_talent.achievements_of(tx, "E0001", hidden=True)) == 1


def test_who_is_erased_is_in_no_file_no_suggestion_and_no_entry(grown, made) -> None:
    with grown.begin() as tx:
        gone = store_people.erase(tx, "M1")
        assert gone["growth_file"] == 1
        assert all(row["given_by"] is None for row in store_talent.achievements_of(tx, "E0001"))
        store_people.erase(tx, "E0001")
        assert store_talent.file_of(tx, "E0001") is None
        assert store_talent.achievements_of(tx, "E0001", hidden=True) == []
        everybody = [row["id"] for row in made.people()]
        assert "E0001" not in {pair["other_id"] for one in everybody for pair in store_talent.pairs_of(tx, one)}


def test_files_have_a_clock(grown, hr, clock, made) -> None:
    with grown.begin() as tx:
        assert store_talent.batch(tx, today=made.NOW.date() + timedelta(90)) is not None
        late = made.NOW.date() + timedelta(91)
        assert store_talent.batch(tx, today=late) is None
        store_people.purge(tx, today=late, notes_before=late)
        assert store_talent.file_of(tx, "E0001") is None


def test_the_way_of_reaching_out_has_a_guide_and_something_to_invite_to(grown, signed_in) -> None:
    page = signed_in("manager", M1).get("/people/E0001?lang=en").text
    for part in ("Guide for the talk", "Better not", "Choir night", "See the growth file"):
        assert part in page
    assert "谈话指南" in signed_in("manager", M1).get("/people/E0001?lang=zh").text


def test_the_api_tells_the_file_records_and_hides(grown, client, key, made) -> None:
    headers = key("hr_system")
    answer = client.get("/v1/employees/E0001/growth", params=GROW, headers=headers).json()
    assert answer["as_of"] == "2026-10-31"
    assert [part["key"] for part in answer["en"]] == [part["key"] for part in answer["zh"]]
    assert not re.search(r'"(band|risk|score)"', str(answer))
    body = {"kind": "peer_thanks", "happened_on": "2026-10-30", "note": "Helped out", "given_by": "E0002"}
    path = "/v1/employees/E0001/achievements"
    number = client.post(path, params=GROW, headers=headers, json=body).json()["id"]
    assert client.post(path, params=GROW, headers=headers, json={**body, "score": 1}).status_code == 422
    hide = {"params": {"purpose": "subject_access"}, "headers": headers, "json": {"hidden": True}}
    assert client.post(f"{path}/{number}/hidden", **hide).status_code == 200
    assert client.post(f"/v1/employees/E0002/achievements/{number}/hidden", **hide).status_code == 404
    left = client.get(path, params=GROW, headers=headers).json()["achievements"]
    assert number not in [row["id"] for row in left]
    assert client.post(f"{path}/{10**30}/hidden", **hide).status_code == 422


def test_the_api_lists_needs_a_shortlist_and_who_could_grow(grown, client, key) -> None:
    headers = key("hr_system")
    counted = client.get("/v1/growth/reminders", params=GROW, headers=headers).json()
    assert counted["people"] == []
    need = counted["needs"][0]
    named = client.get("/v1/growth/reminders", params={**GROW, "need": need["need"]}, headers=headers).json()
    assert len(named["people"]) == need["n_people"] == sum(need["departments"].values())
    listed = client.get("/v1/growth/shortlist", params={**GROW, "job": "nurse", "level": 3}, headers=headers).json()
    given = [sum(one["contributions"].values()) for one in listed["people"]]
    assert given == sorted(given, reverse=True)
    assert (given[0], listed["people"][0]["employee_id"]) == (1, "E0003")
    body = {"needs": [{"skill": "triage", "level": 3, "people": 2}]}
    found = client.post("/v1/growth/skills-needed", params=GROW, headers=headers, json=body).json()["needs"][0]
    assert (found["n_holding"], len(found["proposed"])) == (16, 2)
    assert client.get("/v1/achievements", params={**GROW, "month": "2026-13"}, headers=headers).status_code == 422
    month = client.get("/v1/achievements", params={**GROW, "month": "2026-10"}, headers=headers).json()
    assert {row["employee_id"] for row in month["achievements"]} == set(PRAISED)


def test_every_example_of_the_api_of_growth_is_a_valid_answer() -> None:
    from serving import schemas_talent

    for name, example in GROWTH_EXAMPLES.items():
        getattr(schemas_talent, name).model_validate(example)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_is_a_pdf_in_either_language(lang: str, hr, made) -> None:
    pytest.importorskip("reportlab")
    answer = hr.get(f"/growth/report/E0001?lang={lang}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF")
    assert b"STSong-Light" in answer.content
    assert "E0001" not in answer.headers["content-disposition"]
    assert made.entries()[-1]["action"] == "growth.report"


def test_without_the_library_of_pdfs_everything_else_works_and_the_answer_says_so(hr, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "reportlab.lib.pagesizes", None)
    answer = hr.get("/growth/report/E0001?lang=en")
    assert answer.status_code == 503
    assert "reportlab is not installed" in answer.text
    assert hr.get("/growth/people/E0001").status_code == 200


def test_without_a_batch_the_page_says_how_to_make_one(signed_in) -> None:
    browser = signed_in("hr", purpose="talent_development")
    for path in ("/growth", "/growth/people/E0001", "/growth/shortlist?job=nurse&level=3"):
        page = browser.get(f"{path}{'&' if '?' in path else '?'}lang=en").text
        assert "retention-serve growth-batch" in page
