"""Is the generator what its specification says? Long checks; the short ones stand in tests/features.

Every check prints what it found beside what it should be, and whether that holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from scipy.stats import chi2

from features.company import REGIMES, Company, Regime
from features.company import hazard as hz
from features.company.care import ACTIONS, IDS
from features.company.history import History
from features.company.lives import live, settle_base

TENURE_BANDS = (0, 1, 3, 6, 12, 24, 60, 400)


def accept(seeds: int) -> None:
    """Print every check; ``seeds`` companies for the coverage of the care effects."""
    print("| check | found | should be | holds |\n|---|---|---|---|")
    for name, found, should, holds in (*rates(), *tenure_curve(), *oracle(), *contagion(), *groups(), *care(seeds)):
        print(f"| {name} | {found} | {should} | {'yes' if holds else '**no**'} |", flush=True)


def lived(regime: Regime, *, n_employees: int = 2000, months: int = 60, seed: int = 7) -> History:
    """One company, without its records."""
    company = Company(n_employees=n_employees, months=months, seed=seed, regime=regime)
    life = np.random.SeedSequence(seed).spawn(2)[0]
    return live(company, life, base=settle_base(company, life))


def decides(history: History) -> np.ndarray:
    """Which person-months were those of a decision."""
    return history.panel["exposed"] & (history.panel["since_decision"] == 0)


def rates() -> Iterator[tuple[str, str, str, bool]]:
    """The yearly rate of voluntary decisions, before any market shock."""
    for name in ("clinic", "published", "realistic", "low_turnover", "high_turnover", "accelerated"):
        regime = REGIMES[name]
        history = lived(regime)
        panel = history.panel
        found = 12 * np.sum(1 - np.exp(-panel["rate_voluntary"][panel["exposed"]])) / len(panel["who"])
        yield (
            f"voluntary rate, {name}",
            f"{found:.3f}",
            f"{regime.voluntary:.3f} ± 10 %",
            abs(found / regime.voluntary - 1) < 0.10,
        )
        kind, known = history.people["kind"], history.people["known"]
        recorded = (known >= history.first[0]) & (known <= history.until)
        other = 12 * np.sum(recorded & (kind == 1)) / len(panel["who"])
        error = 2 * other / np.sqrt(max(np.sum(recorded & (kind == 1)), 1))
        yield (
            f"involuntary rate, {name}",
            f"{other:.3f}",
            "0.040 ± 10 % or two SE",
            abs(other - 0.04) < max(0.004, error),
        )


def tenure_curve() -> Iterator[tuple[str, str, str, bool]]:
    """Decisions by tenure against what they would be without the tenure term: its exponential, by band."""
    history = lived(REGIMES["high_turnover"], n_employees=4000)
    panel, decided = history.panel, decides(history)
    usual = np.where(panel["exposed"], 1 - np.exp(-panel["rate_voluntary"] / np.exp(panel["term_tenure"])), 0.0)
    for low, high in pairwise(TENURE_BANDS):
        band = (panel["tenure"] >= low) & (panel["tenure"] < high) & (panel["tenure"] % 12 != 0)
        band |= (panel["tenure"] == 0) & (low == 0)
        if not decided[band].any():
            continue
        found, should = decided[band].sum() / usual[band].sum(), float(np.exp(hz.tenure_term(np.array([low or 0]))[0]))
        if low % 12 == 0 and low:
            should /= np.exp(0.08)
        error = 2 * found / np.sqrt(decided[band].sum())
        holds = abs(found - should) < max(0.10 * should, error)
        yield f"tenure {low}-{high - 1} months, hazard ratio", f"{found:.2f}", f"{should:.2f} ± 10 % or two SE", holds


def oracle() -> Iterator[tuple[str, str, str, bool]]:
    """The oracle's AUC one month ahead against what the spread of the log-hazards implies."""
    for name in ("published", "realistic", "easy"):
        panel = lived(REGIMES[name]).panel
        rate = panel["rate_voluntary"][panel["exposed"] & (panel["rate_voluntary"] > 0)]
        found, implied = soft_auc(1 - np.exp(-rate), rate), NormalDist().cdf(np.log(rate).std() / 2**0.5)
        should = f"{implied:.3f} - .03 / + .01"
        yield f"oracle AUC, one month, {name}", f"{found:.3f}", should, -0.03 < found - implied < 0.01


def soft_auc(chance: np.ndarray, score: np.ndarray) -> float:
    """The expected AUC of a score when each row has its event with this chance."""
    order = np.argsort(score, kind="stable")
    chance = chance[order]
    spared = 1 - chance
    return float((chance * (np.cumsum(spared) - spared / 2)).sum() / (chance.sum() * spared.sum()))


