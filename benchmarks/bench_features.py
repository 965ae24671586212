"""How fast and how large: features in time beside hand-written plans, on the same invented events in one run.

    python benchmarks/bench_features.py windows   30/90/180-day sums of six measures, on 24 snapshots
    python benchmarks/bench_features.py growth    what 100 snapshots and ten times the events cost
    python benchmarks/bench_features.py matrix    the whole matrix of a company, and what one month more of it costs
    python benchmarks/bench_features.py scale     the whole matrix of companies of growing size

Each plan runs in a process of its own (so its memory is its own), plans in turn, several rounds; the smallest time
counts. All plans must find the same sums. The peers are what a good engineer would write by hand for this one question:
pandas with cumulative sums and ``merge_asof``, Polars with cumulative sums and ``join_asof``, DuckDB with sums by
person and day and a range join.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

BEGINS = date(2022, 1, 1)
DAYS = 730
WINDOWS = (30, 90, 180)
MEASURES = ("messages", "emails", "meetings", "minutes", "after_hours", "acts")
KINDS = ("message", "email", "meeting", "one_on_one", "project", "help_given")
PLANS = ("ours", "polars", "duckdb", "pandas")


def month_ends(n: int) -> list[date]:
    """The last days of the first ``n`` months."""
    firsts = [date(BEGINS.year + (m + 1) // 12, (m + 1) % 12 + 1, 1) for m in range(n)]
    return [first - timedelta(1) for first in firsts]


def snapshots(n: int) -> list[date]:
    """24 month-ends, or ``n`` days evenly over the two years."""
    if n == 24:
        return month_ends(24)
    return [BEGINS + timedelta(round((i + 1) * (DAYS - 1) / n)) for i in range(n)]


def make_events(folder: Path, *, n_people: int, n_events: int, ids: list[str] | None = None) -> Path:
    """Invented events, one Parquet file a month as a monthly import would leave them; few ties carry most of them."""
    out = folder / f"events-{n_people}-{n_events}"
    if (out / "done").exists():
        return out
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    names = pa.array(ids or [f"E{i:06d}" for i in range(n_people)])
    rate = rng.gamma(2.0, 1.0, n_people)
    rate /= rate.sum()
    first = (BEGINS - date(1970, 1, 1)).days
    made = 0
    for month, share in enumerate(np.diff(np.linspace(0, n_events, 25)).astype(int)):
        who = rng.choice(n_people, size=share, p=rate).astype(np.int32)
        tie = np.minimum(rng.geometric(0.12, share), 60)
        whom = ((who + tie * (1 + tie)) % n_people).astype(np.int32)
        day = (first + (month + rng.random(share)) * DAYS / 24).astype(np.int32)
        kind = rng.choice(6, size=share, p=[0.42, 0.28, 0.15, 0.03, 0.07, 0.05]).astype(np.int8)
        minutes = np.where((kind == 2) | (kind == 3), rng.integers(15, 90, share), 0).astype(float)
        columns = {
            "employee_id": pa.DictionaryArray.from_arrays(pa.array(who), names).cast(pa.string()),
            "happened_at": pa.nulls(share, pa.timestamp("us")),
            "happened_on": pa.array(day).cast(pa.date32()),
            "kind": pa.DictionaryArray.from_arrays(pa.array(kind), pa.array(KINDS)).cast(pa.string()),
            "counterpart_id": pa.DictionaryArray.from_arrays(pa.array(whom), names).cast(pa.string()),
            "n": pa.array(np.ones(share, np.int64)),
            "minutes": pa.array(minutes),
            "after_hours": pa.array(rng.random(share) < 0.1),
            "known_on": pa.array(day + 1).cast(pa.date32()),
            "known_on_given": pa.array(np.zeros(share, bool)),
            "_seq": pa.array(np.arange(made, made + share)),
        }
        pq.write_table(pa.table(columns), out / f"{month:02d}.parquet", row_group_size=500_000, compression="zstd")
        made += share
    (out / "done").touch()
    return out


def ours(events: Path, days: list[date]) -> pl.DataFrame:
    """What the blocks are made of: one pass over the events of a panel, then sums by entering and leaving."""
    import narwhals.stable.v2 as nw

    from features import engine, places, windows
    from features.windows import Measure, Spine

    facts = places.lifetimes(engine.load(pl.scan_parquet(sorted(events.glob("*.parquet")))), ())
    kind, n = nw.col("kind"), nw.col("n")
    values = {
        "messages": nw.when(kind == "message").then(n),
        "emails": nw.when(kind == "email").then(n),
        "meetings": nw.when(kind == "meeting").then(n),
        "minutes": nw.col("minutes").cast(nw.Int64),
        "after_hours": nw.col("after_hours").cast(nw.Int64),
        "acts": n,
    }
    numbers = sorted(engine.day_number(day) for day in days)
    at = engine.table({"place": list(range(len(numbers))), "as_of": numbers}, {"place": "int", "as_of": "int"})
    people = engine.held(facts.select("employee_id").unique())
    rows = people.with_columns(nw.lit(0, dtype=nw.Int64).alias("hired_on")).join(at, how="cross")
    when = places.Snapshots(tuple(numbers), engine.crowds(facts))
    measures = [Measure(name, value, WINDOWS, whole=True, counted=False) for name, value in values.items()]
    sums = windows.window_sums(Spine(when, rows), facts, measures)
    told = [(nw.col(f"{name}_{d}d_sum") // windows.MILLION).alias(f"{name}_{d}") for name in MEASURES for d in WINDOWS]
    return engine.collected(sums.select("employee_id", "as_of", *told), dates=("as_of",))


def person_days(events: Path) -> pl.LazyFrame:
    """What the hand-written plan in Polars begins with."""
    kind = pl.col("kind")
    return (
        pl.scan_parquet(sorted(events.glob("*.parquet")))
        .group_by("employee_id", "known_on")
        .agg(
            (kind == "message").cast(pl.Int64).sum().alias("messages"),
            (kind == "email").cast(pl.Int64).sum().alias("emails"),
            (kind == "meeting").cast(pl.Int64).sum().alias("meetings"),
            pl.col("minutes").cast(pl.Int64).sum(),
            pl.col("after_hours").cast(pl.Int64).sum(),
            pl.col("n").sum().alias("acts"),
        )
    )


def polars(events: Path, days: list[date]) -> pl.DataFrame:
    """Cumulative sums by person, read at each end of each window with ``join_asof``."""
    names = list(MEASURES)
    daily = person_days(events).with_columns(pl.col("employee_id").cast(pl.Categorical)).collect(engine="streaming")
    total = daily.sort("employee_id", "known_on").with_columns(pl.col(names).cum_sum().over("employee_id"))
    total = total.sort("known_on")
    grid = total.select("employee_id").unique().join(pl.DataFrame({"as_of": days}), how="cross")
    now = _asof(grid.with_columns(at=pl.col("as_of")), total, names)
    parts = [now.select("employee_id", "as_of")]
    for d in WINDOWS:
        # Known a day after it happened: what happened d days ago or earlier was known d - 1 days ago.
        before = _asof(grid.with_columns(at=pl.col("as_of").dt.offset_by(f"-{d - 1}d")), total, names)
        parts.append(now.select(pl.col(name) - before[name] for name in names).rename({n: f"{n}_{d}" for n in names}))
    return pl.concat(parts, how="horizontal").with_columns(pl.col("employee_id").cast(pl.String))


def _asof(grid: pl.DataFrame, total: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    joined = grid.sort("at").join_asof(total, left_on="at", right_on="known_on", by="employee_id")
    return joined.sort("employee_id", "as_of").with_columns(pl.col(names).fill_null(0))


def duckdb(events: Path, days: list[date]) -> pl.DataFrame:
    """Sums by person and day, then a range join with the snapshots and conditional sums."""
    import duckdb as db

    connection = db.connect()
    connection.execute(f"SET threads={os.cpu_count() or 1}")
    connection.register("snapshots", pa.table({"as_of": pa.array(days)}))
    sums = ", ".join(
        f"sum({name}) FILTER (known_on > as_of - {d - 1}) AS {name}_{d}" for name in MEASURES for d in WINDOWS
    )
    query = f"""
        WITH daily AS (
          SELECT employee_id, known_on, count(*) FILTER (kind = 'message') AS messages,
                 count(*) FILTER (kind = 'email') AS emails, count(*) FILTER (kind = 'meeting') AS meetings,
                 sum(minutes)::BIGINT AS minutes, count(*) FILTER (after_hours) AS after_hours, sum(n)::BIGINT AS acts
          FROM read_parquet('{events}/*.parquet') GROUP BY employee_id, known_on)
        SELECT employee_id, as_of, {sums} FROM daily JOIN snapshots
        ON known_on <= as_of AND known_on > as_of - {max(WINDOWS) - 1} GROUP BY employee_id, as_of"""
    return pl.DataFrame(pl.from_arrow(connection.execute(query).to_arrow_table()))


def pandas(events: Path, days: list[date]) -> pl.DataFrame:
    """Cumulative sums by person, read at each end of each window with ``merge_asof``."""
    import pandas as pd

    columns = ["employee_id", "known_on", "kind", "minutes", "after_hours", "n"]
    table = pq.read_table(sorted(events.glob("*.parquet")), columns=columns, read_dictionary=["employee_id", "kind"])
    facts = table.unify_dictionaries().to_pandas()
    facts["known_on"] = pd.to_datetime(facts["known_on"]).astype("datetime64[us]")
    for name, kind in (("messages", "message"), ("emails", "email"), ("meetings", "meeting")):
        facts[name] = (facts["kind"] == kind).astype("int64")
    facts["minutes"] = facts["minutes"].astype("int64")
    facts["after_hours"] = facts["after_hours"].astype("int64")
    facts = facts.rename(columns={"n": "acts"})
    names = list(MEASURES)
    daily = facts.groupby(["employee_id", "known_on"], observed=True, sort=True)[list(MEASURES)].sum().reset_index()
    daily[names] = daily.groupby("employee_id", observed=True, sort=False)[names].cumsum()
    daily = daily.sort_values("known_on", kind="stable")
    people = daily["employee_id"].unique()
    grid = pd.MultiIndex.from_product([people, pd.to_datetime(days)], names=["employee_id", "as_of"]).to_frame(
        index=False
    )
    grid["employee_id"] = grid["employee_id"].astype(daily["employee_id"].dtype)
    grid["as_of"] = grid["as_of"].astype("datetime64[us]")

    def read(back: int) -> pd.DataFrame:
        at = grid.assign(at=grid["as_of"] - pd.Timedelta(days=back)).sort_values("at", kind="stable")
        found = pd.merge_asof(at, daily, left_on="at", right_on="known_on", by="employee_id")
        return found.set_index(["employee_id", "as_of"])[names].fillna(0).sort_index()

    now = read(0)
    parts = [(now - read(d - 1)).add_suffix(f"_{d}") for d in WINDOWS]
    return pl.from_pandas(pd.concat(parts, axis=1).reset_index())


def checksums(found: pl.DataFrame) -> dict[str, int]:
    """Of each column the sum, and the sum weighted with the day, so that sums on the wrong snapshot are seen."""
    weight = pl.col("as_of").cast(pl.Date).cast(pl.Int32).cast(pl.Int64) % 97 + 1
    names = [f"{name}_{d}" for name in MEASURES for d in WINDOWS]
    whole = found.select((pl.col(name).fill_null(0).cast(pl.Int64) * weight).sum() for name in names)
    return {name: int(value) for name, value in zip(names, whole.row(0), strict=True)}


def run_plan(plan: str, events: Path, n_snapshots: int) -> None:
    """One plan in this process; prints one line of JSON."""
    start, cpu = time.perf_counter(), time.process_time()
    found = {"ours": ours, "polars": polars, "duckdb": duckdb, "pandas": pandas}[plan](events, snapshots(n_snapshots))
    told = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    told["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({**told, "rows": found.height, "sums": checksums(found)}))


def measured(*arguments: str) -> dict:
    """The last line that a fresh process of this file prints."""
    done = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def compare_windows(folder: Path, *, people: int, events: int, rounds: int, plans: tuple[str, ...] = PLANS) -> None:
    """The same question to each plan, in turn."""
    data = make_events(folder, n_people=people, n_events=events)
    found: dict[str, list[dict]] = {plan: [] for plan in plans}
    for _ in range(rounds):
        for plan in plans:
            found[plan].append(measured("plan", plan, str(data), "24"))
            print(f"  {plan:7} {found[plan][-1]['seconds']:6.1f} s", file=sys.stderr, flush=True)
    sums = [runs[0]["sums"] for runs in found.values()]
    if any(one != sums[0] for one in sums):
        raise SystemExit("the plans disagree: " + json.dumps(found, indent=1))
    best = {plan: min(runs, key=lambda run: run["seconds"]) for plan, runs in found.items()}
    print(f"{events:,} events of {people:,} people, 24 snapshots, 6 measures over 30, 90, 180 days;")
    print(f"best of {rounds} rounds in turn, {os.cpu_count()} cores; all plans find the same {len(sums[0])} sums")
    for plan, run in best.items():
        times = best[plan]["seconds"] / best["ours"]["seconds"]
        cost = f"{run['seconds']:6.1f} s  {run['cpu']:6.1f} CPU s  {run['gigabytes']:4.1f} GB"
        print(f"  {plan:7} {cost}  {times:4.2f} × ours")


def growth(folder: Path, *, people: int, events: int, rounds: int) -> None:
    """What more snapshots and more events cost, and how much memory ten times the events take."""
    small = make_events(folder, n_people=people, n_events=events)
    large = make_events(folder, n_people=people, n_events=10 * events)
    cases = {"24 snapshots": (small, "24"), "100 snapshots": (small, "100"), "10 × events": (large, "24")}
    best = {}
    for name, (data, n) in cases.items():
        runs = [measured("plan", "ours", str(data), n) for _ in range(rounds if data is small else 1)]
        best[name] = min(runs, key=lambda run: run["seconds"])
        run, base = best[name], best["24 snapshots"]
        times = run["seconds"] / base["seconds"]
        print(
            f"  {name:14} {run['seconds']:6.1f} s  {run['gigabytes']:4.1f} GB  {times:5.2f} × 24 snapshots", flush=True
        )


TEMPLATE = 1_000
"""A company of this size is invented once; larger ones are copies of it side by side under other names."""
RENAMED = ("employee_id", "manager_id", "reviewer_id", "given_by", "department", "team", "goal_id")


def make_lake(folder: Path, *, n_people: int, n_events: int) -> Path:
    """A lake with two years of every table; its interactions are ``make_events``."""
    from features.company import Company, invent_company
    from features.ingest import import_folder
    from features.lake import Lake

    out = folder / f"lake-{n_people}-{n_events}"
    if (out / "done").exists():
        return out
    template = Lake(folder / f"template-{TEMPLATE}")
    if not template.tables():
        records = folder / "template-records"
        invent_company(Company(n_employees=TEMPLATE, months=24), records, truth=folder / "template-truth")
        import_folder(records, template)
    lake = Lake(out)
    ids: list[str] = []
    for name, lazy in template.read().items():
        if name in ("interactions", "protected"):
            continue
        frame = lazy.collect()
        named = [column for column in RENAMED if column in frame.columns]
        copies = [frame.with_columns(pl.col(named) + f"-{i}") for i in range(max(1, n_people // TEMPLATE))]
        whole = pl.concat(copies if named else copies[:1])
        if name == "employees":
            ids = whole["employee_id"].to_list()
        lake.append(name, whole)
    for part in sorted(make_events(folder, n_people=len(ids), n_events=n_events, ids=ids).glob("*.parquet")):
        lake.append("interactions", pl.read_parquet(part).with_columns(known_on_given=pl.lit(False)))
    (out / "done").touch()
    return out


def run_matrix(lake_folder: Path, n_snapshots: int) -> None:
    """The matrix of the first ``n_snapshots`` month-ends, as training asks for it; prints one line of JSON."""
    from features.kept import kept_matrix
    from features.lake import Lake

    start, cpu = time.perf_counter(), time.process_time()
    frame = kept_matrix(Lake(lake_folder), as_of=month_ends(n_snapshots)).frame
    told = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    told["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({**told, "rows": frame.height, "columns": frame.width}))


def whole_and_month(folder: Path, *, people: int, events: int, rounds: int) -> None:
    """The whole of 24 months, then the last of them alone beside 23 that were kept."""
    lake = make_lake(folder, n_people=people, n_events=events)
    whole, month = [], []
    for _ in range(rounds):
        shutil.rmtree(lake / "_kept", ignore_errors=True)
        whole.append(measured("rows", str(lake), "24"))
        (lake / "_kept" / f"{month_ends(24)[-1].isoformat()}.parquet").unlink()
        month.append(measured("rows", str(lake), "24"))
    best, last = (min(runs, key=lambda run: run["seconds"]) for runs in (whole, month))
    print(
        f"{people:,} people, {events:,} events and every other table: {best['rows']:,} rows, {best['columns']} columns"
    )
    for name, run in (("24 months", best), ("the last month, 23 kept", last)):
        share, busy = run["seconds"] / best["seconds"], run["cpu"] / best["cpu"]
        cost = f"{run['seconds']:6.1f} s  {run['cpu']:6.1f} CPU s  {run['gigabytes']:4.1f} GB"
        print(f"  {name:24} {cost}  {share:5.3f} of the whole ({busy:5.3f} of its CPU s)")


def scale(folder: Path, *, people: int, events: int, rounds: int) -> None:
    """Companies of a thousand people up to ``people``, with as many events a head."""
    print(f"{'people':>8} {'events':>12} {'rows':>10} {'seconds':>8} {'GB':>5} {'rows a second':>14}")
    size = TEMPLATE
    while size <= people:
        n_events = events * size // people
        lake = make_lake(folder, n_people=size, n_events=n_events)
        shutil.rmtree(lake / "_kept", ignore_errors=True)
        run = measured("rows", str(lake), "24")
        speed = run["rows"] / run["seconds"]
        print(
            f"{size:8,} {n_events:12,} {run['rows']:10,} {run['seconds']:8.1f} {run['gigabytes']:5.1f} {speed:14,.0f}"
        )
        size *= 4 if size * 4 <= people or size == people else max(2, people // size)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["windows", "growth", "matrix", "scale", "plan", "rows"])
    parser.add_argument("more", nargs="*")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("var/bench"))
    asked = parser.parse_args()
    size = {"people": asked.people, "events": asked.events, "rounds": asked.rounds}
    if asked.part == "plan":
        run_plan(asked.more[0], Path(asked.more[1]), int(asked.more[2]))
    elif asked.part == "rows":
        run_matrix(Path(asked.more[0]), int(asked.more[1]))
    else:
        parts = {"windows": compare_windows, "growth": growth, "matrix": whole_and_month, "scale": scale}
        parts[asked.part](asked.folder, **size)


if __name__ == "__main__":
    main()
