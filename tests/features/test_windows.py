"""The interval primitive against drawn cases: when a fact begins to count, and when it stops."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import narwhals.stable.v2 as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import engine, places, windows
from features.engine import Frame
from features.windows import Measure, Spine

FACT = {"employee_id": "text", "happened_on": "int", "known_on": "int", "_seq": "int", "value": "number"}


def facts(*rows: tuple[object, ...], key: Sequence[str] = ("employee_id", "happened_on")) -> Frame:
    """Rows (employee_id, happened_on, known_on, value); ``_seq`` is their order."""
    numbered = [(who, happened, known, i, value) for i, (who, happened, known, value) in enumerate(rows)]
    columns = dict(zip(FACT, map(list, zip(*numbered, strict=True)), strict=True))
    return places.lifetimes(engine.table(columns, FACT), list(key))


def spine(as_of: Sequence[int], *people: str, hired_on: int = 0) -> Spine:
    rows = [(who, place, day, hired_on) for who in people for place, day in enumerate(as_of)]
    columns = dict(
        zip(("employee_id", "place", "as_of", "hired_on"), map(list, zip(*rows, strict=True)), strict=True)
    )  # fmt: skip
    kinds = {"employee_id": "text", "place": "int", "as_of": "int", "hired_on": "int"}
    return Spine(places.Snapshots(tuple(as_of)), engine.table(columns, kinds))


def read(frame: Frame, *expressions: nw.Expr) -> list[tuple[object, ...]]:
    named = [expression.alias(str(i)) for i, expression in enumerate(expressions)]
    return engine.collected(frame.select("employee_id", "place", *named)).sort("employee_id", "place").rows()


def test_a_fact_counts_from_the_day_it_is_known_and_for_the_window_from_the_day_it_happened() -> None:
    """happened 100, known 108, window 30: counts on 108 … 129, not on 107 and not on 130."""
    days = (107, 108, 129, 130)
    sums = windows.window_sums(spine(days, "a"), facts(("a", 100, 108, 2.5)), [Measure("m", nw.col("value"), (30,))])
    assert [row[2] for row in read(sums, nw.col("m_30d_sum") / windows.MILLION)] == [0.0, 2.5, 2.5, 0.0]


def test_a_fact_dated_ahead_counts_only_from_its_date() -> None:
    days = (99, 100)
    sums = windows.window_sums(spine(days, "a"), facts(("a", 100, 50, 1.0)), [Measure("m", nw.col("value"), (30,))])
    assert [row[2] for row in read(sums, nw.col("m_30d_n"))] == [0, 1]


def test_a_correction_takes_the_place_of_the_fact_from_the_day_it_is_known() -> None:
    days = (105, 110, 115)
    told = facts(("a", 100, 100, 1.0), ("a", 100, 110, 7.0))
    sums = windows.window_sums(spine(days, "a"), told, [Measure("m", nw.col("value"), (30,))])
    assert [row[2] for row in read(sums, nw.col("m_30d_sum") / windows.MILLION)] == [1.0, 7.0, 7.0]


def test_of_two_versions_known_on_the_same_day_the_later_arrival_wins_at_once() -> None:
    told = facts(("a", 100, 101, 1.0), ("a", 100, 101, 7.0))
    sums = windows.window_sums(spine((100, 101, 102), "a"), told, [Measure("m", nw.col("value"), (30,))])
    assert [row[2] for row in read(sums, nw.col("m_30d_sum") / windows.MILLION)] == [0.0, 7.0, 7.0]


def test_a_count_is_zero_when_the_feed_covers_the_window_and_unknown_when_it_does_not() -> None:
    """b's first record on day 100 starts the feed: 30 days back from 129 begins on 100, from 128 on 99."""
    told = facts(("b", 100, 100, 1.0))
    sums = windows.window_sums(spine((99, 128, 129), "a", "b"), told, [Measure("m", nw.col("value"), (30,))])
    assert read(sums, windows.total("m", 30)) == [
        ("a", 0, None),
        ("a", 1, None),
        ("a", 2, 0.0),
        ("b", 0, None),
        ("b", 1, None),
        ("b", 2, 1.0),
    ]


