"""The lines: what is published of leaving, moved by the firm's own exits as far as they reach.

Sixty people and eleven exits teach no two hundred slopes. Here the columns are gathered into constructs that have been
studied in hundreds of firms; each construct has one slope, whose normal prior is the published effect. The firm's exits
move the level freely, the common strength of all effects less, a single effect least. Without any exit the published
effects speak alone (``fit_published``). With some hundreds of exits every column may say something of its own beside
them (``fit_line``): two hundred free slopes would be worse than none, two hundred small strayings are better.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import block_diag
from scipy.special import logit

from models.encode import MIN_LEVEL_ROWS, NUMBER, UNKNOWN, Design
from models.ridge import Prior, fit_ridge, posterior
from models.scores import BaseScore, LinearScore, Rows, compact


@dataclass(frozen=True)
class Construct:
    """One studied construct and the columns that show it.

    ``effect`` is the log hazard per standard deviation of the construct within the firm, beside all the others;
    ``sd`` how far a firm may lie from it; ``columns`` are written with the sign in which they show the construct.
    """

    name: str
    effect: float
    sd: float
    source: str
    columns: tuple[str, ...]


GRIFFETH = "Griffeth, Hom & Gaertner 2000, J Manag 26:463"
RUBENSTEIN = "Rubenstein et al. 2018, Pers Psychol 71:23"

CONSTRUCTS = (
    Construct(
        "wish to leave", 0.46, 0.15, f"{GRIFFETH}; {RUBENSTEIN}: r .38 to .45",
        ("-survey_intent_to_stay_latest", "-survey_intent_to_stay_mean_365d"),
    ),
    Construct(
        "dissatisfaction", 0.25, 0.10, f"{GRIFFETH}: satisfaction r -.19 to -.28, commitment -.23 to -.29",
        ("-survey_mean_90d", "-survey_mean_365d", "-survey_engagement_latest", "-survey_engagement_mean_365d",
         "-survey_enps_latest", "-survey_enps_mean_365d", "+survey_low_share_365d"),
    ),
    Construct(
        "loose embedding", 0.20, 0.12, f"{RUBENSTEIN}: r -.26; Ballinger et al. 2016: hazard ratio assumed .82 to .90",
        ("-survey_belonging_latest", "-survey_belonging_mean_365d", "-incoming_centrality_90d",
         "-received_vs_company_90d", "-contacts_in_90d", "-ties_90d"),
    ),
    Construct(
        "distance to the manager", 0.23, 0.10, f"{GRIFFETH}: leader-member exchange r -.20 to -.25",
        ("-survey_manager_latest", "-survey_manager_mean_365d", "-one_on_ones_with_manager_90d",
         "+days_since_one_on_one", "-one_on_ones_vs_reports_90d"),
    ),
    Construct(
        "manager whom people leave", 0.18, 0.12, "Hoffman & Tadelis 2021, J Polit Econ 129:243: hazard ratio .70",
        ("+manager_exit_share_365d", "+manager_exit_history", "-survey_manager_by_others_365d"),
    ),
    Construct(
        "short tenure", 0.25, 0.12, f"{GRIFFETH}: r -.23 to -.27; Farber 1994",
        ("-tenure_days", "+first_180d"),
    ),
    Construct(
        "low pay", 0.14, 0.10, f"{GRIFFETH}: r -.11 to -.17; Dube, Giuliano & Leonard 2019: pay below peers",
        ("-compa_ratio", "+below_market", "-pay_vs_job", "-pay_vs_job_site", "-pay_vs_level", "-hourly_pay_vs_job",
         "-pay_standing_in_job", "-survey_pay_latest", "-survey_pay_mean_365d"),
    ),
    Construct(
        "pay that stands still", 0.10, 0.10, "separation elasticity 2 to 4.5, half of it, 4 % a standard deviation",
        ("+days_since_raise", "-pay_growth_365d", "-pay_growth_730d", "+raise_wait_vs_job"),
    ),
    Construct(
        "weak reviews", 0.16, 0.12, f"{GRIFFETH}: performance r -.15 to -.17",
        ("-review_latest", "-review_mean_730d", "-review_vs_team", "-review_standing_in_job"),
    ),
    Construct(
        "overload", 0.17, 0.10, f"{GRIFFETH}; {RUBENSTEIN}: overload, stress, exhaustion r .12 to .22",
        ("+overtime_hours_30d", "+overtime_hours_90d", "+hours_vs_contract_90d", "+overtime_vs_team_90d",
         "+after_hours_share_90d", "+overtime_weeks_56d", "-survey_workload_latest", "-survey_workload_mean_365d",
         "-survey_wellbeing_latest", "-survey_wellbeing_mean_365d"),
    ),
    Construct(
        "no way up", 0.16, 0.10, f"{GRIFFETH}: promotion chances r -.16",
        ("+days_since_promotion", "+promotion_wait_vs_level", "+promotion_wait_vs_cohort", "-promotions_730d",
         "-survey_growth_latest", "-survey_growth_mean_365d"),
    ),
    Construct(
        "unfairness", 0.06, 0.10, f"{GRIFFETH}: distributive justice r -.11, about half beside the others",
        ("-survey_fairness_latest", "-survey_fairness_mean_365d", "-pay_growth_vs_job_365d"),
    ),
    Construct(
        "no recognition", 0.06, 0.08, "no causal estimate is published: a small effect is assumed",
        ("-recognitions_365d", "-recognitions_vs_team_365d", "+days_since_recognition",
         "-survey_recognition_latest", "-survey_recognition_mean_365d"),
    ),
    Construct(
        "withdrawal", 0.15, 0.12, "Gardner, Van Iddekinge & Hom 2018, J Manag 44:3231: beyond the rest; size assumed",
        ("+activity_fall_42d", "+activity_fall_84d", "-initiative_score_84d", "+weeks_below_usual",
         "-initiative_ratio_90d", "-taking_part_share_90d", "+survey_silent_90d"),
    ),
    Construct(
        "others left", 0.08, 0.08, "Felps et al. 2009, Acad Manag J 52:545; 9 % more per exit in the team",
        ("+team_exits_weighted", "+team_exits_180d", "+contact_exits_weighted", "+former_team_exits_weighted",
         "+same_role_exit_share_180d"),
    ),
)  # fmt: skip
"""Published marginal effects per standard deviation, halved where they stand beside the others: they overlap."""

STRENGTH_SD = 0.5
"""How far all effects of a firm together may be weaker or stronger than published: records are not questionnaires."""
USUAL_YEARLY_RATE = 0.12
"""Voluntary exits per person-year before any is seen."""
LEVEL_SD = 1.0
"""How far a firm's log rate may lie from the usual one: about one exit seen is worth as much."""
INTERVAL_SD = 0.3
"""How far one interval may lie from the firm's common level."""
UNKNOWN_SD = 0.1
"""How far what "unknown" adds may lie from half the variance of a normal crowd, beside the common strength."""
RELIABILITY = 0.5
"""Share of a construct's variance that records show: single answers and traces, not whole questionnaires."""
CORRELATION = 0.15
"""Mean correlation of two constructs: attitudes go together, pay and tenure hardly do."""


