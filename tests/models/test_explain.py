"""Reasons: they add up, they tell nothing that is hidden, they say it carefully and in both languages."""

from __future__ import annotations

import re
from math import exp, log

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.cards import DRIVERS, Card
from features.matrix import BLOCKS
from models.explain import Areas, Fact, Reason, explained, shap_check
from models.known import Known
from models.phrases import DRIVER_WORDS, fact_words, known_value, written
from models.record import MAX_FACTS, Dictionary, Layout
from models.tell import Teller

UNITS = ("count", "days", "months", "hours", "share", "score", "ratio", "flag", "category")


def explain(contributions: np.ndarray, cards: list[Card], *, values: list[dict], typical: dict) -> list[tuple]:
    """Explain people that are given as mappings, and tell it as a reader would be told."""
    known = Known.of_people(values, sorted({column for person in values for column in person}))
    areas, levels = Areas.of(cards), {}
    found = explained(contributions, areas, known, levels)
    layout = Layout(0, len(areas.drivers))
    columns, kept = areas.columns(cards, typical), {name: list(places) for name, places in levels.items()}
    words = Dictionary(layout, (), 0.0, areas.drivers, columns, kept, DRIVERS, (), {}, ())
    records = np.zeros(len(values), dtype=layout.dtype)
    places, numbers = layout.codes, records["numbers"]
    records["codes"][:, places["columns"]] = found.code.reshape(-1, len(values)).T
    for name, part in (("sums", found.sums), ("values", found.value), ("adds", found.adds)):
        numbers[:, layout.numbers[name]] = part.reshape(-1, len(values)).T
    teller = Teller(words)
    return [tuple(reason_of(told) for told in teller.reasons(words.read(one.tobytes()))) for one in records]


def reason_of(told: dict) -> Reason:
    return Reason(**{**told, "facts": tuple(Fact(**fact) for fact in told["facts"])})


def a_card(column: str, driver: str = "growth", unit: str = "count", **more: object) -> Card:
    en, zh = (f"a {column} event", f"有{column}") if unit == "flag" else (f"{{value}} {column}", f"{column} {{value}}")
    words = {"words_en": en, "words_zh": zh, "meaning": column, **more}
    return Card(column, driver, unit, **words)  # type: ignore[arg-type]


def texts_of(reasons: tuple) -> str:
    return " ".join(part for r in reasons for x in (r, *r.facts) for part in (x.text_en, x.text_zh))


@st.composite
def people(draw: st.DrawFn) -> tuple[np.ndarray, list[Card], list[dict], dict]:
    """Random cards, contributions that are exact in binary, and values with gaps."""
    p, n = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    cards = [
        a_card(f"col{j:02d}", draw(st.sampled_from(DRIVERS)), draw(st.sampled_from(UNITS)), shown=draw(st.booleans()))
        for j in range(p)
    ]
    sixtyfourths = draw(st.lists(st.integers(-200, 200), min_size=n * p, max_size=n * p))
    value = st.one_of(st.none(), st.just(float("nan")), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0]))
    rows = [{c.column: draw(value) for c in cards} for _ in range(n)]
    typical = {c.column: draw(value) for c in cards if draw(st.booleans())}
    return np.array(sixtyfourths, dtype=float).reshape(n, p) / 64, cards, rows, typical


@settings(max_examples=80, deadline=None)
@given(people())
def test_reasons_add_up_to_all_contributions_hidden_ones_included(case: tuple) -> None:
    contributions, cards, values, typical = case
    for row, reasons in zip(contributions, explain(contributions, cards, values=values, typical=typical), strict=True):
        assert sum(r.contribution for r in reasons) == pytest.approx(row.sum(), abs=1e-9)
        assert {r.driver for r in reasons} == {c.driver for c in cards}
        for r in reasons:
            assert r.factor == exp(r.contribution)
            assert r.direction == ("raises" if r.contribution > 0 else "keeps")


@settings(max_examples=80, deadline=None)
@given(people())
def test_a_hidden_column_is_never_told(case: tuple) -> None:
    contributions, cards, values, typical = case
    hidden = [c.column for c in cards if not c.shown]
    for reasons in explain(contributions, cards, values=values, typical=typical):
        told = texts_of(reasons)
        assert not [column for column in hidden if column in told]
        assert not {f.column for r in reasons for f in r.facts} & set(hidden)


