"""A trial is read as it is handed over: any separator and encoding, words for arms, days of leaving, teams drawn."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.errors import FixableError
from training.effect_tables import measured_list, read_table
from training.effects import effect


def a_trial(n=1200, seed=4):
    rng = np.random.default_rng(seed)
    arm, tenure = rng.integers(0, 2, n), rng.gamma(2, 2, n).round(2)
    left = rng.random(n) < 1 / (1 + np.exp(-(-1.2 - 0.2 * tenure - 0.7 * arm)))
    return pd.DataFrame({"employee_id": np.arange(n) + 500, "arm": arm, "tenure": tenure, "left": left.astype(int)})


def asked(table, **more):
    return effect(table, **{"treatment": "arm", "outcome": "left", "randomised": True, **more})


@pytest.mark.parametrize(
    ("written", "encoding"), [({"sep": ";", "decimal": ","}, "utf-8-sig"), ({"sep": "\t"}, "gb18030"), ({}, "utf-16")]
)
def test_any_separator_encoding_and_decimal_comma_give_the_same_answer(tmp_path, written, encoding):
    table = a_trial()
    table.to_csv(tmp_path / "t.csv", index=False, encoding=encoding, **written)
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv"), table, check_dtype=False)


def test_an_arm_called_none_is_an_arm_and_a_number_that_is_none_is_blank(tmp_path):
    (tmp_path / "t.csv").write_text("arm,score,code\nNone,1,007\nmentor,None,012\n", encoding="utf-8")
    found = read_table(tmp_path / "t.csv")
    assert found["arm"].tolist() == ["None", "mentor"]
    assert found["score"].isna().tolist() == [False, True]
    assert found["code"].tolist() == ["007", "012"]


@pytest.mark.parametrize(
    ("words", "control"),
    [
        (("business as usual", "mentor"), "business as usual"),
        (("Standard", "Flexible"), "Standard"),
        (("office", "Treatment"), "office"),
        (("常规组", "实验组"), "常规组"),
        (("not offered", "offered"), "not offered"),
        (("Waitlist", "Course"), "Waitlist"),
    ],
)
def test_words_for_arms_are_understood(words, control):
    table = a_trial(300)
    found = asked(table.assign(arm=[words[a] for a in table["arm"]])).arm
    assert found.control == control


def test_a_day_of_leaving_is_an_outcome_and_a_blank_has_stayed():
    table = a_trial()
    rng = np.random.default_rng(1)
    day = pd.Series(pd.Timestamp("2021-08-09") + pd.to_timedelta(rng.integers(1, 200, len(table)), "D"))
    spoken = table.drop(columns="left").assign(exit_date=day.dt.strftime("%Y-%m-%d").where(table["left"] == 1))
    found = asked(spoken, outcome="exit_date")
    assert found.arm.value == pytest.approx(asked(table).arm.value)
    assert "blank row stayed" in found.remarks[0]
    early = asked(spoken, outcome="exit_date", started_at="2021-08-09", horizon_days=90)
    assert early.arm.events == int((day[table["left"] == 1] <= pd.Timestamp("2021-11-07")).sum())
    later = asked(spoken, outcome="exit_date", started_at="2021-09-09")
    assert any("before the start" in remark for remark in later.remarks)
    assert later.arm.n_treated + later.arm.n_controls < len(table)
    word = table.assign(left=pd.Series("Left", index=table.index).where(table["left"] == 1))
    assert asked(word).arm.value == pytest.approx(asked(table).arm.value)


def drawn_by_team(n=1200, teams=30, seed=0):
    rng = np.random.default_rng(seed)
    team = rng.integers(0, teams, n)
    given, mood = rng.permutation(np.arange(teams) % 2), 0.5 * rng.standard_normal(teams)
    left = rng.random(n) < 1 / (1 + np.exp(-(-1.2 + mood[team])))
    return pd.DataFrame({"store": [f"s{t}" for t in team], "arm": given[team], "left": left.astype(int)})


def test_whole_teams_that_were_drawn_are_counted_and_not_their_people():
    table = drawn_by_team()
    found = asked(table)
    assert found.question.cluster == "store"
    assert any("30 of store were drawn" in remark for remark in found.remarks)
    people = asked(table.assign(row=range(len(table))), cluster="row").arm
    assert found.arm.adjusted.error > 1.2 * people.adjusted.error
    assert asked(a_trial().assign(team=lambda t: t.index % 40)).question.cluster is None


def test_sessions_attended_are_no_team_and_rows_of_one_person_are_one_person():
    table = a_trial()
    rng = np.random.default_rng(2)
    assert asked(table.assign(sessions=table["arm"] * rng.integers(1, 9, len(table)))).question.cluster is None
    twice = pd.concat([table, table], ignore_index=True)
    found = asked(twice)
    assert found.question.cluster == "employee_id"
    assert found.arm.unadjusted.error == pytest.approx(asked(table).arm.unadjusted.error, rel=0.01)


def test_intervals_over_few_unequal_teams_hold_the_truth_as_often_as_they_say():
    rng, held, n = np.random.default_rng(8), [], 300
    for _ in range(n):
        team = rng.choice(12, 500, p=rng.dirichlet(np.full(12, 3.0)))
        given, mood = rng.permutation(np.arange(12) % 2), 0.35 * rng.standard_normal(12)
        left = rng.random(500) < 1 / (1 + np.exp(-(-1.2 + mood[team])))
        table = pd.DataFrame({"team": team, "arm": given[team], "left": left.astype(int)})
        low, high = (lambda e: (e.low, e.high))(asked(table, cluster="team", confounders=[]).arm.unadjusted)
        held.append(low <= 0 <= high)
    assert np.mean(held) > 0.95 - 2.5 * np.sqrt(0.05 * 0.95 / n)


def test_strata_drawn_with_different_chances_are_weighed_and_not_refused():
    rng, n = np.random.default_rng(3), 6000
    north = rng.random(n) < 0.6
    arm = (rng.random(n) < np.where(north, 0.3, 0.7)).astype(int)
    left = (rng.random(n) < np.where(north, 0.1, 0.4) - 0.06 * arm).astype(int)
    table = pd.DataFrame({"site": np.where(north, "n", "s"), "arm": arm, "left": left})
    plain, found = asked(table), asked(table, strata=["site"])
    assert plain.arm.value > 0.05
    assert "--strata" in plain.refused["site"]
    for one in (found.arm.unadjusted, found.arm.adjusted):
        assert one.low < -0.06 < one.high < 0
    assert found.used == ("site",)
    assert found.arm.verdict == "helps"


def test_arms_of_which_unequal_parts_were_lost_are_told():
    table = a_trial()
    rng = np.random.default_rng(5)
    lost = rng.random(len(table)) < 0.03 + 0.15 * table["arm"]
    found = asked(table.assign(left=table["left"].astype(float).where(~lost)))
    assert any("may no longer be alike" in remark for remark in found.remarks)


def test_a_copy_of_the_arm_is_no_baseline():
    found = asked(a_trial().assign(eligible=lambda t: t["arm"].map({0: "never", 1: "twice a week"})))
    assert "in other words" in found.refused["eligible"]


def test_a_list_says_when_what_was_measured_in_days_or_words(tmp_path):
    listed = tmp_path / "columns.csv"
    listed.write_text(
        "Variable;When\ntenure;baseline\nmood;six months after\nscore;2024-06-30\nrest;\n", encoding="utf-8"
    )
    assert measured_list(listed) == {"tenure": "before", "mood": "after", "score": date(2024, 6, 30)}
    listed.write_text("column,measured_on\nmood,some day\n", encoding="utf-8")
    with pytest.raises(FixableError, match="mood"):
        measured_list(listed)
    rng = np.random.default_rng(1)
    table = a_trial().assign(mood=lambda t: rng.standard_normal(len(t)))
    assert "said to have been measured after" in asked(table, measured_on={"mood": "after"}).refused["mood"]
    with pytest.raises(FixableError, match="mood"):
        asked(table, measured_on={"mood": "after"}, confounders=["mood"])


def test_a_span_of_time_that_may_lie_on_either_side_is_told_until_somebody_says() -> None:
    rng = np.random.default_rng(1)
    table = a_trial().assign(wellbeing_6m=lambda t: rng.standard_normal(len(t)))
    assert any("wellbeing_6m" in remark for remark in asked(table).remarks)
    assert not asked(table, baseline=["wellbeing_6m"]).remarks
    assert "wellbeing_6m" in asked(table, measured_on={"wellbeing_6m": "after"}).refused


def test_rows_that_are_cut_short_are_named(tmp_path):
    (tmp_path / "t.csv").write_text("arm,left\n1,0\n0\n", encoding="utf-8")
    with pytest.raises(FixableError, match="row 3"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(FixableError, match="save it as CSV"):
        read_table(tmp_path / "t.xlsx")
