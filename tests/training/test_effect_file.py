"""The file that carries effects to care plans: what it promises, also where nothing can be told."""

import json
from datetime import date

from training.effect_actions import judge_actions
from training.effect_file import HORIZONS, Learned, as_facts, write_effects
from training.effect_verdict import VERDICTS

PROMISED = {
    "treated", "controls", "horizon_days", "risk_difference", "low", "high", "log_hazard_ratio", "standard_error",
    "smallest_detectable", "verdict", "why",
}  # fmt: skip


def learned(trials):
    judged = judge_actions(trials, placebo="card")
    counts = {"card": 900, "talk": 900, "walk": 4}
    return Learned({h: judged for h in HORIZONS}, counts, "care_actions:3", date(2026, 10, 31))


def test_every_action_has_its_line_and_every_line_keeps_the_promise(some_trials, tmp_path):
    facts = as_facts(learned(some_trials), made_on=date(2026, 10, 31))
    path = write_effects(facts, tmp_path)
    told = json.loads(path.read_text(encoding="utf-8"))
    assert (told["format"], told["made_on"], told["data_version"]) == (1, "2026-10-31", "care_actions:3")
    assert set(told["actions"]) == {"card", "talk", "walk"}
    for line in [*told["actions"].values(), told["all_care"]]:
        assert set(line) >= PROMISED
        assert line["verdict"] in VERDICTS
    talk, walk = told["actions"]["talk"], told["actions"]["walk"]
    assert talk["low"] <= talk["risk_difference"] <= talk["high"]
    assert talk["horizon_days"] == 180
    assert talk["other_horizons"][0]["horizon_days"] == 90
    assert (walk["verdict"], walk["risk_difference"]) == ("cannot_tell_yet", None)
    assert "NaN" not in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path], "no draft is left behind"