def test_for_a_person_hired_within_the_window_the_feed_must_cover_the_time_since_hiring() -> None:
    told = facts(("b", 100, 100, 1.0))
    measures = [Measure("m", nw.col("value"), (30,))]
    new = windows.window_sums(spine((110,), "a", hired_on=100), told, measures)
    old = windows.window_sums(spine((110,), "a", hired_on=99), told, measures)
    assert read(new, windows.total("m", 30)) == [("a", 0, 0.0)]
    assert read(old, windows.total("m", 30)) == [("a", 0, None)]


def test_a_ratio_compares_with_the_persons_own_rate_and_one_event_does_not_explode() -> None:
    """Usual: one a day on days 1 … 180, expected 30 in 30 days; then 10 in the last 30 days; b never does anything."""
    told = facts(*[("a", day, day, 1.0) for day in range(1, 181)], *[("a", day, day, 1.0) for day in range(181, 191)])
    sums = windows.window_sums(spine((210,), "a", "b", hired_on=1), told, [Measure("m", nw.col("value"), (30, 210))])
    assert read(sums, windows.ratio("m", 30, 210)) == [("a", 0, 11.0 / 31.0), ("b", 0, 1.0)]


def test_there_is_no_own_rate_before_sixty_days_of_it() -> None:
    told = facts(("a", 1, 1, 1.0))
    sums = windows.window_sums(spine((89, 90), "a", hired_on=1), told, [Measure("m", nw.col("value"), (30, 210))])
    assert read(sums, windows.ratio("m", 30, 210)) == [("a", 0, None), ("a", 1, 1.0 / (1 / 60 * 30 + 1))]


def test_a_change_is_the_recent_mean_minus_the_mean_before_it() -> None:
    told = facts(("a", 10, 10, 0.2), ("a", 20, 20, 0.4), ("a", 100, 100, 0.9))
    sums = windows.window_sums(spine((50, 110), "a"), told, [Measure("m", nw.col("value"), (30, 200))])
    assert [row[2] for row in read(sums, windows.change("m", 30, 200).round(9))] == [None, 0.6]


def test_the_latest_fact_is_the_one_that_happened_last_even_when_an_older_one_becomes_known_after_it() -> None:
    told = facts(("a", 100, 130, 1.0), ("a", 110, 112, 2.0))
    rows = read(windows.latest(told, (111, 112, 140), ["employee_id"]), nw.col("value"))
    assert rows == [("a", 1, 2.0), ("a", 2, 2.0)]


def test_a_correction_that_takes_a_value_away_brings_the_older_one_back() -> None:
    """100: value 1 · 110: value 2, corrected on 120 to "no value" · 130: corrected again, to value 3."""
    told = facts(("a", 100, 100, 1.0), ("a", 110, 110, 2.0), ("a", 110, 120, None), ("a", 110, 130, 3.0))
    told = told.filter(~nw.col("value").is_null())
    rows = read(windows.latest(told, (105, 115, 125, 135), ["employee_id"]), nw.col("value"))
    assert [row[2] for row in rows] == [1.0, 2.0, 1.0, 3.0]
    days = read(windows.last_day(told, (105, 115, 125, 135), ["employee_id"]), nw.col("last_day"))
    assert [row[2] for row in days] == [100, 110, 100, 110]


def test_a_delay_tells_what_was_in_force_so_many_days_before_as_known_now() -> None:
    told = facts(("a", 100, 100, 1.0), ("a", 200, 200, 2.0), ("a", 100, 210, 1.5))
    rows = read(windows.latest(told, (199, 205, 250, 300), ["employee_id"], delay=100), nw.col("value"))
    assert rows == [("a", 1, 1.0), ("a", 2, 1.5), ("a", 3, 2.0)]