@settings(max_examples=60, deadline=None)
@given(people(), st.randoms(use_true_random=False))
def test_the_order_of_the_columns_changes_no_reason(case: tuple, chance: object) -> None:
    contributions, cards, values, typical = case
    order = list(range(len(cards)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    once = explain(contributions, cards, values=values, typical=typical)
    again = explain(contributions[:, order], [cards[j] for j in order], values=values, typical=typical)
    assert once == again


@settings(max_examples=60, deadline=None)
@given(people())
def test_the_strongest_come_first_and_facts_are_few(case: tuple) -> None:
    contributions, cards, values, typical = case
    for reasons in explain(contributions, cards, values=values, typical=typical):
        sizes = [abs(r.contribution) for r in reasons]
        assert sizes == sorted(sizes, reverse=True)
        for r in reasons:
            strength = [abs(f.contribution) for f in r.facts]
            assert strength == sorted(strength, reverse=True)
            assert len(strength) <= MAX_FACTS


def test_every_driver_has_words_in_both_languages() -> None:
    assert set(DRIVER_WORDS) == set(DRIVERS)
    for en, zh in DRIVER_WORDS.values():
        assert re.fullmatch(r"[A-Z][a-z]+", en)
        assert re.fullmatch(r"[一-鿿]+", zh)


PROMOTION = Card("days_since_promotion", "growth", "days", "", "{value} without a promotion", "已有 {value} 未晋升")
COURSES = Card("courses", "growth", "count", "", "{value} courses finished this year", "今年完成课程 {value} 门")
SECRET = Card("secret", "growth", "count", "", "{value} secrets", "秘密 {value} 个", shown=False)


@pytest.mark.parametrize(
    ("contributions", "en", "zh"),
    [
        (
            [log(1.4), 0.0, 0.0],
            "Growth: 31 months without a promotion (typical here: 14 months), which goes with a clearly higher risk, "
            "about 1.4 times the usual.",
            "成长发展：已有 31 个月未晋升（这里常见为 14 个月），往往伴随明显较高的离职风险，约为一般情况的 1.4 倍。",
        ),
        (
            [0.4, 0.3, 0.0],
            "Growth: 31 months without a promotion (typical here: 14 months) and 1 course finished this year (as is "
            "typical here), which together go with a much higher risk, about 2.0 times the usual.",
            "成长发展：已有 31 个月未晋升（这里常见为 14 个月），今年完成课程 1 门（与这里常见的情况相同），"
            "往往伴随高得多的离职风险，约为一般情况的 2.0 倍。",
        ),
        (
            [-0.1, 0.0, 0.0],
            "Growth: 31 months without a promotion (typical here: 14 months), which goes with a slightly lower risk, "
            "about 0.9 times the usual.",
            "成长发展：已有 31 个月未晋升（这里常见为 14 个月），往往伴随略低的离职风险，约为一般情况的 0.9 倍。",
        ),
        (
            [0.02, 0.0, 0.01],
            "Growth: 31 months without a promotion (typical here: 14 months), which goes with about the usual risk.",
            "成长发展：已有 31 个月未晋升（这里常见为 14 个月），离职风险与一般情况差不多。",
        ),
        (
            [0.1, 0.0, 0.4],
            "Growth: 31 months without a promotion (typical here: 14 months), which together with other points goes "
            "with a clearly higher risk, about 1.6 times the usual.",
            "成长发展：已有 31 个月未晋升（这里常见为 14 个月），连同其他方面，"
            "往往伴随明显较高的离职风险，约为一般情况的 1.6 倍。",
        ),
        (
            [-0.1, 0.0, 0.9],
            "Growth: what is recorded, taken together, goes with a much higher risk, about 2.2 times the usual.",
            "成长发展：记录合起来看，往往伴随高得多的离职风险，约为一般情况的 2.2 倍。",
        ),
    ],
)
def test_a_driver_reads_like_a_sentence(contributions: list[float], en: str, zh: str) -> None:
    values = [{"days_since_promotion": 943.0, "courses": 1.0, "secret": 3.0}]
    typical = {"days_since_promotion": 426.0, "courses": 1.0}
    cards = [PROMOTION, COURSES, SECRET]
    ((reason,),) = explain(np.array([contributions]), cards, values=values, typical=typical)
    assert reason.text_en == en
    assert reason.text_zh == zh


@pytest.mark.parametrize(
    ("value", "unit", "en", "zh"),
    [
        (12.0, "count", "12", "12"),
        (2.5, "count", "2.5", "2.5"),
        (1234.4, "count", "1,234", "1,234"),
        (45.0, "days", "45 days", "45 天"),
        (1.0, "days", "1 day", "1 天"),
        (943.0, "days", "31 months", "31 个月"),
        (1900.0, "days", "5.2 years", "5.2 年"),
        (14.0, "months", "14 months", "14 个月"),
        (7.5, "hours", "7.5 hours", "7.5 小时"),
        (41.2, "hours", "41 hours", "41 小时"),
        (0.354, "share", "35%", "35%"),
        (0.004, "share", "0.4%", "0.4%"),
        (-0.12, "share", "-12%", "-12%"),
        (3.0, "score", "3.0", "3.0"),
        (0.9, "ratio", "0.90", "0.90"),
        (-0.001, "score", "0.0", "0.0"),
        ("Sales", "category", "Sales", "Sales"),
    ],
)
def test_a_value_is_written_by_its_unit(value: float | str, unit: str, en: str, zh: str) -> None:
    assert written(value, unit, "en") == en
    assert written(value, unit, "zh") == zh


def test_a_unit_that_the_words_name_themselves_is_not_said_twice() -> None:
    card = Card("overtime", "workload", "hours", "", "{value} hours of overtime", "加班 {value} 小时")
    assert fact_words(card, 31.0, 14.0) == (
        "31 hours of overtime (typical here: 14 hours)",
        "加班 31 小时（这里常见为 14 小时）",
    )
    assert fact_words(card, 1.0, None)[0] == "1 hour of overtime"


def test_a_flag_is_told_without_a_number() -> None:
    card = Card("moved", "manager", "flag", "", "a change of manager this year", "今年换过上级")
    assert fact_words(card, 1.0, 0.0) == ("a change of manager this year (unusual here)", "今年换过上级（这里少见）")
    assert fact_words(card, 0.0, 0.0) == ("no change of manager this year", "没有“今年换过上级”的情况")


def test_what_was_never_recorded_is_said_so_and_not_as_zero() -> None:
    assert fact_words(PROMOTION, None, 300.0) == (
        "nothing recorded for “… without a promotion”",
        "没有“已有 … 未晋升”的记录",
    )
    assert known_value(float("nan")) is None
    assert known_value(np.float64(2.0)) == 2.0


ALL_CARDS = [card for block in BLOCKS for card in block.CARDS]
TOO_MUCH = re.compile(
    r"becaus|caus|due to|leads? to|feel|unhapp|frustrat|disloyal|depress|because|导致|造成|引起|不满|情绪|抑郁"
)


@pytest.mark.parametrize("card", ALL_CARDS, ids=lambda card: card.column)
def test_every_card_of_the_matrix_reads_carefully_in_both_languages(card: Card) -> None:
    values: list[float | str | None] = ["Sales", None] if card.kind == "category" else [0.0, 1.0, 0.4, 400.0, None]
    for value in values:
        for size in (0.5, -0.5):
            ((reason,),) = explain(
                np.array([[size]]), [card], values=[{card.column: value}], typical={card.column: values[0]}
            )
            for text in (reason.text_en, reason.text_zh):
                assert not set("{}") & set(text)
                assert "nan" not in text.lower().split()
                assert not TOO_MUCH.search(text), text
            if card.shown:
                assert re.search("[一-鿿]", reason.facts[0].text_zh)
                assert not re.search("[一-鿿]", reason.text_en)


def a_booster(columns: int, category: int | None, rng: np.random.Generator) -> tuple[lgb.Booster, np.ndarray]:
    rows = rng.normal(size=(400, columns))
    if category is not None:
        rows[:, category] = rng.integers(0, 5, 400)
    rows[rng.random(rows.shape) < 0.15] = np.nan
    signal = np.nan_to_num(rows[:, 0]) + np.isnan(rows[:, 1]) + (rows[:, columns - 1] == 2)
    exits = (signal + rng.normal(size=400) > 1).astype(int)
    data = lgb.Dataset(rows, exits, categorical_feature=[] if category is None else [category])
    settings_ = {"objective": "binary", "num_leaves": 15, "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1}
    return lgb.train(settings_, data, 15), rows


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # shap colours its plots with an older matplotlib call
@pytest.mark.parametrize("category", [None, 3])
def test_shap_computes_the_same_contributions_on_its_own(category: int | None) -> None:
    booster, rows = a_booster(4, category, np.random.default_rng(3))
    assert shap_check(booster, rows[:60]) < 1e-9


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_the_check_refuses_to_pass_when_there_was_nothing_to_check() -> None:
    booster, rows = a_booster(4, 3, np.random.default_rng(3))
    unknown = rows[:5].copy()
    unknown[:, 3] = np.nan
    with pytest.raises(ValueError, match="nothing left"):
        shap_check(booster, unknown)
