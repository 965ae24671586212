"""The recipe of a training run: records → landmark rows → guards → rolling origins → the final model → champion.

Input: the lake and a plan. Output: a registered model with its card, and the out-of-time table that it stands on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd
import polars as pl

from features.cards import Card
from features.errors import FixableError
from features.kept import kept_matrix
from features.lake import Lake
from features.matrix import Matrix, matrix
from features.snapshots import Records, at_risk, month_ends
from features.tables import OwnColumn
from models.learn import Fitted, Landmarks, Settings, fit_hazards
from models.risk import RiskModel
from training import guards, leakage
from training.evaluate import Interval, Told, auc, average_precision, difference, evaluate, told_at
from training.labels import exit_events, labels_close_on, outcomes
from training.plan import Plan, Rule
from training.splits import Split, fit_to_history

Progress = Callable[[str, int, int], None]
CHOSEN = "chosen"
PLACE = ("department", "team", "location", "job")
"""Where somebody worked on the day: not for the model, but to see where a forecast comes true."""


@dataclass(frozen=True)
class Panel:
    """Landmark rows with what was known (``rows``, columns by ``cards``) and what became of each person."""

    index: pd.DataFrame
    rows: pd.DataFrame
    cards: tuple[Card, ...]
    closed_on: date

    def take(self, mask: np.ndarray) -> Panel:
        """Return the rows where ``mask`` is true."""
        return replace(
            self, index=self.index.loc[mask].reset_index(drop=True), rows=self.rows.loc[mask].reset_index(drop=True)
        )

    def landmarks(self, *, closed_on: date) -> Landmarks:
        """Return the rows as they stood on ``closed_on``: what happened later is not yet known."""
        until_closed = days_between(self.index["as_of"], closed_on).to_numpy(float)
        follow_up = np.minimum(self.index["follow_up"].to_numpy(float), until_closed)
        time, event = self.index["time"].to_numpy(float), self.index["event"].to_numpy(int)
        seen = time <= follow_up
        as_of_day = pd.to_datetime(self.index["as_of"]).to_numpy("datetime64[D]").astype(float)
        person = self.index["employee_id"].to_numpy(str)
        ended = (np.minimum(time, follow_up), np.where(seen, event, 0))
        return Landmarks(self.rows, *ended, follow_up, person, as_of_day)


@dataclass(frozen=True)
class Ground:
    """What a run stands on: the plan as far as the history can judge it, the rows, the origins, the data's versions.

    ``records`` hold each person once; ``remarks`` is what the guards had to say, ``accepted`` as in ``Trained``.
    """

    plan: Plan
    panel: Panel
    splits: tuple[Split, ...]
    data_versions: Mapping[str, int]
    records: Records = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)

    @property
    def last_as_of(self) -> date:
        """Return the youngest snapshot of the rows."""
        return pd.Timestamp(self.panel.index["as_of"].max()).date()


@dataclass(frozen=True)
class Trained:
    """What a run found: the final models, and what each kind said out of time.

    ``unseen`` are test rows scored by models that had left the person out; ``seen`` the same rows scored by the model
    of everybody. Both have a column ``<kind>_<horizon>`` per kind and horizon, and ``chosen_<horizon>``. ``remarks`` is
    what the guards had to say, ``accepted`` which suspect columns the plan keeps and why, ``feed_shares`` how much of
    the scores of the kind chosen, and of the published effects, rests on each table.
    """

    plan: Plan
    panel: Panel
    splits: tuple[Split, ...]
    fitted: Fitted
    unseen: pd.DataFrame
    seen: pd.DataFrame
    data_versions: Mapping[str, int]
    remarks: tuple[str, ...] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)
    feed_shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Return the kind chosen."""
        return self.fitted.kind

    @property
    def model(self) -> RiskModel:
        """Return the model of the chosen kind, learned from all closed outcomes."""
        return self.fitted.models[self.kind]