def test_a_contact_counts_once_however_often_and_however_late_it_is_recorded() -> None:
    told = facts(("a", 100, 100, 1.0), ("a", 105, 105, 1.0), ("a", 90, 126, 1.0), key=())
    rows = read(windows.contacts(told, (99, 101, 110, 126, 134, 135), ["employee_id"], window=30))
    assert [place for _, place in rows] == [1, 2, 3, 4]


def test_others_are_compared_within_the_group_without_the_person_and_only_among_enough_of_them() -> None:
    rows = engine.table(
        {
            "place": [0] * 6,
            "team": ["red", "red", "red", "blue", "blue", None],
            "value": [1.0, 2.0, None, 5.0, 6.0, 9.0],
        },
        {"place": "int", "team": "text", "value": "number"},
    )
    means = rows.with_columns(
        windows.others_mean(nw.col("value"), ["team"], fewest=1).alias("one"),
        windows.others_mean(nw.col("value"), ["team"]).alias("two"),
    )
    told = engine.collected(means).select("one", "two").rows()
    assert told == [(2.0, None), (1.0, None), (1.5, 1.5), (6.0, None), (5.0, None), (None, None)]


def test_sums_are_exact_and_what_was_added_is_taken_back_to_the_last_digit() -> None:
    told = facts(*[("a", day, day, 0.1) for day in range(100, 110)])
    sums = windows.window_sums(spine((109, 150), "a"), told, [Measure("m", nw.col("value"), (30,))])
    assert [row[2] for row in read(sums, nw.col("m_30d_sum") / windows.MILLION)] == [1.0, 0.0]


@pytest.mark.parametrize("kind", [pl.Date, pl.Int64])
def test_facts_are_cut_by_the_day_of_happening_into_parts_that_are_the_whole_again(kind) -> None:
    days = pl.Series("happened_on", [19_000, 19_003, 19_001, 19_003, 19_003, 19_002, 19_000, 19_009]).cast(pl.Int32)
    facts = engine.load(pl.DataFrame({"happened_on": days.cast(kind), "n": range(8)}))
    crowd = ((19_000, 2), (19_001, 1), (19_002, 1), (19_003, 3), (19_009, 1))
    assert engine.crowds(facts) == (crowd if kind is pl.Date else ())
    parts = [engine.collected(part.select("happened_on", "n")) for part in engine.stretches(facts, crowd, at_once=3)]
    assert len(parts) == 4
    for earlier, later in pairwise(parts):
        assert earlier["happened_on"].max() < later["happened_on"].min()
    assert sorted(pl.concat(parts)["n"]) == list(range(8))
    assert len(engine.stretches(facts, crowd, at_once=8)) == len(engine.stretches(facts, ())) == 1


@given(
    st.lists(st.tuples(st.sampled_from([None, "a", "b", "c"]), st.integers(0, 7), st.integers(-5, 5)), max_size=20),
    st.booleans(),
)
def test_adding_up_with_codes_is_adding_up_with_names(facts, coded) -> None:
    frame = pl.DataFrame(facts, schema={"employee_id": pl.String, "cell": pl.Int64, "n": pl.Int64}, orient="row")
    loaded = engine.load(frame) if coded else engine.load(frame.rename({"employee_id": "name"}))
    who = "employee_id" if coded else "name"
    loaded = loaded.with_columns(nw.col("n").alias("last"))
    found = engine.collected(engine.added_up(loaded, [who], "cell", bits=3, sums=["n"], largest=["last"]))
    wanted = frame.group_by("employee_id", "cell").agg(pl.col("n").sum(), pl.col("n").max().alias("last"))
    assert set(found.select(who, "cell", "n", "last").rows()) == set(wanted.rows())