def fit_published(rows: Rows, design: Design, *, edges: Sequence[int]) -> LinearScore:
    """Return the score of the published effects, moved by the exits in ``rows``; ``edges`` (K,) in days.

    ``design`` are the columns learned from the same rows (``models.scores.design_of``); the score keeps only those that
    show a construct, and a construct without any is left out. Maximum a posteriori, with the Laplace approximation of
    the posterior of the slopes in ``factor``.

    Trap: risk bends upwards, so people of whom a column is unknown leave more often than the one in their middle. An
    indicator of "unknown" adds half the variance that the column would have told (the mean of a lognormal); without
    it, a level learned while records were thin would be too high as soon as they are full. For the same reason the
    usual rate is that of everybody together, not of the person in the middle.
    """
    used, exits, weight = _outcomes(rows)
    values = rows.values[used]
    shown = design.take(_showing(design))
    loading, together = _loading(shown, values)
    present = np.flatnonzero(np.abs(loading).sum(axis=0) > 0)
    slope = loading[:, present] @ [CONSTRUCTS[c].effect for c in present]
    hidden = slope * (together @ slope) / 2
    lines = block_diag(loading[:, present], hidden[:, None])
    mean, covariance = _belief(present, usual_level(edges) - hidden.sum())
    told = _with_unknown(shown)
    columns, n = told.transform(values) @ lines, lines.shape[1]
    found = posterior(columns, exits, weight, mean=mean, precision=np.linalg.inv(covariance))
    factor = lines @ np.linalg.cholesky(found.covariance[:n, :n])
    return LinearScore(told, lines @ found.coefficient, found.intercept, factor)