def train(lake: Lake, plan: Plan, *, progress: Progress | None = None) -> Trained:
    """Return the trained and judged model of the records in ``lake``. Raises ``FixableError`` when they cannot do."""
    tell = progress or (lambda step, done, total: None)
    ground = prepare(lake, plan, tell)
    plan, panel = ground.plan, ground.panel
    unseen, seen = judge(panel, ground.splits, plan, tell)
    landmarks = panel.take(~satisfies(panel, plan.apart, default=False)).landmarks(closed_on=panel.closed_on)
    fitted = fit_hazards(landmarks, settings(plan, panel), progress=tell_as(tell, "final model"))
    models = {kind: fitted.models[kind] for kind in (fitted.kind, "prior")}
    shares = guards.feed_shares(models, ground.records, ground.last_as_of, lake.own_columns())
    told = (ground.remarks, ground.accepted, shares)
    return Trained(plan, panel, ground.splits, fitted, unseen, seen, ground.data_versions, *told)


def prepare(lake: Lake, plan: Plan, tell: Progress) -> Ground:
    """Return the landmark rows of the people the plan speaks of, and the origins at which they can be judged."""
    versions = lake.versions()
    stored = lake.read(versions=versions)
    records, remarks = guards.one_of_each(stored)
    closed_on = plan.labels_closed_on or labels_close_on(records, lake.data_until())
    as_of = snapshot_days(records, plan, closed_on=closed_on)
    plan, splits = fit_to_history(as_of, plan, closed_on=closed_on)
    own = lake.own_columns()
    tell("features", 0, 1)
    if records is stored:
        known = kept_matrix(lake, as_of=as_of, versions=versions, engine=plan.engine)
    else:
        known = matrix(records, as_of=as_of, own=own)
    panel = build_panel(records, known, closed_on=closed_on)
    panel = panel.take(satisfies(panel, plan.eligible, default=True))
    tell("features", 1, 1)
    panel, leaks, seen_events = guarded(panel, records, own, plan)
    remarks += [*guards.feed_lines(records, lake.data_until()), *seen_events, *leaks.lines()]
    return Ground(plan, panel, tuple(splits), versions, records, tuple(remarks), leaks.accepted)


def guarded(
    panel: Panel, records: Records, own: Sequence[OwnColumn], plan: Plan
) -> tuple[Panel, leakage.LeakReport, list[str]]:
    """Return the rows without the exits of mass events, what the leak sentinel saw, and the mass events in words.

    Raises ``FixableError`` when a column seems to know the future.
    """
    apart = satisfies(panel, plan.apart, default=False)
    groups = panel.rows[[card.column for card in panel.cards if card.kind == "category"]]
    index, events, lines = guards.without_mass_events(panel.index, groups, plan, apart=apart)
    panel = replace(panel, index=index)
    together = {one for event in events for one in event.ids}
    leaks = leakage.inspect(evidence(panel.take(~apart), records, own, plan, without=together), accepted=plan.accepted)
    leakage.refuse(leaks)
    return panel, leaks, lines


def evidence(
    panel: Panel, records: Records, own: Sequence[OwnColumn], plan: Plan, *, without: Collection[str] = ()
) -> leakage.Evidence:
    """Return what the leak sentinel looks at; the exits of the people in ``without`` tell it nothing."""
    exits = exit_events(records, closed_on=panel.closed_on)
    exits = exits.filter(~pl.col("employee_id").is_in(sorted(without)))
    reference = min(plan.reference_horizon_days, plan.horizons_days[-1])
    return leakage.Evidence(panel.index, panel.rows, records, exits, tuple(own), panel.closed_on, reference, plan.seed)


def evidence_of(records: Records, own: Sequence[OwnColumn], plan: Plan, *, until: date) -> leakage.Evidence:
    """Return what a run on these records would show the sentinel; ``until``: the last day they bear witness of."""
    closed_on = plan.labels_closed_on or labels_close_on(records, until)
    known = matrix(records, as_of=snapshot_days(records, plan, closed_on=closed_on), own=own)
    panel = build_panel(records, known, closed_on=closed_on)
    panel = panel.take(satisfies(panel, plan.eligible, default=True) & ~satisfies(panel, plan.apart, default=False))
    return evidence(panel, records, own, plan)


