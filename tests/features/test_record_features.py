"""Columns about the way, wishes, cycles and pay against drawn records: what the subtle ones say, and when nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from features import engine
from features.matrix import BLOCKS
from features.snapshots import HIDDEN, panel
from features.tables import TABLES, canonical
from tests.features.test_matrix import table

MAY = date(2024, 5, 31)
NAMES = ("ann", "ben", "cat", "dan", "eve", "fay")
PEOPLE = table(
    "employee_id hired_on",
    ("ann", "2020-01-01"),
    ("ben", "2020-03-01"),
    ("cat", "2020-06-29"),  # 180 days after ann
    ("dan", "2020-06-30"),  # 181 days after ann
    ("eve", "2023-09-01"),
    ("fay", "2024-01-15"),
)


def told(one: str, *columns: str, as_of: date = MAY, **tables: pl.DataFrame) -> tuple[object, ...]:
    """What the blocks that have these columns say about one person."""
    ground = panel(canonical({"employees": PEOPLE} | tables), [as_of])
    values: dict[str, object] = {}
    for block in BLOCKS:
        wanted = [card.column for card in block.CARDS if card.column in columns]
        if wanted:
            frame = engine.collected(block.columns(ground)).filter(pl.col("employee_id") == one)
            values |= dict.fromkeys(wanted) | next(
                frame.select(pl.col(wanted).cast(pl.Float64)).iter_rows(named=True), {}
            )
    return tuple(values[column] for column in columns)


def posts(*rows: tuple[object, ...]) -> pl.DataFrame:
    return table("employee_id happened_on job level pay", *rows)


def test_every_table_but_the_protected_one_feeds_the_matrix() -> None:
    texts = [path.read_text(encoding="utf-8") for path in Path(engine.__file__).parent.glob("*.py")]
    unread = {name for name in TABLES if not any(f'facts["{name}"]' in text for text in texts)}
    assert unread == set(HIDDEN) == {"protected"}


# ---------------------------------------------------------------------------------------------- started alike, stuck

ALIKE = table(
    "employee_id happened_on job_family level",
    ("ann", "2020-01-01", "care", 1),
    ("ben", "2020-03-01", "care", 2),
    ("cat", "2020-06-29", "care", 4),
    ("dan", "2020-06-30", "care", 9),
)


def test_who_started_alike_was_hired_at_most_180_days_apart_in_the_same_family() -> None:
    """ann against ben (level 2) and cat (level 4); dan came a day too late, for her and for nobody else."""
    assert told("ann", "level_vs_cohort", positions=ALIKE) == (-2.0,)
    assert told("dan", "level_vs_cohort", positions=ALIKE) == (9.0 - 3.0,)
    alone = ALIKE.filter(pl.col("employee_id").is_in(["ann", "ben"]))
    assert told("ann", "level_vs_cohort", positions=alone) == (None,)


STAYS = table(
    "employee_id happened_on ladder level",
    ("ann", "2020-01-01", None, 1),
    ("ben", "2020-03-01", None, 1),
    ("ben", "2021-03-01", None, 2),  # 365 days on level 1
    ("cat", "2020-06-29", None, 1),
    ("cat", "2021-06-29", None, 2),  # 365 days on level 1
    ("dan", "2020-06-30", None, 2),
    ("dan", "2021-12-22", None, 3),  # 540 days on level 2
    ("dan", "2023-06-15", None, 4),  # 540 days on level 3
)


def test_stuck_is_the_wait_over_what_others_took_on_the_level_drawn_to_the_mean_of_all() -> None:
    """Level 1: (365 + 365 + 4 × 452.5) / 6 days; ann has been there since 1 January 2020."""
    usual = (365 + 365 + 4 * (365 + 365 + 540 + 540) / 4) / 6
    waited = (MAY - date(2020, 1, 1)).days
    assert told("ann", "level_time_vs_usual", positions=STAYS) == (pytest.approx(waited / usual),)


def test_how_long_a_level_takes_is_unknown_with_fewer_than_four_stays_of_others() -> None:
    assert told("dan", "level_time_vs_usual", positions=STAYS) == (None,)  # two of the four are his own
    told_early = told("ann", "level_time_vs_usual", positions=STAYS, as_of=date(2023, 6, 14))
    assert told_early == (None,)  # the fourth stay ends a day later


# --------------------------------------------------------------------------------------------------- the wished job

SKILLS = {
    "positions": posts(("ann", "2020-01-01", "nurse", 2, None)),
    "skills": table(
        "employee_id happened_on skill level", ("ann", "2024-01-01", "triage", 3.0), ("ann", "2024-01-01", "rota", 1.0)
    ),
    "job_skills": table(
        "job level skill required_level",
        ("nurse", 2, "triage", 3.0),
        ("nurse", 3, "triage", 4.0),
        ("nurse", 3, "rota", 1.0),
        ("planner", None, "rota", 4.0),
        ("planner", 2, "law", 5.0),  # nobody has rated ann in it
    ),
}
WISH = ("wished_skill_gap", "wished_skills_met_share", "ready_and_waiting", "wishes_since_step")


def wish(*rows: tuple[object, ...]) -> pl.DataFrame:
    return table("employee_id happened_on wants target_job", *rows)


def test_who_wishes_for_a_promotion_is_measured_against_the_next_level_of_the_job() -> None:
    """On level 3: triage lacks one level, rota is met; half of the skills are not enough to be ready."""
    told_ = told("ann", *WISH, **SKILLS, aspirations=wish(("ann", "2024-02-01", "promotion", None)))
    assert told_ == (0.5, 0.5, 0.0, 1.0)


def test_a_named_job_is_measured_by_what_it_asks_for() -> None:
    wishes = wish(("ann", "2023-02-01", "transfer", "planner"), ("ann", "2024-02-01", "transfer", "planner"))
    assert told("ann", *WISH, **SKILLS, aspirations=wishes) == (3.0, 0.0, None, 2.0)


def test_who_has_the_skills_and_no_promotion_is_ready_and_waiting_until_it_comes() -> None:
    able = SKILLS | {"skills": table("employee_id happened_on skill level", ("ann", "2024-01-01", "triage", 4.0))}
    wishes = wish(("ann", "2024-02-01", "promotion", None))
    assert told("ann", *WISH, **able, aspirations=wishes) == (0.0, 1.0, 1.0, 1.0)
    promoted = posts(("ann", "2020-01-01", "nurse", 2, None), ("ann", "2024-03-01", "nurse", 3, None))
    told_ = told("ann", *WISH, **(able | {"positions": promoted}), aspirations=wishes)
    assert told_[2:] == (None, 0.0)  # no level above 3 is described, and the wish has been answered


def test_no_wish_has_no_wished_post() -> None:
    wishes = wish(("ann", "2024-01-01", "promotion", None), ("ann", "2024-02-01", "none", None))
    assert told("ann", *WISH, **SKILLS, aspirations=wishes) == (None, None, None, 1.0)


# -------------------------------------------------------------------------------------------- courses that would help


def test_a_course_closes_a_gap_when_it_leads_on_and_was_not_taken() -> None:
    offered = table(
        "course_id skill to_level", ("c1", "rota", 1.0), ("c2", "rota", 3.0), ("c3", "rota", 4.0), ("c4", "triage", 5.0)
    )
    needs = table("job level skill required_level", ("nurse", 2, "triage", 3.0), ("nurse", 2, "rota", 2.0))
    records = SKILLS | {"job_skills": needs, "courses": offered}
    assert told("ann", "courses_closing_gap", **records) == (2.0,)  # not c1 (no further than now), not c4 (no gap)
    begun = table("employee_id happened_on course_id status", ("ann", "2024-03-01", "c2", "assigned"))
    assert told("ann", "courses_closing_gap", **records, learning=begun) == (1.0,)


def test_a_course_that_teaches_several_skills_answers_each_of_them_and_counts_once() -> None:
    offered = table("course_id skill to_level", ("c1", "sewing; rota", 3.0), ("c2", "rota;triage", 5.0))
    needs = table("job level skill required_level", ("nurse", 2, "triage", 9.0), ("nurse", 2, "rota", 2.0))
    records = SKILLS | {"job_skills": needs, "courses": offered}
    assert told("ann", "courses_closing_gap", **records) == (2.0,)


# -------------------------------------------------------------------------------------------- two good cycles in a row

CYCLES = ("good_cycles_unrewarded", "two_good_cycles_unrewarded", "review_trend")


def reviews(*rows: tuple[object, ...]) -> pl.DataFrame:
    return table("employee_id happened_on rating source", *rows)


GOOD = reviews(
    ("ann", "2021-04-01", 5.0, "manager"),
    ("ann", "2022-04-01", 3.0, "manager"),
    ("ann", "2023-04-01", 4.0, None),
    ("ann", "2024-04-01", 5.0, "manager"),
    ("ann", "2024-04-02", 1.0, "self"),
)


def test_two_good_cycles_count_when_nothing_followed_either_of_them() -> None:
    """The five of 2021 lies before a three; a self-rating is no cycle."""
    stayed = posts(("ann", "2020-01-01", "nurse", 2, 1000.0))
    assert told("ann", *CYCLES, positions=stayed, reviews=GOOD) == (2.0, 1.0, pytest.approx(0.2))


@pytest.mark.parametrize(
    ("on", "left"),
    [("2023-04-01", 2.0), ("2023-04-02", 1.0), ("2024-04-01", 1.0), ("2024-04-02", 0.0)],
)
def test_a_raise_answers_the_cycles_before_its_day(on: str, left: float) -> None:
    raised = posts(("ann", "2020-01-01", "nurse", 2, 1000.0), ("ann", on, "nurse", 2, 1050.0))
    assert told("ann", *CYCLES[:2], positions=raised, reviews=GOOD) == (left, float(left >= 2))


def test_a_weak_latest_cycle_leaves_no_good_one_waiting() -> None:
    weak = pl.concat([GOOD, reviews(("ann", "2024-05-01", 2.0, "manager"))])
    assert told("ann", *CYCLES[:2], reviews=weak) == (0.0, 0.0)


# ------------------------------------------------------------------------------------------------------------- pay


def test_compression_is_pay_over_that_of_others_in_the_job_hired_within_a_year() -> None:
    """eve and fay are new; ben is not, and a nurse is not compared with a clerk."""
    pays = posts(
        ("ann", "2020-01-01", "nurse", 2, 1000.0),
        ("ben", "2020-03-01", "nurse", 2, 9000.0),
        ("eve", "2023-09-01", "nurse", 1, 1200.0),
        ("fay", "2024-01-15", "nurse", 1, 1300.0),
    )
    assert told("ann", "pay_vs_new_hires", positions=pays) == (pytest.approx(1000 / 1250),)
    assert told("eve", "pay_vs_new_hires", positions=pays) == (None,)  # new herself
    one_new = pays.filter(pl.col("employee_id") != "fay")
    assert told("ann", "pay_vs_new_hires", positions=one_new) == (None,)


def test_part_time_pay_is_compared_by_the_hour() -> None:
    pays = table(
        "employee_id happened_on job pay weekly_hours",
        ("ann", "2020-01-01", "nurse", 1000.0, 20.0),
        ("ben", "2020-03-01", "nurse", 2000.0, 40.0),
        ("cat", "2020-06-29", "nurse", 1600.0, 32.0),
        ("dan", "2020-06-30", "nurse", 4000.0, None),
    )
    assert told("ann", "hourly_pay_vs_job", positions=pays) == (1.0,)


def test_the_usual_month_of_raises_is_where_most_of_them_fall() -> None:
    raises = [(one, f"202{y}-04-01", "nurse", 1, 1000.0 + 100 * y) for one in NAMES[:3] for y in (2, 3, 4)]
    raises.append(("dan", "2023-11-15", "nurse", 1, 1500.0))
    pays = posts(*[(one, "2020-07-01", "nurse", 1, 1000.0) for one in NAMES[:4]], *raises)
    months = ("days_since_raise_month", "days_to_raise_month")
    assert told("eve", *months, positions=pays) == (60.0, 305.0)
    assert told("eve", *months, positions=pays, as_of=date(2024, 3, 31)) == (None, None)  # three in two years
    assert told("eve", *months, positions=pays, as_of=date(2024, 4, 1)) == (0.0, 365.0)


def appointed(*rows: tuple[str, str | None, str]) -> pl.DataFrame:
    """Posts of ann, to be read on 2024-05-31."""
    return table("employee_id happened_on contract_ends_on bonus_on", *[("ann", *row) for row in rows])


DUE = ("days_to_contract_end", "days_since_contract_end", "days_to_bonus", "days_since_bonus")


def test_a_day_that_papers_name_comes_nearer_and_then_lies_behind() -> None:
    rows = appointed(("2023-01-01", "2024-06-30", "2024-03-31"))
    assert told("ann", *DUE, positions=rows) == (30.0, None, None, 61.0)
    assert told("ann", *DUE, positions=rows, as_of=date(2024, 3, 31)) == (91.0, None, None, 0.0)


def test_a_bonus_that_was_put_off_before_its_day_has_not_fallen_due() -> None:
    rows = appointed(("2023-01-01", None, "2024-03-31"), ("2024-02-01", None, "2024-06-30"))
    assert told("ann", *DUE[2:], positions=rows) == (30.0, None)
    rows = appointed(("2023-01-01", None, "2024-03-31"), ("2024-04-01", None, "2025-03-31"))
    assert told("ann", *DUE[2:], positions=rows) == (304.0, 61.0)


def test_rated_above_pay_when_better_than_the_others_and_paid_less() -> None:
    """Of four others in the job ann beats three and equals one by rating, and earns more than one of them."""
    pays = posts(
        *[(one, "2020-07-01", "nurse", 1, pay) for one, pay in zip(NAMES, (2.0, 1.0, 3.0, 4.0, 5.0), strict=False)]
    )
    rated = reviews(
        *[(one, "2024-01-01", r, "manager") for one, r in zip(NAMES, (5.0, 5.0, 4.0, 3.0, 1.0), strict=False)]
    )
    columns = ("review_standing_in_job", "pay_standing_in_job", "review_above_pay_in_job")
    assert told("ann", *columns, positions=pays, reviews=rated) == (0.875, 0.25, 0.625)


# ---------------------------------------------------------------------------------------- what must stay with a person


def interviews(*leavers: str) -> dict[str, pl.DataFrame]:
    """Leavers of the department north, each with an exit interview; all but the first name pay."""
    people = [*NAMES[:1], *leavers]
    return {
        "employees": table("employee_id hired_on", *[(one, "2020-01-01") for one in people]),
        "positions": table("employee_id happened_on department", *[(one, "2020-01-01", "north") for one in people]),
        "exits": table("employee_id happened_on kind", *[(one, "2024-03-31", "voluntary") for one in leavers]),
        "exit_interviews": table(
            "employee_id happened_on reason",
            *[(one, "2024-03-20", "pay" if i else "growth") for i, one in enumerate(leavers)],
        ),
    }


def test_exit_interviews_speak_from_three_others_on_and_are_told_to_nobody() -> None:
    columns = ("exit_interviews_pay_share_365d", "exit_interviews_manager_share_365d")
    assert told("ann", *columns, **interviews("x", "y")) == (None, None)
    assert told("ann", *columns, **interviews("x", "y", "z")) == (pytest.approx(2 / 3), 0.0)
    cards = [card for block in BLOCKS for card in block.CARDS if card.column.startswith("exit_interviews_")]
    assert len(cards) == 4
    assert not [card for card in cards if card.shown]


def test_an_own_exit_interview_of_an_earlier_spell_is_not_among_the_others() -> None:
    records = interviews("x", "y", "z")
    again = table("employee_id hired_on", ("x", "2024-05-01"))
    back = records | {"employees": pl.concat([records["employees"].filter(pl.col("employee_id") != "x"), again])}
    assert told("x", "exit_interviews_pay_share_365d", **back) == (None,)
    assert told("ann", "exit_interviews_pay_share_365d", **back) == (pytest.approx(2 / 3),)


def test_past_care_marks_attention_and_is_neither_told_nor_acted_on() -> None:
    care = table(
        "employee_id happened_on action status",
        ("ben", "2023-01-01", "talk", "agreed"),
        ("ben", "2023-01-01", "mentor", "done"),
        ("ann", "2024-03-01", "talk", "agreed"),
        ("ann", "2024-05-01", "talk", "done"),
    )
    columns = ("care_agreed_180d", "care_done_180d", "days_since_care", "care_declined_365d")
    assert told("ann", *columns, care_actions=care) == (1.0, 1.0, 30.0, None)
    cards = [card for block in BLOCKS for card in block.CARDS if card.column in columns]
    assert not [card for card in cards if card.shown or card.actionable]


def test_an_activity_ahead_counts_when_its_announcement_has_a_day() -> None:
    """Without one a snapshot of the past would see a calendar that nobody had written yet."""
    activities = table(
        "activity_id interest happened_on known_on",
        ("a1", "chess", "2024-05-01", None),
        ("a2", "chess", "2024-06-15", "2024-05-20"),
        ("a3", "chess", "2024-06-20", None),
        ("a4", "chess", "2024-06-20", "2024-06-01"),
        ("a5", "choir", "2024-05-02", None),
    )
    liked = table("employee_id happened_on interests", ("ann", "2024-01-01", "hiking; chess"))
    columns = ("liked_activities_180d", "liked_activities_ahead_180d")
    assert told("ann", *columns, aspirations=liked, activities=activities) == (1.0, 1.0)
    assert told("ben", *columns, aspirations=liked, activities=activities) == (None, None)


# -------------------------------------------------------------------------------------------------- goals, and silence


def test_a_goal_done_is_unrecognised_until_somebody_else_says_so() -> None:
    goals = table(
        "goal_id employee_id happened_on progress due_on",
        ("g0", "ben", "2023-01-01", 0.5, None),
        ("g1", "ann", "2024-03-01", 1.0, None),
        ("g2", "ann", "2024-05-10", 1.0, None),
        ("g3", "ann", "2024-04-01", 0.0, "2024-07-30"),
        ("g3", "ann", "2024-05-30", 0.25, None),
    )
    thanks = table(
        "employee_id happened_on kind given_by",
        ("ben", "2023-01-01", "award", None),
        ("ann", "2024-04-01", "peer_thanks", "ben"),
        ("ann", "2024-05-20", "award", "ann"),
    )
    columns = ("goals_finished_365d", "goals_finished_unrecognised_365d", "goals_lag")
    assert told("ann", *columns, goals=goals, recognitions=thanks) == (2.0, 1.0, pytest.approx(60 / 120 - 0.25))


def test_silence_is_measured_by_the_usual_distance_of_recognitions() -> None:
    """Three in 730 days is one in 243; the last came 366 days ago."""
    days = ("2022-06-02", "2023-01-01", "2023-05-31")
    thanks = table("employee_id happened_on kind given_by", *[("ann", day, "award", "ben") for day in days])
    assert told("ann", "recognition_silence_vs_usual", recognitions=thanks) == (pytest.approx(366 / (730 / 3)),)
    fewer = thanks.head(2)
    assert told("ann", "recognition_silence_vs_usual", recognitions=fewer) == (None,)