def test_whole_numbers_give_the_sums_of_numbers_and_facts_too_old_for_a_measure_change_nothing() -> None:
    """Whole numbers are added as they are; what no window of any measure reaches is left out before it is grouped."""
    rows = [("a", 100, 101, 2.0), ("a", 100, 101, 3.0), ("a", 110, 110, 1.0), ("b", 100, 104, 7.0), ("a", 70, 71, 5.0)]
    days = (99, 101, 103, 120, 131)
    events = facts(*rows, key=()).with_columns(nw.col("value").cast(nw.Int64).alias("number"))
    slow = [Measure("value", nw.col("value"), (30,)), Measure("long", nw.col("value"), (60,))]
    quick = [
        Measure("value", nw.col("number"), (30,), whole=True, counted=False),
        Measure("long", nw.when(nw.col("number") > 0).then(nw.col("number")), (60,), whole=True),
    ]
    asked = [windows.total("value", 30), windows.total("long", 60)]
    told = [windows.window_sums(spine(days, "a", "b"), events, measures) for measures in (quick, slow)]
    assert read(told[0], *asked) == read(told[1], *asked)
    assert [row[2] for row in read(told[0], *asked)] == [5.0, 5.0, 5.0, 6.0, 1.0, 0.0, 0.0, 0.0, 7.0, 0.0]


def test_a_feed_begins_with_its_first_fact_however_long_after_all_others() -> None:
    """Looked for in the oldest weeks first; help comes for the first time much later, and then everything is read."""
    days = pl.Series("happened_on", [19_000, 19_001, 19_200, 19_300, 19_301]).cast(pl.Int32).cast(pl.Date)
    kinds = ["message", "message", "help", "help", "message"]
    events = pl.DataFrame({"happened_on": days, "known_on": days, "kind": kinds})
    loaded = places.lifetimes(engine.load(events), ())
    asked = {
        kind: nw.when(nw.col("kind") == kind).then(nw.col("happened_on")) for kind in ("message", "help", "praise")
    }
    crowd = engine.crowds(loaded)
    for wanted in (("message",), ("message", "help"), tuple(asked)):
        some = {kind: asked[kind] for kind in wanted}
        found = [places.first_days(loaded, places.Snapshots((19_250, 19_400), known), some) for known in (crowd, ())]
        rows = [engine.collected(one).sort("place").select("place", *wanted).rows() for one in found]
        assert rows[0] == rows[1]
        assert rows[0] == [(place, *(19_000, 19_200, None)[: len(wanted)]) for place in (0, 1)]


def test_what_happened_first_and_came_to_be_known_late_moves_the_beginning_of_the_feed() -> None:
    """Day 19 000, known on 19 300; on the snapshot before the feed begins on 19 010."""
    happened = pl.Series("happened_on", [19_010, 19_000, 19_200, 19_020]).cast(pl.Int32).cast(pl.Date)
    known = pl.Series("known_on", [19_010, 19_300, 19_200, 19_290]).cast(pl.Int32).cast(pl.Date)
    loaded = places.lifetimes(engine.load(pl.DataFrame([happened, known])), ())
    for crowd in (engine.crowds(loaded), ()):
        found = places.first_days(loaded, places.Snapshots((19_250, 19_400), crowd), {"from": nw.col("happened_on")})
        assert engine.collected(found).sort("place").rows() == [(0, 19_010), (1, 19_000)]


@given(st.integers(1, 4), st.integers(1, 9), st.data())
@settings(deadline=None, max_examples=30)
def test_one_running_sum_read_at_both_ends_is_the_sum_person_by_person(n_people, n_places, data) -> None:
    """The short way in Polars, the way of every other engine, and a sum by hand."""
    size = n_people * n_places
    values = data.draw(st.lists(st.integers(-5, 10**15), min_size=size, max_size=size))
    rows = [(f"p{i // n_places}", i % n_places, value) for i, value in enumerate(values)]
    shuffled = data.draw(st.permutations(rows))
    frame = pl.DataFrame(shuffled, schema={"employee_id": pl.String, "place": pl.Int64, "n": pl.Int64}, orient="row")
    loaded, order = engine.load(frame), ("employee_id", "place")
    reads = {"_now": (("n",), 0, 2), "_base": (("n",), 2, 5)}

    def summed(who: str, after: int, until: int) -> int:
        return sum(value for one, place, value in rows if one == who and after < place <= until)

    wanted = [(who, at, summed(who, at - 2, at), summed(who, at - 5, at - 2)) for who, at, _ in rows]
    for told in (engine.trailing(loaded, order, reads), engine.person_by_person(loaded, order, reads)):
        found = engine.collected(told).sort("employee_id", "place").select("employee_id", "place", "n_now", "n_base")
        assert found.rows() == sorted(wanted)