def judge(panel: Panel, splits: Sequence[Split], plan: Plan, tell: Progress) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what the models of each origin said of the snapshots that followed (``Trained.unseen``, ``.seen``)."""
    unseen, seen = [], []
    for i, split in enumerate(splits):
        train_rows, test = at_origin(panel, split, plan)
        step = tell_as(tell, f"origin {i + 1} of {len(splits)}")
        fitted = fit_hazards(train_rows.landmarks(closed_on=split.origin), settings(plan, panel), progress=step)
        unseen.append(say(fitted, test, plan, split.origin, left_out=True))
        seen.append(say(fitted, test, plan, split.origin, left_out=False))
    return pd.concat(unseen, ignore_index=True), pd.concat(seen, ignore_index=True)


def at_origin(panel: Panel, split: Split, plan: Plan) -> tuple[Panel, Panel]:
    """Return the rows that teach at an origin and those that test there; rows kept apart only test."""
    day = pd.to_datetime(panel.index["as_of"]).dt.date
    teaches = ~satisfies(panel, plan.apart, default=False)
    return panel.take(day.isin(split.train).to_numpy() & teaches), panel.take(day.isin(split.test).to_numpy())


def say(fitted: Fitted, test: Panel, plan: Plan, origin: date, *, left_out: bool) -> pd.DataFrame:
    """Return the test rows with each kind's risk per horizon; ``left_out``: by the fold that had not seen them."""
    out = test.index.assign(origin=origin, apart=satisfies(test, plan.apart, default=False))
    fold = np.array([fitted.fold_of.get(p, -1) if left_out else -1 for p in test.index["employee_id"].astype(str)])
    for kind in fitted.models:
        risk = np.empty((len(test.rows), len(plan.horizons_days)))
        for f in np.unique(fold):
            model = fitted.models[kind] if f < 0 else fitted.fold_models[kind][f]
            mine = fold == f
            risk[mine] = model.cumulative_incidence(test.rows.loc[mine], plan.horizons_days)[:, :, 1]
        out = out.assign(**{f"{kind}_{h}": risk[:, j] for j, h in enumerate(plan.horizons_days)})
    # Chosen by what was known at the origin, so the figures of ``chosen`` are not flattered by the choice.
    chosen = {f"{CHOSEN}_{h}": out[f"{fitted.kind}_{h}"] for h in plan.horizons_days}
    return out.assign(**chosen, chosen_kind=fitted.kind)


def tables(trained: Trained, predictions: pd.DataFrame) -> dict[str, dict[int, dict[str, Interval]]]:
    """Return {kind: {horizon: {metric: Interval}}} for base, linear and chosen, on rows that are not apart."""
    rows = predictions[~predictions["apart"]]
    out: dict[str, dict[int, dict[str, Interval]]] = {}
    for kind in ("base", "linear", CHOSEN):
        out[kind] = {}
        for h in trained.plan.horizons_days:
            told = told_at(rows, h, kind)
            if told.left.sum() >= 1 and told.left.sum() < len(told.left):
                out[kind][h] = evaluate(told, seed=trained.plan.seed)
    return out


def gain_over_linear(trained: Trained, predictions: pd.DataFrame, horizon_days: int) -> dict[str, Interval]:
    """Return the paired difference of chosen minus linear, so that nobody reads a tie as a win."""
    rows = predictions[~predictions["apart"]]
    if not len(told_at(rows, horizon_days, CHOSEN).left):
        return {}
    pair: tuple[Told, Told] = (told_at(rows, horizon_days, CHOSEN), told_at(rows, horizon_days, "linear"))
    return {m.__name__: difference(m, *pair, seed=trained.plan.seed) for m in (auc, average_precision)}


def leavers_of(records: Records, *, until: date) -> pl.DataFrame:
    """Return every exit known by ``until``, as of ``labels.exit_events``: what a planted leak needs to know."""
    return exit_events(records, closed_on=until)


