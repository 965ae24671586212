"""From a row to an assessment, with a model whose arithmetic is known exactly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import exp, isnan

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.cards import DRIVERS, Card
from features.matrix import Matrix
from models.assess import Assessment, assess
from models.bundle import Bundle
from models.card import ModelCard
from models.care import EMPTY, Carried, load_catalog, plan
from models.explain import Reason
from models.known import Known
from models.learn import KINDS, Settings, fit_hazards, plain_landmarks
from models.own_effects import Own, OwnEffects
from models.risk import Said

CATALOG = load_catalog()
AS_OF = date(2026, 6, 30)
SECRET = "close ties outside"

CARDS = (
    Card("tenure_days", "context", "days", "", "{value} with the organisation", "入职已 {value}", actionable=False),
    Card("days_since_promotion", "growth", "days", "", "{value} without a promotion", "已有 {value} 未晋升"),
    Card("courses", "growth", "count", "", "{value} courses finished", "完成课程 {value} 门"),
    Card("compa_ratio", "pay", "ratio", "", "pay at {value} of the market", "薪酬为市场的 {value} 倍"),
    Card("overtime", "workload", "hours", "", "{value} of overtime", "加班 {value}"),
    Card("thanks", "recognition", "count", "", "{value} times thanked", "被感谢 {value} 次"),
    Card("one_on_ones", "manager", "count", "", "{value} one-on-ones", "一对一 {value} 次"),
    Card("answers", "engagement", "share", "", "{value} of surveys answered", "问卷完成率 {value}"),
    Card("ties", "belonging", "count", "", "{value} " + SECRET, "外部联系 {value} 个", shown=False),
    Card("appeals", "fairness", "flag", "", "an appeal this year", "今年提出过申诉"),
)
USUAL = dict(zip([c.column for c in CARDS], [900.0, 400.0, 2.0, 1.0, 10.0, 3.0, 6.0, 0.8, 5.0, 0.0], strict=True))
WEIGHT = dict(zip(USUAL, [-3e-4, 1e-3, -0.1, -2.0, 0.02, -0.05, -0.05, -0.8, -0.04, 0.5], strict=True))


@dataclass(frozen=True)
class KnownModel:
    """Log-odds of leaving within half a year: a base plus weight × (value − usual value), an unknown value adding 0."""

    columns: tuple[str, ...] = tuple(USUAL)
    base: float = -3.0

    def said(self, known: Known, horizons_days: Sequence[int]) -> Said:
        rows = pd.DataFrame(known.of(self.columns), columns=list(self.columns))
        told = self.cumulative_incidence(rows, horizons_days), self.interval(rows, horizons_days)
        return Said(*told, *self.contributions(rows))

    def contributions(self, rows: pd.DataFrame) -> tuple[float, np.ndarray]:
        parts = [
            WEIGHT[c] * (rows[c].to_numpy() - USUAL[c]) if c in rows else np.zeros(len(rows)) for c in self.columns
        ]
        return self.base, np.nan_to_num(np.column_stack(parts))

    def log_odds(self, rows: pd.DataFrame) -> np.ndarray:
        return self.base + self.contributions(rows)[1].sum(axis=1)

    def cumulative_incidence(self, rows: pd.DataFrame, horizons_days: Sequence[int]) -> np.ndarray:
        half_year = 0.5 + 0.5 * np.tanh(self.log_odds(rows) / 2)
        leave = 1 - (1 - half_year[:, None]) ** (np.array(horizons_days) / 180)
        other = np.full_like(leave, 0.01) * (1 - leave)
        return np.stack([1 - leave - other, leave, other], axis=2)

    def interval(self, rows: pd.DataFrame, horizons_days: Sequence[int]) -> np.ndarray:
        leave = self.cumulative_incidence(rows, horizons_days)[:, :, 1]
        return np.stack([leave / 2, np.minimum(1.0, leave * 1.5)], axis=2)


MODEL_CARD = ModelCard(
    name="known",
    model_kind="linear",
    trained_on="2026-01-31",
    labels_closed_on="2026-06-30",
    horizons_days=(30, 90, 180, 365),
    reference_horizon_days=180,
    base_rate={30: 0.01, 90: 0.03, 180: 0.05, 365: 0.1},
    bands={"watch": 0.1, "act": 0.2},
    band_evidence={},
    typical=USUAL,
    missing_share=dict.fromkeys(USUAL, 0.1),
    cards=CARDS,
    data_versions={},
    n_people=100,
    n_exits=20,
)
BUNDLE = Bundle(KnownModel(), MODEL_CARD, "1", "0" * 64)  # type: ignore[arg-type]


def a_matrix(*rows: dict[str, float | None], cards: tuple[Card, ...] = CARDS) -> Matrix:
    """One person per row, e1, e2, …; what is not given has its usual value."""
    columns = {c.column: [{**USUAL, **row}[c.column] for row in rows] for c in cards}
    index = {"employee_id": [f"e{i + 1}" for i in range(len(rows))], "as_of": [AS_OF] * len(rows)}
    types = {"employee_id": pl.String, "as_of": pl.Date, **dict.fromkeys(columns, pl.Float64)}
    return Matrix(pl.DataFrame({**index, **columns}, schema=types), cards)


def said_of(row: dict[str, float | None], bundle: Bundle = BUNDLE) -> Assessment:
    (only,) = assess(bundle, a_matrix(row), catalog=CATALOG)
    return only


values = st.fixed_dictionaries({}, optional={c: st.one_of(st.none(), st.floats(0, 2000)) for c in USUAL})


@settings(max_examples=40, deadline=None)
@given(st.lists(values, min_size=1, max_size=4))
def test_reasons_and_base_add_up_to_the_score(rows: list[dict]) -> None:
    matrix = a_matrix(*rows)
    truth = KnownModel().log_odds(matrix.to_pandas())
    for i, a in enumerate(assess(BUNDLE, matrix, catalog=CATALOG)):
        if a.band == "cannot_judge":
            continue
        assert a.base + sum(r.contribution for r in a.reasons) == pytest.approx(a.score, abs=1e-9)
        assert a.score == pytest.approx(truth[i], abs=1e-9 * max(1, abs(truth[i])))
        assert {r.driver for r in a.reasons} == set(DRIVERS)


@settings(max_examples=40, deadline=None)
@given(st.lists(values, min_size=1, max_size=4))
def test_a_person_alone_is_assessed_as_in_a_batch(rows: list[dict]) -> None:
    matrix = a_matrix(*rows)
    alone = [
        assess(BUNDLE, Matrix(matrix.frame[i : i + 1], CARDS), catalog=CATALOG)[0].to_dict() for i in range(len(rows))
    ]
    assert alone == [a.to_dict() for a in assess(BUNDLE, matrix, catalog=CATALOG)]


@settings(max_examples=40, deadline=None)
@given(values)
def test_what_is_hidden_is_nowhere_in_an_assessment(row: dict) -> None:
    told = json.dumps(said_of(row).to_dict(), ensure_ascii=False)
    assert SECRET not in told
    assert "外部联系" not in told
    assert '"ties"' not in told


@settings(max_examples=40, deadline=None)
@given(values)
def test_an_assessment_is_json_without_anything_that_json_does_not_know(row: dict) -> None:
    a = said_of(row)
    back = json.loads(json.dumps(a.to_dict(), allow_nan=False))
    assert back["as_of"] == "2026-06-30"
    assert set(back["risk"]) == {"30", "90", "180", "365"}
    if a.band == "cannot_judge":
        assert set(back["risk"].values()) == {None}
        assert back["score"] is None


def overtime_for(risk: float) -> float:
    """Return the overtime at which the known model says exactly this risk at 180 days."""
    return USUAL["overtime"] + (np.log(risk / (1 - risk)) + 3.0) / WEIGHT["overtime"]


@pytest.mark.parametrize(
    ("risk", "band"), [(0.05, "calm"), (0.0999, "calm"), (0.1001, "watch"), (0.1999, "watch"), (0.2001, "act")]
)
def test_the_band_is_the_absolute_risk_at_the_reference_horizon(risk: float, band: str) -> None:
    a = said_of({"overtime": overtime_for(risk)})
    assert a.risk[180] == pytest.approx(risk)
    assert a.band == band
    assert list(a.risk) == list(a.interval) == [30, 90, 180, 365]
    assert a.interval[180] == pytest.approx((risk / 2, risk * 1.5))
    assert a.risk[30] < a.risk[90] < a.risk[180] < a.risk[365]


def test_a_story_reads_from_risk_to_reasons_to_care() -> None:
    a = said_of({"days_since_promotion": 1500.0, "compa_ratio": 0.8, "thanks": 12.0})
    strongest, second = a.reasons[:2]
    assert (strongest.driver, strongest.direction) == ("growth", "raises")
    assert strongest.factor == pytest.approx(exp(1.1))
    assert strongest.facts[0].text_en == "4.1 years without a promotion (typical here: 13 months)"
    assert (second.driver, second.direction) == ("recognition", "keeps")
    assert next(r for r in a.reasons if r.driver == "pay").direction == "raises"
    assert a.band == "watch"
    assert {p.driver for p in a.plan.actions} <= {"growth", "pay"}
    assert "pay_review" in {p.action for p in a.plan.actions}
    assert a.cannot_judge_en is None


def test_a_calm_person_has_reasons_and_an_empty_plan_that_says_why() -> None:
    a = said_of({})
    assert a.band == "calm"
    assert len(a.reasons) == len(DRIVERS)
    assert a.plan.actions == ()
    assert a.plan.empty_because_en == EMPTY["calm"][0]


@pytest.mark.parametrize(("n_missing", "judged"), [(3, True), (4, False)])
def test_nothing_is_said_when_more_than_thirty_per_cent_is_missing(n_missing: int, judged: bool) -> None:
    a = said_of(dict.fromkeys(["courses", "compa_ratio", "overtime", "thanks"][:n_missing]))
    assert (a.band != "cannot_judge") is judged
    if not judged:
        assert all(isnan(x) for x in (*a.risk.values(), *a.other.values(), a.score, a.base))
        assert a.reasons == ()
        assert a.cannot_judge_en == (
            "Cannot judge: no record for 4 of 10 facts that are usually known. "
            "Areas with gaps: growth, recognition, workload, pay."
        )
        assert a.cannot_judge_zh is not None
        assert "认可、工作负荷、薪酬" in a.cannot_judge_zh
        assert a.plan.empty_because_en == EMPTY["cannot_judge"][0]


def test_a_column_that_was_mostly_missing_at_training_is_not_missed() -> None:
    rare = {"courses": 0.6, "compa_ratio": 0.5, "overtime": 0.9, "thanks": 0.7}
    card = replace(MODEL_CARD, missing_share={**MODEL_CARD.missing_share, **rare})
    assert said_of(dict.fromkeys(rare), replace(BUNDLE, card=card)).band != "cannot_judge"


@pytest.mark.parametrize(
    ("rule", "row", "judged"),
    [
        ({"column": "tenure_days", "minimum": 90.0, "maximum": None, "values": ()}, {"tenure_days": 90.0}, True),
        ({"column": "tenure_days", "minimum": 90.0, "maximum": None, "values": ()}, {"tenure_days": 89.0}, False),
        ({"column": "tenure_days", "minimum": 90.0, "maximum": None, "values": ()}, {"tenure_days": None}, False),
        ({"column": "tenure_days", "minimum": None, "maximum": 800.0, "values": ()}, {"tenure_days": 900.0}, False),
    ],
)
def test_people_unlike_those_it_learned_from_get_no_score(rule: dict, row: dict, judged: bool) -> None:
    a = said_of(row, replace(BUNDLE, card=replace(MODEL_CARD, eligible=(rule,))))
    assert (a.band != "cannot_judge") is judged
    if not judged:
        assert a.cannot_judge_en is not None
        assert a.cannot_judge_en.startswith("Cannot judge: the model was learned from another group of people (here: ")


def test_a_rule_on_a_hidden_column_keeps_its_secret() -> None:
    rule = {"column": "ties", "minimum": 3.0, "maximum": None, "values": ()}
    a = said_of({"ties": 1.0}, replace(BUNDLE, card=replace(MODEL_CARD, eligible=(rule,))))
    assert a.cannot_judge_en == "Cannot judge: the model was learned from another group of people."


def test_a_feed_that_is_gone_counts_as_missing_for_everybody() -> None:
    fewer = tuple(c for c in CARDS if c.driver not in ("workload", "pay", "manager", "engagement"))
    for a in assess(BUNDLE, a_matrix({}, {}, cards=fewer), catalog=CATALOG):
        assert a.band == "cannot_judge"
        assert a.cannot_judge_en is not None
        assert "workload, pay, manager, engagement" in a.cannot_judge_en


def test_nobody_in_nobody_out() -> None:
    assert assess(BUNDLE, a_matrix(), catalog=CATALOG) == []


def test_a_model_that_reads_a_column_without_a_card_is_a_bug() -> None:
    with pytest.raises(ValueError, match="without a card: appeals"):
        said_of({}, replace(BUNDLE, card=replace(MODEL_CARD, cards=CARDS[:-1])))


def test_reasons_speak_of_records_and_never_of_causes() -> None:
    a = said_of({"overtime": 60.0})
    workload: Reason = a.reasons[0]
    assert workload.driver == "workload"
    assert workload.text_en == (
        "Workload: 60 hours of overtime (typical here: 10 hours), which goes with a much higher risk, "
        "about 2.7 times the usual."
    )
    assert workload.text_zh == (
        "工作负荷：加班 60 小时（这里常见为 10 小时），往往伴随高得多的离职风险，约为一般情况的 2.7 倍。"
    )


@pytest.fixture(scope="module")
def learned() -> dict:
    """A model of every kind, learned from 300 invented people, with gaps and a category."""
    chance = np.random.default_rng(5)
    rows = pd.DataFrame({c: USUAL[c] + chance.normal(size=300) for c in ("courses", "thanks", "compa_ratio")})
    rows.loc[chance.random(300) < 0.2, "thanks"] = np.nan
    rows["site"] = np.where(chance.random(300) < 0.5, "north", "south")
    days = chance.exponential(500 * np.exp(0.7 * rows["courses"].to_numpy() - 1.4))
    landmarks = plain_landmarks(rows, np.minimum(days, 400), (days < 400).astype(int))
    return {"rows": rows, "models": fit_hazards(landmarks, Settings(max_rounds=30, folds=3, min_exits=5)).models}


@pytest.mark.parametrize("kind", KINDS)
def test_a_learned_model_of_every_kind_is_told_in_full(kind: str, learned: dict) -> None:
    site = Card("site", "context", "category", "", "works at {value}", "工作地点：{value}", kind="category")
    cards = (*(c for c in CARDS if c.column in learned["rows"]), site)
    frame = pl.from_pandas(learned["rows"][[c.column for c in cards]][:30]).fill_nan(None)
    index = pl.DataFrame({"employee_id": [f"e{i:02d}" for i in range(30)], "as_of": [AS_OF] * 30})
    matrix = Matrix(pl.concat([index, frame], how="horizontal"), cards)
    card = replace(MODEL_CARD, cards=cards, missing_share=dict.fromkeys(learned["rows"], 0.2), eligible=())
    model = learned["models"][kind]
    told = assess(Bundle(model, card, "1", "0" * 64), matrix, catalog=CATALOG)
    judged = [i for i, a in enumerate(told) if a.band != "cannot_judge"]
    assert len(judged) > 15
    truth = model.log_odds(matrix.to_pandas())
    for i in judged:
        a = told[i]
        assert a.score == pytest.approx(truth[i], abs=1e-9)
        assert a.base + sum(r.contribution for r in a.reasons) == pytest.approx(a.score, abs=1e-9)
        assert "forecast_interval" not in json.dumps(a.to_dict())


def test_options_count_only_what_is_left_of_the_risk_once_care_can_begin() -> None:
    a = said_of({"overtime": overtime_for(0.3)})
    late = a.risk[180] - a.risk[30]
    raised = Carried({"workload": 1.0}, {"workload": 1.0})
    facts = {**USUAL, "overtime": overtime_for(0.3)}
    told = {c.column: facts[c.column] for c in CARDS if c.shown}
    assert a.plan.options == plan(raised, told, band="act", catalog=CATALOG, risk=late).options
    assert a.plan.options


def test_own_cases_reach_the_plan_of_a_person() -> None:
    seen = Own(400, 3000, 180, "harms", log_hazard_ratio=0.4, standard_error=0.03)
    own = OwnEffects(AS_OF, "1", {"flexible_hours": seen})
    matrix = a_matrix({"overtime": overtime_for(0.3)})
    before, after = (assess(BUNDLE, matrix, catalog=CATALOG, own=o)[0] for o in (None, own))
    assert "flexible_hours" in {o.action for o in before.plan.options}
    assert "flexible_hours" not in {o.action for o in after.plan.options}


def test_with_a_short_reference_horizon_the_whole_risk_counts() -> None:
    short = replace(BUNDLE, card=replace(MODEL_CARD, reference_horizon_days=30))
    raised = {"overtime": overtime_for(0.6)}
    assert said_of(raised, short).risk[30] > 0.1
    assert said_of(raised, short).plan.options


def test_in_a_large_batch_everybody_is_assessed_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    rows = [
        {c: None if chance.random() < 0.1 else x * chance.uniform(0, 2) for c, x in USUAL.items()} for _ in range(90)
    ]
    matrix = a_matrix(*rows)
    monkeypatch.setattr("models.judged.AT_ONCE", 40)  # three steps, the last of few people
    alone = [
        said for i in range(90) for said in assess(BUNDLE, Matrix(matrix.frame[i : i + 1], CARDS), catalog=CATALOG)
    ]
    assert assess(BUNDLE, matrix, catalog=CATALOG) == alone