@given(st.integers(1, 6), st.data())
@settings(deadline=None, max_examples=40)
def test_what_is_in_force_is_the_sum_of_what_has_begun_and_not_ended(n_places, data) -> None:
    """The short way in Polars, the way of every other engine, and a sum by hand; with people, pairs and blanks."""
    name, place = st.sampled_from(["a", "b", "c", None]), st.integers(0, n_places)
    drawn = st.tuples(name, name, place, place, place, st.integers(-5, 10**15), st.integers(0, 1))
    told = [(who, whom, a, max(a, b), max(a, c), n, k) for who, whom, a, b, c, n, k in data.draw(st.lists(drawn))]
    asked = data.draw(st.lists(st.tuples(name, name, st.integers(0, n_places - 1)), min_size=1, unique=True))
    whole = dict.fromkeys(("first", "stop30", "stop90", "n", "k"), "int")
    kinds = {"employee_id": "text", "with_id": "text", **whole}
    facts = engine.table(dict(zip(kinds, map(list, zip(*told, strict=True)), strict=True)) if told else {}, kinds)
    at = {"employee_id": "text", "with_id": "text", "place": "int"}
    rows = engine.table(dict(zip(at, map(list, zip(*asked, strict=True)), strict=True)), at)
    stops = {"stop30": ["n", "k"], "stop90": ["n"]}

    def summed(who: str | None, whom: str | None, day: int, stop: int, amount: int) -> int | None:
        if who is None or whom is None:
            return None
        return sum(row[amount] for row in told if row[:2] == (who, whom) and row[2] <= day < row[stop])

    wanted = {row: tuple(summed(*row, stop, amount) for stop, amount in ((3, 5), (3, 6), (4, 5))) for row in asked}
    for way in (engine.in_force, engine.place_by_place):
        found = engine.collected(way(rows, facts, ["employee_id", "with_id"], stops))
        found = found.select(*at, "n_stop30", "k_stop30", "n_stop90")
        assert {row[:3]: row[3:] for row in found.rows()} == wanted


def test_parts_of_events_are_added_up_again_only_where_they_cut_many_of_their_sums(monkeypatch) -> None:
    """Twelve days in parts of two: the same sums, whether the parts are joined or stand side by side."""
    days = pl.Series("happened_on", range(19_000, 19_012)).cast(pl.Int32).cast(pl.Date)
    events = pl.DataFrame({"happened_on": days, "known_on": days, "n": range(12)})
    loaded = places.lifetimes(engine.load(events.with_columns(employee_id=pl.lit("a"))), ())
    monkeypatch.setattr(engine, "AT_ONCE", 2)
    found = []
    for fewest in (0, 1000):
        monkeypatch.setattr(places, "FEWEST_SPANS", fewest)
        asked = spine((19_003, 19_011), "a")
        rows = asked.rows.with_columns(nw.col("employee_id").cast(nw.Categorical))
        when = places.Snapshots(asked.when.as_of, engine.crowds(loaded))
        sums = windows.window_sums(Spine(when, rows), loaded, [Measure("m", nw.col("n"), (3, 8), whole=True)])
        found.append(read(sums, nw.col("m_3d_sum") / windows.MILLION, nw.col("m_8d_sum") / windows.MILLION))
    assert found == [[("a", 0, 6.0, 6.0), ("a", 1, 30.0, 60.0)]] * 2