def build_panel(records: Records, known: Matrix, *, closed_on: date) -> Panel:
    """Return everybody at risk on each snapshot with features and outcome."""
    as_of = known.frame["as_of"].unique().sort().to_list()
    posts = at_risk(records, as_of).select("employee_id", "as_of", "hired_on", *PLACE)
    spine = known.frame.select("employee_id", "as_of").join(posts, on=["employee_id", "as_of"], how="left")
    spine = spine.with_columns(tenure_days=(pl.col("as_of") - pl.col("hired_on")).dt.total_days())
    ends = outcomes(spine.with_row_index("place"), exit_events(records, closed_on=closed_on), closed_on=closed_on)
    index = ends.select("employee_id", "as_of", "time", "event", "follow_up", "tenure_days", *PLACE).to_pandas()
    rows = known.to_pandas().iloc[ends["place"].to_numpy()].reset_index(drop=True)
    return Panel(index, rows, known.cards, closed_on)


def snapshot_days(records: Records, plan: Plan, *, closed_on: date) -> list[date]:
    """Return the snapshots to learn from, within what the records can tell.

    Earlier than the first recorded exit nobody could be seen to leave, and those who left before are missing from the
    records; earlier than the first dated fact nothing was known.
    """
    first, last = plan.first_as_of or records_begin(records), plan.last_as_of or closed_on
    if plan.every_days:
        n = (last - first).days // plan.every_days + 1
        days = [date.fromordinal(first.toordinal() + i * plan.every_days) for i in range(max(n, 0))]
    else:
        days = month_ends(first, last)
    return days[-plan.most_snapshots :]


def records_begin(records: Records) -> date:
    """Return the first day on which both an exit and, if there are any, a dated fact are in the records.

    Raises ``FixableError`` when nobody is on record as having left.
    """
    if "exits" not in records or not records["exits"].lazy().select(pl.len()).collect().item():
        raise FixableError(
            "There are no exits to learn from.",
            ["Import the table exits (employee_id, happened_on, kind) as far back as it was kept."],
        )
    begins = []
    for name in ("exits", "facts"):
        names = [name] if name == "exits" else [n for n in records if n in DATED_FACTS]
        days = [records[n].lazy().select(pl.col("happened_on").min()).collect().item() for n in names if n in records]
        known = [day for day in days if day is not None]
        if known:
            begins.append(min(known))
    return max(begins)


DATED_FACTS = (
    "positions", "interactions", "surveys", "reviews", "goals", "learning", "skills", "recognitions", "attendance"
)  # fmt: skip


def satisfies(panel: Panel, rules: Sequence[Rule], *, default: bool) -> np.ndarray:
    """Return which rows satisfy all rules; an unknown value satisfies none. No rules: ``default``."""
    if not rules:
        return np.full(len(panel.rows), default)
    keep = np.ones(len(panel.rows), dtype=bool)
    for rule in rules:
        column = panel.rows[rule.column]
        if rule.values:
            keep &= column.isin(rule.values).to_numpy()
        if rule.minimum is not None:
            keep &= (column >= rule.minimum).to_numpy()
        if rule.maximum is not None:
            keep &= (column <= rule.maximum).to_numpy()
    return keep


def settings(plan: Plan, panel: Panel) -> Settings:
    """Return how to learn: the plan's choices, and the direction that each column's card leads one to expect."""
    return Settings(
        edges=plan.edges,
        reference_days=plan.reference_horizon_days,
        directions={card.column: card.expected for card in panel.cards if card.kind == "number"},
        folds=plan.folds,
        recent_days=plan.recent_days,
        seed=plan.seed,
    )


def tell_as(tell: Progress, name: str) -> Progress:
    """Return a progress callback under one name."""
    return lambda step, done, total: tell(name, done, total)


def days_between(start: pd.Series, end: date) -> pd.Series:
    """Return whole days from each start to ``end``."""
    return (pd.Timestamp(end) - pd.to_datetime(start)).dt.days
