"""A plan says what is wrong with it, all at once."""

from datetime import date

import pytest

from features.errors import FixableError
from training.plan import Plan, Rule, load_plan


def test_the_defaults_cut_the_year_into_intervals_no_longer_than_four_months():
    assert Plan().edges == (30, 90, 180, 270, 365)
    assert Plan().gap == 365


def test_a_file_changes_fields_and_keeps_the_rest(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(
        "horizons_days = [30, 60, 90]\nreference_horizon_days = 90\norigins = [2016-08-15]\n"
        '[[eligible]]\ncolumn = "days_since"\nmaximum = 30\n[[apart]]\ncolumn = "location"\nvalues = ["x"]\n',
        encoding="utf-8",
    )
    plan = load_plan(path)
    assert plan.origins == (date(2016, 8, 15),)
    assert plan.eligible == (Rule("days_since", maximum=30),)
    assert plan.apart == (Rule("location", values=("x",)),)
    assert plan.folds == Plan().folds


def test_unknown_fields_and_rules_are_refused_by_name(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text("horizon_days = [30]\n", encoding="utf-8")
    with pytest.raises(FixableError, match="horizon_days"):
        load_plan(path)
    path.write_text('[[eligible]]\ncolumn = "a"\nmost = 3\n', encoding="utf-8")
    with pytest.raises(FixableError, match="most"):
        load_plan(path)
    path.write_text("horizons_days = [", encoding="utf-8")
    with pytest.raises(FixableError, match="cannot be read"):
        load_plan(path)


def test_horizons_that_make_no_sense_are_all_named():
    with pytest.raises(FixableError) as problem:
        Plan(horizons_days=(90, 30), reference_horizon_days=60, every_days=30)
    assert len(problem.value.problems) == 3