def contagion() -> Iterator[tuple[str, str, str, bool]]:
    """Do decisions follow teammates' exits, and no longer when teams are exchanged for others of the same size?"""
    for name in ("no_contagion", "strong_contagion"):
        history = lived(REGIMES[name])
        z = contagion_z(history, None)
        permuted = [contagion_z(history, np.random.default_rng(i)) for i in range(20)]
        expected = "above 4" if name == "strong_contagion" else "within ± 3"
        holds = z > 4 if name == "strong_contagion" else abs(z) < 3
        yield f"{name}: score of exits of teammates (z)", f"{z:.1f}", expected, holds
        mean = float(np.mean(permuted))
        yield f"{name}: the same, exits permuted over teams", f"{mean:.2f}", "0 ± 1", abs(mean) < 1


def contagion_z(history: History, shuffle: np.random.Generator | None) -> float:
    """The score test for an effect of exits in the team on decisions, the other causes of a decision known.

    With ``shuffle`` every team is given the exits of another team.
    """
    panel, people = history.panel, history.people
    left = np.zeros((history.n_teams, history.company.months + 6))
    gone = np.flatnonzero(
        (people["kind"] == 0) & (people["last"] >= history.first[0]) & (people["last"] < history.first[-1])
    )
    month = np.searchsorted(history.first, people["last"][gone], side="right") - 1
    np.add.at(left, (people["team"][gone], month), 1.0)
    if shuffle is not None:
        left = left[shuffle.permutation(len(left))]
    caught = np.zeros(len(panel["who"]))
    for lag, weight in enumerate(hz.CONTAGION_KERNEL, 1):
        at = panel["month"] - lag
        caught += np.where(at >= 0, weight * left[panel["team"], np.maximum(at, 0)], 0.0)
    chance = 1 - np.exp(-panel["rate_voluntary"] / np.exp(panel["term_contagion"]))
    rows = panel["exposed"] & (panel["month"] >= 4)
    x, p, y = caught[rows], chance[rows], decides(history)[rows]
    x = x - np.average(x, weights=p)
    return float(np.sum(x * (y - p)) / np.sqrt(np.sum(x * x * p * (1 - p))))


def groups() -> Iterator[tuple[str, str, str, bool]]:
    """Group B leaves more often, through pay alone."""
    for name, should in (("groups", 1.3), ("groups_alike", 1.0)):
        ratios = []
        for seed in (7, 8, 9):
            history = lived(REGIMES[name], seed=seed)
            panel = history.panel
            group, chance = history.people["group"][panel["who"]], 1 - np.exp(-panel["rate_voluntary"])
            ratios.append(
                np.mean(chance[panel["exposed"] & (group == 1)]) / np.mean(chance[panel["exposed"] & (group == 0)])
            )
        found = float(np.mean(ratios))
        yield f"{name}: rate of B over A", f"{found:.2f}", f"{should:.2f} ± 10 %", abs(found / should - 1) < 0.10


def care(seeds: int) -> Iterator[tuple[str, str, str, bool]]:
    """Decisions under care over what they would be without it: does its 95 % interval cover the true ratio?"""
    regime = REGIMES["care_random"]
    company = Company(n_employees=400, months=36, seed=0, regime=regime)
    base = settle_base(company, np.random.SeedSequence(0).spawn(2)[0])
    told = ("specific_thanks", "stay_conversation", "assigned_mentor", "chosen_mentor")
    covered, total = dict.fromkeys(told, 0), dict.fromkeys(told, np.zeros(2))
    for seed in range(seeds):
        one = Company(n_employees=400, months=36, seed=1000 + seed, regime=regime)
        history = live(one, np.random.SeedSequence(1000 + seed).spawn(2)[0], base=base)
        for action in told:
            seen, expected = under_care(history, IDS.index(action))
            low, high = chi2.ppf(0.025, 2 * seen) / 2 if seen else 0.0, chi2.ppf(0.975, 2 * seen + 2) / 2
            covered[action] += low <= expected * ACTIONS[action].ratio <= high
            total[action] = total[action] + (seen, expected)
    for action in told:
        share, ratio = covered[action] / seeds, total[action][0] / total[action][1]
        yield f"{action}: ratio covered by its interval, {seeds} seeds", f"{share:.3f}", "at least .94", share >= 0.94
        error = 2 * ratio / np.sqrt(total[action][0])
        truth = ACTIONS[action].ratio
        yield (
            f"{action}: ratio, all seeds together",
            f"{ratio:.2f} ± {error:.2f}",
            f"{truth:.2f}",
            abs(ratio - truth) < error,
        )


def under_care(history: History, action: int) -> tuple[int, float]:
    """Decisions in the months in which this action was in force, and how many there would have been without."""
    panel, cared, months = history.panel, history.care, history.company.months
    begun = np.searchsorted(history.first, cared["day"], side="right") - 1
    mine = (cared["action"] == action) & (cared["day"] >= history.first[0])
    active = np.zeros((len(history.people["team"]), months + 24), bool)
    for k in range(ACTIONS[IDS[action]].months):
        active[cared["who"][mine], begun[mine] + k] = True
    rows = panel["exposed"] & active[panel["who"], panel["month"]]
    without = 1 - np.exp(-panel["rate_voluntary"] / np.exp(panel["term_care"]))
    return int(decides(history)[rows].sum()), float(without[rows].sum())
