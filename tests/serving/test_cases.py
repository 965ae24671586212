"""The machine of a case: every state, every step, who may take it; and two people at once on a real store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from features.errors import FixableError
from models.catalog import DEFAULT_CATALOG, WHO_DECIDES, load_catalog
from serving import audit, case_service, store_cases
from serving.access import ROLES, Viewer, Visit
from serving.case_service import Opening, Taking
from serving.cases import (
    DECLINED,
    OUTCOMES,
    SIDES,
    STATES,
    STEPS,
    Actor,
    Case,
    Move,
    Refused,
    allowed,
    handed,
    left,
    take,
)
from serving.problems import KINDS, Problem
from serving.store import Store
from serving.store_people import Sight

DAY = date(2026, 11, 2)
LEAD = Actor("Anna Berg", "M1", frozenset({"line"}))
HEAD = Actor("Omar Haddad", "M0", frozenset({"line", "head"}))
HR = Actor("Li Na", "H1", frozenset({"hr"}))
NOBODY = Actor("Jonas Weiss", "E9", frozenset())


def fresh(who_decides: str = "manager", **other: Any) -> Case:
    case = Case(
        id="ab",
        employee_id="E1",
        action="career_talk",
        title=None,
        origin="own",
        sides=SIDES[who_decides],
        days=14,
        needs_consent=False,
        lead_id="M1",
        opened_on=DAY,
        due_on=DAY + timedelta(days=14),
    )
    return replace(case, **other)


def move(step: str, **told: Any) -> Move:
    return Move(step, told.pop("today", DAY), **told)


def in_state(status: str) -> Case:
    """A case in each state, brought there by steps."""
    agreed = take(fresh(), move("agree"), LEAD)
    done = take(agreed, move("done"), LEAD)
    return {
        "suggested": fresh(),
        "agreed": agreed,
        "done": done,
        "declined": take(fresh(), move("decline", reason="not_needed"), LEAD),
        "closed": take(done, move("outcome", reason="helped"), LEAD),
    }[status]


GOOD = {
    "agree": {},
    "decline": {"reason": "not_needed"},
    "consent": {},
    "done": {},
    "outcome": {"reason": "left"},
    "postpone": {"until": DAY + timedelta(days=3)},
    "note": {"note": "called"},
    "reopen": {"note": "it came up again"},
}
LEADS_TO = {
    ("suggested", "agree"): "agreed",
    ("suggested", "decline"): "declined",
    ("suggested", "postpone"): "suggested",
    ("suggested", "note"): "suggested",
    ("agreed", "decline"): "declined",
    ("agreed", "done"): "done",
    ("agreed", "outcome"): "closed",
    ("agreed", "postpone"): "agreed",
    ("agreed", "note"): "agreed",
    ("done", "outcome"): "closed",
    ("done", "postpone"): "done",
    ("done", "note"): "done",
    ("declined", "reopen"): "suggested",
    ("closed", "reopen"): "done",
}
"""The whole machine, drawn a second time: what is not in it is refused."""


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("status", STATES)
def test_every_step_in_every_state_leads_where_the_table_says_or_is_refused(status: str, step: str) -> None:
    case = in_state(status)
    if (status, step) not in LEADS_TO:
        with pytest.raises(Refused) as refused:
            take(case, move(step, **GOOD[step]), LEAD)
        assert (refused.value.kind, refused.value.state) == ("step_not_allowed", status)
        assert refused.value.allowed == tuple(s for s in STEPS if (status, s) in LEADS_TO)
        return
    after = take(case, move(step, **GOOD[step]), LEAD)
    assert (after.status, after.version) == (LEADS_TO[status, step], case.version + 1)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("status", STATES)
def test_somebody_without_a_say_takes_no_step(status: str, step: str) -> None:
    with pytest.raises(Refused):
        take(in_state(status), move(step, **GOOD[step]), NOBODY)


def test_the_sides_cover_everybody_whom_the_catalog_can_name() -> None:
    assert set(SIDES) == set(WHO_DECIDES)


@pytest.mark.parametrize(
    ("who_decides", "actors", "expected"),
    [
        ("manager", [LEAD], "agreed"),
        ("manager", [HR], "reason_missing"),
        ("hr", [HR], "agreed"),
        ("hr", [LEAD], "not_yours"),
        ("manager_and_hr", [LEAD], "suggested"),
        ("manager_and_hr", [LEAD, LEAD], "not_yours"),
        ("manager_and_hr", [LEAD, HR], "agreed"),
        ("manager_and_hr", [HR, LEAD], "agreed"),
        ("department_head", [LEAD], "not_yours"),
        ("department_head", [HEAD], "agreed"),
        ("leadership", [HEAD], "suggested"),
        ("leadership", [HEAD, HR], "agreed"),
    ],
)
def test_only_those_whom_the_catalog_names_can_agree(who_decides: str, actors: list[Actor], expected: str) -> None:
    case, came_of_it = fresh(who_decides), ""
    for actor in actors:
        try:
            case = take(case, move("agree"), actor)
            came_of_it = case.status
        except Refused as refused:
            came_of_it = refused.kind
    assert came_of_it == expected


def test_hr_may_decide_for_others_with_a_reason_and_a_manager_may_not_decide_for_hr() -> None:
    case = take(fresh("department_head"), move("agree", instead="she is on leave until May"), HR)
    assert (case.status, case.decided_by) == ("agreed", "Li Na")
    with pytest.raises(Refused, match="reason_missing"):
        take(fresh("department_head"), move("agree", instead="  "), HR)
    with pytest.raises(Refused, match="not_yours"):
        take(fresh("hr"), move("agree", instead="HR is on leave"), LEAD)


def test_where_the_catalog_asks_for_it_nothing_is_done_before_the_person_said_yes() -> None:
    case = take(fresh(needs_consent=True), move("agree"), LEAD)
    assert "consent" in allowed(case)
    with pytest.raises(Refused, match="consent_missing"):
        take(case, move("done"), LEAD)
    case = take(case, move("consent"), LEAD)
    assert "consent" not in allowed(case)
    assert take(case, move("done"), LEAD).status == "done"
    again = take(take(case, move("decline", reason="person_declined"), LEAD), move("reopen", note="asked again"), LEAD)
    assert again.consent_on is None


def test_the_catalog_asks_for_a_yes_where_work_changes_and_says_so_in_a_way_that_can_be_checked(tmp_path) -> None:
    catalog = load_catalog()
    assert catalog.action("flexible_hours").consent
    assert not catalog.action("career_talk").consent
    broken = tmp_path / "catalog.toml"
    broken.write_text(DEFAULT_CATALOG.read_text(encoding="utf-8").replace("consent = true", 'consent = "yes"', 1))
    with pytest.raises(FixableError, match="consent must be true or false"):
        load_catalog(broken)


def test_dates_follow_from_the_days_of_the_catalog() -> None:
    agreed = take(fresh(), move("agree"), LEAD)
    assert agreed.due_on == DAY + timedelta(days=14)
    later = DAY + timedelta(days=10)
    done = take(agreed, move("done", today=later, day=DAY + timedelta(days=8)), LEAD)
    assert (done.done_on, done.due_on) == (DAY + timedelta(days=8), DAY + timedelta(days=38))
    closed = take(done, move("outcome", today=later, reason="no_change"), LEAD)
    assert (closed.due_on, closed.closed_on) == (None, later)


@pytest.mark.parametrize("day", [DAY - timedelta(days=1), DAY + timedelta(days=1)])
def test_nothing_was_done_before_it_was_agreed_or_after_today(day: date) -> None:
    with pytest.raises(Refused, match="day_invalid"):
        take(in_state("agreed"), move("done", day=day), LEAD)


@pytest.mark.parametrize("until", [None, DAY, DAY + timedelta(days=181)])
def test_a_date_is_moved_forward_and_not_for_ever(until: date | None) -> None:
    with pytest.raises(Refused, match="day_invalid"):
        take(in_state("agreed"), move("postpone", until=until), LEAD)


@pytest.mark.parametrize(
    ("status", "step", "told"),
    [
        ("suggested", "decline", {}),
        ("suggested", "decline", {"reason": "lazy"}),
        ("suggested", "decline", {"reason": "other", "note": " "}),
        ("done", "outcome", {"reason": "not_done"}),
        ("agreed", "outcome", {"reason": "helped"}),
        ("closed", "reopen", {"note": " "}),
        ("agreed", "note", {"note": " "}),
    ],
)
def test_a_reason_is_one_of_the_list_and_fits_the_state(status: str, step: str, told: dict[str, str]) -> None:
    with pytest.raises(Refused, match="reason_missing"):
        take(in_state(status), move(step, **told), LEAD)


def test_a_case_that_moves_to_another_list_keeps_its_state_and_closes_when_the_person_has_left() -> None:
    case = handed(in_state("agreed"), "M2", forget_decider=True)
    assert (case.status, case.lead_id, case.decided_by, case.decided_by_id) == ("agreed", "M2", "Anna Berg", None)
    assert (left(fresh(), today=DAY).status, left(fresh(), today=DAY).reason) == ("declined", "left")
    assert (left(case, today=DAY).status, left(case, today=DAY).outcome) == ("closed", "left")


def test_every_refusal_has_words() -> None:
    kinds = {"invalid", "step_not_allowed", "not_yours", "day_invalid", "reason_missing", "consent_missing"}
    assert kinds <= set(KINDS)


# Two people on one case, in any order, on a real store.

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)


def visit_of(role: str, name: str, sight: Sight, number: str | None) -> Visit:
    rights = ROLES[role]
    viewer = Viewer(f"person {name}", name, role, rights.scopes, rights.purposes, sight, "session", "s", number)
    return Visit(viewer, "retention_care", NOW, "test")


TWO = {
    "lead": visit_of("manager", "Anna Berg", Sight("manager", "M1"), "M1"),
    "hr": visit_of("hr", "Li Na", Sight("everyone"), None),
}


def tried(store: Store, visit: Visit, taking: Taking) -> Case | Problem:
    try:
        return case_service.take(store, visit, taking)
    except Problem as problem:
        return problem


class TwoPeople(RuleBasedStateMachine):
    """Each of two people acts on the version that they have read last; the drawn table says what must come of it."""

    store: Store

    @initialize()
    def open(self) -> None:
        opening = Opening("E0001", "own", Move("suggest", NOW.date()), title="have lunch together")
        self.case = case_service.open_case(self.store, TWO["lead"], opening, catalog={})
        self.read = dict.fromkeys(TWO, 1)
        self.n_taken = 1

    @rule(who=st.sampled_from(sorted(TWO)))
    def reads(self, who: str) -> None:
        self.read[who] = case_service.read(self.store, TWO[who], self.case.id).case.version

    @rule(
        who=st.sampled_from(sorted(TWO)),
        step=st.sampled_from(sorted(STEPS)),
        reason=st.sampled_from([*DECLINED, *OUTCOMES]),
        instead=st.sampled_from(["", "she is away"]),
    )
    def acts(self, who: str, step: str, reason: str, instead: str) -> None:
        told = {**GOOD[step], **({"reason": reason} if step in ("decline", "outcome") else {})}
        asked = Move(step, NOW.date(), instead=instead, **told)  # type: ignore[arg-type]
        after = tried(self.store, TWO[who], Taking(self.case.id, self.read[who], asked))
        if isinstance(after, Problem):
            stale = self.read[who] != self.case.version
            assert (after.name == "stale") == stale
            if after.name == "step_not_allowed":
                assert (self.case.status, step) not in LEADS_TO
                assert after.facts["state"] == self.case.status
            return
        assert self.read[who] == self.case.version, "an update was lost"
        expected = LEADS_TO[self.case.status, step]
        if (self.case.status, step) == ("closed", "reopen") and self.case.done_on is None:
            expected = "agreed"
        assert after.status == expected
        assert not (who == "hr" and step == "agree" and not instead), "HR decided for a manager without a reason"
        self.case, self.n_taken = after, self.n_taken + 1
        self.read[who] = after.version

    @invariant()
    def the_store_says_the_same(self) -> None:
        with self.store.begin() as tx:
            found = store_cases.find(tx, Sight("everyone"), self.case.id)
            steps = store_cases.steps(tx, self.case.id)
        assert found is not None
        assert found[0] == self.case
        assert [row["version"] for row in steps] == list(range(1, self.n_taken + 1))
        assert steps[-1]["status"] == self.case.status


def test_of_two_people_in_any_order_no_step_is_lost_and_none_is_taken_twice(store: Store) -> None:
    TwoPeople.store = store
    law = settings(
        max_examples=20,
        stateful_step_count=15,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(TwoPeople, settings=law)
    with store.begin() as tx:
        assert audit.verify(tx).problem is None
