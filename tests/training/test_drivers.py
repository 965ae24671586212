"""What a driver adds: a panel whose exits follow one driver alone, a rule on a column that is left out, the words."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from features.cards import Card
from features.errors import FixableError
from features.snapshots import month_ends
from training.cli import app
from training.drivers import BETTER, MIXED, SAME, UNTOLD, WORSE, contributions, verdict
from training.evaluate import Interval
from training.fit import Ground, Panel
from training.plan import Plan, Rule
from training.splits import rolling_origins

CLOSED = date(2024, 12, 31)
PLAN = Plan(horizons_days=(30, 90), reference_horizon_days=90, origins=2, folds=2)


def card(column, driver):
    return Card(column, driver, "count", column, "{value}", "{value}", expected=1)


CARDS = (
    card("tenure_days", "context"),
    card("overtime_hours_90d", "workload"),
    card("pay_position", "pay"),
    card("thanks_90d", "recognition"),
)


def ground(*, n_people=400, strength=1.2, seed=3, plan=PLAN):
    """People whose monthly chance to leave rises with overtime; pay is noise, and nobody recorded thanks."""
    draw = np.random.default_rng(seed)
    days, rows = month_ends(date(2023, 1, 31), CLOSED), []
    overtime, pay = draw.normal(size=n_people), draw.normal(size=n_people)
    chance = 1 / (1 + np.exp(3.8 - strength * overtime))
    left_after = draw.geometric(chance)
    for i, day in enumerate(days):
        for who in np.flatnonzero(left_after > i):
            notice = days[left_after[who]] if left_after[who] < len(days) else None
            follow_up = (CLOSED - day).days
            time = (notice - day).days if notice else follow_up
            rows.append((f"p{who:03}", day, float(time), int(notice is not None), float(follow_up), i, who))
    frame = pd.DataFrame(rows, columns=["employee_id", "as_of", "time", "event", "follow_up", "i", "who"])
    who = frame["who"].to_numpy()
    known = pd.DataFrame(
        {
            "tenure_days": frame["i"] * 30.0 + who % 7 * 100,
            "overtime_hours_90d": overtime[who],
            "pay_position": pay[who] + draw.normal(size=len(who)) / 10,
            "thanks_90d": np.nan,
        }
    )
    index = frame[["employee_id", "as_of", "time", "event", "follow_up"]]
    splits = rolling_origins(sorted(set(frame["as_of"])), plan, closed_on=CLOSED)
    return Ground(plan, Panel(index, known, CARDS, CLOSED), tuple(splits), {}, {})


@pytest.fixture(scope="module")
def found():
    return contributions(ground(), quick=True)


def by_driver(found):
    return {one.driver: one for one in found.drivers}


def test_the_driver_that_people_leave_for_is_missed_and_the_noise_is_not(found):
    drivers = by_driver(found)
    assert verdict(drivers["workload"].left_out[90]) == WORSE
    assert drivers["workload"].left_out[90]["auc"].value > 0.1
    assert drivers["workload"].alone[90]["auc"].low > 0.05
    assert abs(drivers["pay"].left_out[90]["auc"].value) < 0.03
    assert found.whole[90]["auc"].value > 0.65


def test_a_driver_without_a_record_is_told_so_and_is_not_refitted(found):
    thanks = by_driver(found)["recognition"]
    assert (thanks.columns, thanks.left_out, thanks.alone) == ((), {}, {})
    assert verdict(thanks.left_out) == UNTOLD


def test_the_differences_are_those_of_the_two_models_and_there_is_one_per_horizon(found):
    workload = by_driver(found)["workload"]
    assert set(workload.left_out) == set(found.whole) == {30, 90}
    alone = workload.alone[90]["auc"].value + found.context[90]["auc"].value
    without_pay = found.whole[90]["auc"].value - by_driver(found)["pay"].left_out[90]["auc"].value
    assert alone == pytest.approx(without_pay), "context and workload is all but pay, where nothing else is recorded"


def test_leaving_out_is_the_same_again_for_the_same_seed(found):
    again = contributions(ground(), quick=True)
    pd.testing.assert_frame_equal(again.table(), found.table())


def test_a_rule_of_the_plan_may_stand_on_a_column_that_is_left_out():
    plan = replace(PLAN, apart=(Rule("overtime_hours_90d", minimum=1.5),))
    told = contributions(ground(plan=plan), quick=True)
    assert by_driver(told)["workload"].left_out[90]


def test_the_kind_that_fit_would_choose_is_learned_again():
    plan = replace(PLAN, horizons_days=(90,), origins=1)
    told = contributions(ground(n_people=300, plan=plan))
    assert set(told.kinds) <= {"prior", "linear", "blend", "boosted"}
    assert verdict(by_driver(told)["workload"].left_out[90]) == WORSE


def test_nothing_is_left_out_of_a_base_rate_and_the_message_says_what_to_do():
    few = ground(n_people=30, strength=-2.0)
    with pytest.raises(FixableError, match="base rate") as refused:
        contributions(few)
    assert any("--quick" in problem for problem in refused.value.problems)


def test_the_words_claim_no_more_than_the_intervals():
    above, below, over = Interval(0.2, 0.1, 0.3), Interval(-0.2, -0.3, -0.1), Interval(0.1, -0.1, 0.3)
    assert verdict({"auc": over, "average_precision": over}) == SAME
    assert verdict({"auc": above, "average_precision": over}) == WORSE
    assert verdict({"auc": over, "average_precision": below}) == BETTER
    assert verdict({"auc": above, "average_precision": below}) == MIXED


def test_the_command_prints_a_table_per_horizon_and_keeps_it(tmp_path):
    run = CliRunner()
    state = ["--state", str(tmp_path)]
    plan = tmp_path / "plan.toml"
    plan.write_text("horizons_days = [30, 90]\nreference_horizon_days = 90\norigins = 1\nfolds = 2\n")
    assert run.invoke(app, ["company", "--people", "120", "--months", "18", *state]).exit_code == 0
    assert run.invoke(app, ["import", str(tmp_path / "records"), *state]).exit_code == 0
    told = run.invoke(app, ["drivers", "--plan", str(plan), "--quick", *state])
    assert told.exit_code == 0, told.output
    assert "Within 30 days." in told.output
    assert "Within 90 days." in told.output
    assert "What helps to forecast is not what makes people leave." in " ".join(told.output.split())
    kept = pd.read_csv(tmp_path / "evaluation" / "drivers.csv")
    assert set(kept["comparison"]) == {"left_out", "alone"}
    assert set(kept["metric"]) == {"auc", "average_precision"}
