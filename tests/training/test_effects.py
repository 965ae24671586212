"""Did it help: a trial is read as it stands, baselines sharpen it, and nothing measured later may explain it away."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.errors import FixableError
from training.effects import effect


def a_trial(n=1600, *, seed=3, odds=0.5):
    """Invented: half are given it at random, leaving depends on tenure and on being given it."""
    rng = np.random.default_rng(seed)
    given, tenure, manager = rng.integers(0, 2, n), rng.gamma(2, 2, n), rng.random(n) < 0.25
    rate = 1 / (1 + np.exp(-(-1.4 - 0.25 * tenure + np.log(odds) * given)))
    left = rng.random(n) < rate
    return pd.DataFrame(
        {
            "person_id": np.arange(n),
            "treatment": given,
            "quit": left.astype(int),
            "tenure": tenure,
            "manager": manager,
            "team": rng.integers(0, 120, n),
        }
    )


def test_the_plain_difference_of_a_trial_is_the_difference_of_the_two_shares():
    table = a_trial()
    found = effect(table, treatment="treatment", outcome="quit", randomised=True).arm
    shares = table.groupby("treatment")["quit"].mean()
    assert found.unadjusted.value == pytest.approx(shares[1] - shares[0])
    assert (found.n_treated, found.n_controls) == tuple(table["treatment"].value_counts()[[1, 0]])
    n1, n0 = found.n_treated, found.n_controls
    textbook = np.sqrt(shares[1] * (1 - shares[1]) / n1 + shares[0] * (1 - shares[0]) / n0)
    assert found.unadjusted.error == pytest.approx(textbook, rel=0.01)


def test_baselines_sharpen_a_trial_and_leave_it_where_it_is():
    found = effect(a_trial(5000), treatment="treatment", outcome="quit", randomised=True)
    assert found.arm.value == pytest.approx(found.arm.unadjusted.value, abs=0.01)
    assert found.arm.adjusted.error <= found.arm.unadjusted.error
    assert found.arm.verdict == "helps"
    assert "tenure" in found.used
    assert str(found.refused["person_id"]) == "numbers the rows"


def test_a_trial_is_never_called_unidentified_because_chance_left_the_arms_a_little_apart():
    verdicts = {
        effect(a_trial(300, seed=seed), treatment="treatment", outcome="quit", randomised=True).arm.verdict
        for seed in range(8)
    }
    assert "not_identified" not in verdicts


def late_columns(table, seed=1):
    rng = np.random.default_rng(seed)
    n, left = len(table), table["quit"] == 1
    return table.assign(
        home_days=2 * table["treatment"] + 0.4 * rng.standard_normal(n),
        mood=np.where(left, np.nan, rng.standard_normal(n)),
        satisfaction_endline=rng.standard_normal(n),
        rating_2022h1=rng.integers(1, 6, n),
        last_score=rng.standard_normal(n),
        reason=np.where(left, "pay", "none"),
    )


WHEN = {"started_at": date(2021, 8, 9), "measured_on": {"last_score": date(2022, 1, 31)}}


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("home_days", "beyond chance"),
        ("mood", "depending on the outcome"),
        ("satisfaction_endline", "its name says"),
        ("rating_2022h1", "not over at the start"),
        ("last_score", "measured on 2022-01-31"),
        ("reason", "tells the outcome"),
    ],
)
def test_a_confounder_measured_after_the_start_is_refused_by_name_of_the_column(column, words):
    table = late_columns(a_trial())
    asked = {"treatment": "treatment", "outcome": "quit", "randomised": True, **WHEN}
    with pytest.raises(FixableError, match=f"{column}: .*{words}"):
        effect(table, confounders=["tenure", column], **asked)
    left_out = effect(table, **asked)
    assert words in left_out.refused[column]
    assert column not in left_out.used


def test_days_may_be_text_and_names_with_a_year_are_told_when_nobody_says_when_it_began():
    table = late_columns(a_trial())[["treatment", "quit", "tenure", "rating_2022h1"]]
    asked = {"treatment": "treatment", "outcome": "quit", "randomised": True}
    assert any("rating_2022h1" in remark for remark in effect(table, **asked).remarks)
    assert "rating_2022h1" in effect(table, started_at="2021-08-09", **asked).refused
    with pytest.raises(FixableError, match="must be a day"):
        effect(table, started_at="soon", **asked)
    with pytest.raises(FixableError, match="confounder "):
        effect(table, confounder=["tenure"], **asked)


def test_what_only_those_with_the_outcome_have_came_with_it():
    table = a_trial().assign(handover=lambda t: np.where((t["quit"] == 1) & (t["tenure"] < 3), 1, 0))
    assert "together with the outcome" in effect(
        table, treatment="treatment", outcome="quit", randomised=True
    ).refused["handover"]  # fmt: skip


def test_a_column_vouched_for_is_not_judged_by_its_name():
    table = a_trial().assign(exit_talk_score=1.0).assign(exit_talk_score=lambda t: t["tenure"] + 1)
    asked = {"treatment": "treatment", "outcome": "quit", "randomised": True, "confounders": ["exit_talk_score"]}
    with pytest.raises(FixableError, match="leaving itself"):
        effect(table, **asked)
    assert effect(table, baseline=["exit_talk_score"], **asked).used == ("exit_talk_score",)


def test_a_fair_trial_keeps_its_baselines():
    """Forty baselines that chance alone made alike: none is refused."""
    rng = np.random.default_rng(0)
    table = a_trial(1000)
    for i in range(40):
        table[f"answer_{'abcdefgh'[i % 8]}{i}"] = rng.standard_normal(len(table))
    found = effect(table, treatment="treatment", outcome="quit", randomised=True)
    assert set(found.refused) == {"person_id"}


def test_words_are_read_as_arms_and_outcomes():
    table = a_trial()
    spoken = table.assign(
        treatment=table["treatment"].map({0: "Control", 1: "Hybrid"}), quit=table["quit"].map({0: "No", 1: "Yes"})
    )
    plain = effect(table, treatment="treatment", outcome="quit", randomised=True, confounders=[])
    found = effect(spoken, treatment="treatment", outcome="quit", randomised=True, confounders=[])
    assert found.arm.value == pytest.approx(plain.arm.value)
    assert (found.arm.name, found.arm.control) == ("Hybrid", "Control")


def test_arms_of_which_none_is_plainly_the_control_must_be_named():
    table = a_trial().assign(treatment=lambda t: t["treatment"].map({0: "mon", 1: "tue"}))
    with pytest.raises(FixableError, match="given nothing"):
        effect(table, treatment="treatment", outcome="quit", randomised=True)
    assert effect(table, treatment="treatment", outcome="quit", randomised=True, control="mon").arm.name == "tue"


def test_several_arms_are_each_compared_with_the_control():
    rng = np.random.default_rng(5)
    n = 6000
    arm = rng.choice(["No E-Mail", "Mens E-Mail", "Womens E-Mail"], n)
    history = rng.gamma(2, 1, n)
    rate = 0.10 + 0.08 * (arm == "Mens E-Mail") + 0.04 * (arm == "Womens E-Mail") + 0.02 * (history > 2)
    visit = rng.random(n) < rate
    table = pd.DataFrame({"segment": arm, "visit": visit.astype(int), "history": history})
    table["spend"] = np.where(visit, rng.gamma(2, 20, n), 0.0)
    found = effect(table, treatment="segment", outcome="visit", randomised=True, higher_is_better=True)
    sizes = {a.name: a for a in found.arms}
    assert found.arms[0].control == "No E-Mail"
    assert sizes["Mens E-Mail"].interval[0] < 0.08 < sizes["Mens E-Mail"].interval[1]
    assert sizes["Womens E-Mail"].interval[0] < 0.04 < sizes["Womens E-Mail"].interval[1]
    assert "spend" in found.refused
    with pytest.raises(FixableError, match="several arms"):
        _ = found.arm


def test_what_is_missing_from_a_table_is_told_at_once():
    with pytest.raises(FixableError, match="salary") as refusal:
        effect(a_trial(), treatment="treatment", outcome="left", confounders=["salary"])
    assert {"left", "salary"} <= set(refusal.value.problems)


def test_too_few_rows_or_exits_end_the_matter():
    small = effect(a_trial(40), treatment="treatment", outcome="quit", randomised=True, confounders=[]).arm
    assert small.verdict == "cannot_tell_yet"


def test_days_to_the_outcome_give_a_hazard_ratio_and_count_only_what_was_watched():
    rng = np.random.default_rng(2)
    n = 3000
    given = rng.integers(0, 2, n)
    to_exit, to_end = rng.exponential(600 / np.where(given, 0.6, 1.0)), rng.uniform(100, 400, n)
    table = pd.DataFrame(
        {"t": given, "watched": np.minimum(to_exit, to_end).round(1), "gone": (to_exit <= to_end).astype(int)}
    )
    found = effect(table, treatment="t", outcome="gone", days="watched", horizon_days=180, randomised=True).arm
    assert found.hazard.low < 0.6 < found.hazard.high
    truth = np.exp(-180 / 600) - np.exp(-0.6 * 180 / 600)
    assert found.interval[0] < truth < found.interval[1]
    assert found.adjusted.log_ratio == pytest.approx(np.log(0.6), abs=0.2)


def hidden_world(n=6000, *, hidden=0.0, seed=0):
    rng = np.random.default_rng(seed)
    worry, unseen, team = rng.standard_normal(n), rng.standard_normal(n), rng.integers(0, 300, n)
    given = rng.random(n) < 1 / (1 + np.exp(-(-2 + worry + hidden * unseen)))
    left = rng.random(n) < 1 / (1 + np.exp(-(-2.2 + 0.8 * worry - 0.6 * given + 0.8 * unseen)))
    sick = (0.4 * unseen + rng.standard_normal(n)).round(3)
    return pd.DataFrame({"care": given, "quit": left, "worry": worry, "team": team, "sick_notes_last_year": sick})


def test_records_with_everything_recorded_give_the_effect_that_the_plain_difference_misses():
    rng = np.random.default_rng(1)
    n = 8000
    worry = rng.standard_normal(n)
    given = rng.random(n) < 1 / (1 + np.exp(-(-1.5 + worry)))
    chance = [1 / (1 + np.exp(-(-2.2 + 0.9 * worry - 0.7 * g))) for g in (0, 1)]
    left = rng.random(n) < np.where(given, chance[1], chance[0])
    truth = (chance[1] - chance[0])[given].mean()
    found = effect(pd.DataFrame({"care": given, "quit": left, "worry": worry}), treatment="care", outcome="quit").arm
    assert found.unadjusted.value > 0 > truth
    assert found.interval[0] < truth < found.interval[1]
    worst = max(abs(row.after) for row in found.balance)
    assert worst < 0.1 < max(abs(row.before) for row in found.balance)


def test_a_negative_control_that_moves_says_that_something_unrecorded_decided():
    asked = {"treatment": "care", "outcome": "quit", "cluster": "team", "confounders": ["worry"]}
    asked["negative_controls"] = ["sick_notes_last_year"]
    clean, dirty = (effect(hidden_world(hidden=h), **asked).arm for h in (0.0, 0.9))
    assert not clean.tests[0].flagged
    assert clean.verdict == "helps"
    assert dirty.verdict == "not_identified"
    assert "hidden_confounding" in dirty.why


def test_records_without_any_control_say_how_little_it_would_take_to_undo_them():
    found = effect(hidden_world(hidden=0.9), treatment="care", outcome="quit", confounders=["worry"]).arm
    assert found.verdict == "not_identified"
    assert found.hidden.as_strong_as == "worry"
    assert found.hidden.e_value >= 1