def _belief(present: np.ndarray, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of the slopes of the constructs ``present``, of "unknown", and of the level (K,)."""
    slopes, together = believed(present)
    n = len(slopes)
    covariance = np.zeros((n + len(level), n + len(level)))
    covariance[:n, :n] = together
    covariance[n:, n:] = LEVEL_SD**2 + np.diag(np.full(len(level), INTERVAL_SD**2))
    return np.concatenate([slopes, level]), covariance


@dataclass(frozen=True)
class Belief:
    """How far the effect of a column may lie from what the published effects lead one to expect of it.

    ``sd`` is that of its log-odds per standard deviation. A column that shows no studied construct is expected to
    have ``lean`` in its ``direction`` (p,), +1, -1 or 0, as its card says.
    """

    direction: np.ndarray
    lean: float
    sd: float


def fit_line(rows: Rows, design: Design, *, belief: Belief, published: bool = True) -> LinearScore:
    """Return the line over all columns of ``design``: the published effects, from which every column may stray.

    The strength of a construct, as in ``fit_published``, and what each column does beside it are learned at once: the
    prior of the coefficients is normal with the covariance of the constructs plus ``belief.sd`` squared for each
    column. Without exits its slopes are those of ``fit_published``; with very many they are free. Without ``published``
    it is a plain ridge.
    Rows are weighted so that an exit seen from twelve landmarks counts once.
    """
    used, exits, weight = _outcomes(rows)
    columns, q = design.transform(rows.values[used]), len(design.source)
    effect, covariance = believed(range(len(CONSTRUCTS)))
    loading, showing = np.zeros((q, len(effect))), _showing(design) & published
    loading[showing, :-1] = _loading(design.take(showing), rows.values[used])[0]  # no column here shows "unknown"
    unstudied = (design.level == NUMBER) & ~showing
    lean = np.where(unstudied, belief.direction[design.source], 0.0) * belief.lean
    prior = Prior(loading @ effect + lean, loading @ covariance @ loading.T + belief.sd**2 * np.eye(q))
    found = fit_ridge(columns, exits, weight, prior=prior, start=BaseScore.fit(rows).offset)
    factor = compact(np.linalg.cholesky(found.covariance[:q, :q]), columns)
    return LinearScore(design, found.coefficient, found.intercept, factor)


def believed(which: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean (c + 1,) and covariance of the slopes of these constructs, last of "unknown", in a firm not yet seen.

    "Unknown" adds half a variance: where all effects are stronger by a share, it grows by twice that share.
    """
    effect = np.array([CONSTRUCTS[c].effect for c in which])
    own = np.array([*(CONSTRUCTS[c].sd for c in which), UNKNOWN_SD])
    stronger = np.append(effect, 2.0)
    return np.append(effect, 1.0), np.diag(own**2) + STRENGTH_SD**2 * np.outer(stronger, stronger)


def _outcomes(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which landmark rows (n,) are used, and their exits and weights by interval (n, K)."""
    used, position = np.unique(rows.row, return_inverse=True)
    exits, weight = np.zeros((len(used), rows.n_intervals)), np.zeros((len(used), rows.n_intervals))
    exits[position, rows.interval], weight[position, rows.interval] = rows.exits, rows.weight
    return used, exits, weight


def known_together(columns: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return (q, q) the covariances of standardised columns (n, q), each over the rows on which both are ``known``.

    Pairs seen together on fewer than ``MIN_LEVEL_ROWS`` rows count as independent.
    """
    both = known.T.astype(float) @ known
    moments = np.where(known, columns, 0.0).T @ np.where(known, columns, 0.0)
    out = np.where(both >= MIN_LEVEL_ROWS, moments / np.maximum(both, 1.0), 0.0)
    np.fill_diagonal(out, 1.0)
    return out


def spread(together: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return (q, constructs): how each standardised column shows each construct; ``together`` (q, q) covariances.

    ``columns @ spread`` has standard deviation 1 per construct where all of them are known, so that its whole effect is
    there whether one column shows it or ten; a column that is absent leaves its share to those present. Where the
    columns of a construct contradict each other more than chance would, the mean is not blown up to 1.
    """
    place = {name: j for j, name in enumerate(names)}
    out = np.zeros((len(names), len(CONSTRUCTS)))
    for c, construct in enumerate(CONSTRUCTS):
        found = [(place[name[1:]], 1.0 if name[0] == "+" else -1.0) for name in construct.columns if name[1:] in place]
        if not found:
            continue
        where, sign = np.array([j for j, _ in found]), np.array([s for _, s in found])
        variance = float(sign @ together[np.ix_(where, where)] @ sign)
        out[where, c] = sign / np.sqrt(max(variance, len(found)))
    return out


def usual_level(edges: Sequence[int]) -> np.ndarray:
    """Return (K,) log-odds of leaving in each interval at the usual yearly rate."""
    days = np.diff(np.concatenate([[0.0], np.asarray(edges, dtype=float)]))
    return logit(-np.expm1(-USUAL_YEARLY_RATE * days / 365.0))


def unseen_sd(columns: Sequence[str], *, line_variance: float | None = None) -> float:
    """Return the standard deviation of people's log hazard that is in no line over these columns.

    None: the line of ``fit_published``, which leaves what the ``columns`` cannot tell of the constructs. For any other,
    all that the constructs together make people differ by, less ``line_variance`` (what the line tells plus what is
    not known of it: both are differences that columns make), and never less than the former.
    """
    least = _hidden_variance(columns)
    return float(np.sqrt(least if line_variance is None else max(_hidden_variance(()) - line_variance, least)))


def _hidden_variance(columns: Sequence[str]) -> float:
    """Return the variance of the summed effects given what the columns show; no columns: all of it.

    The constructs are taken as normal with ``CORRELATION`` between any two, each shown with ``RELIABILITY``.
    """
    read = set(columns)
    effect = np.array([c.effect for c in CONSTRUCTS])
    shown = np.array([any(name[1:] in read for name in c.columns) for c in CONSTRUCTS])
    together = np.full((len(effect), len(effect)), CORRELATION) + np.diag(np.full(len(effect), 1.0 - CORRELATION))
    noise = np.diag(np.full(int(shown.sum()), 1.0 / RELIABILITY - 1.0))
    told = together[:, shown] @ np.linalg.solve(together[np.ix_(shown, shown)] + noise, together[shown])
    return float(effect @ (together - told) @ effect)


def _showing(design: Design) -> np.ndarray:
    """Return which columns of the design (q,) are numbers that show a construct."""
    names = {name[1:] for construct in CONSTRUCTS for name in construct.columns}
    shows = np.array([design.codes.columns[j] in names for j in design.source], dtype=bool)
    return np.asarray(shows & (design.level == NUMBER))


def _loading(shown: Design, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how each of these numbers shows each construct (``spread``), and the covariances it stands on."""
    together = known_together(shown.transform(values), ~np.isnan(values[:, shown.source]))
    return spread(together, [shown.codes.columns[j] for j in shown.source]), together


def _with_unknown(shown: Design) -> Design:
    """Return the numbers of ``shown``, followed by an indicator of "unknown" for each: 0 where known, 1 where not."""
    q = len(shown.source)
    return replace(
        shown,
        source=np.tile(shown.source, 2),
        level=np.concatenate([shown.level, np.full(q, UNKNOWN)]),
        unit=np.concatenate([shown.unit, np.zeros(q)]),
        mean=np.concatenate([shown.mean, np.zeros(q)]),
        scale=np.concatenate([shown.scale, np.ones(q)]),
    )
