"""What a care action does to the hazard of a voluntary exit, and how sure we are: published studies and own cases.

    published study ──(shrunk by kind of study)──▶ prior ─┐
                                                          ├──▶ posterior of the log hazard ratio, normal
    effects.json, what was done here ──────────▶ estimate ─┘

A prior is the general experience with care, N(log .88, .15²), combined with the study (normal-normal), whose variance
is its own error plus how much effects differ from place to place. The organisation's own estimates then move all
actions together (partial pooling): most of what a place does differently it does with all care, in proportion, the rest
action by action, and how much it differs at all is learned from how far its estimates lie from the published ones
(empirical Bayes, Efron & Morris 1975, JASA 70:311). Taken one by one they would make plans worse: with a dozen actions
one is always overrated by luck, and it is the one that gets chosen. An estimate that is not identified, or cannot be
told yet, moves nothing and is told.

Not good for: a single person. An effect is what happened to many on average; who differs is said in ``models.care``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import erf, exp, log, sqrt
from typing import Any

import numpy as np

from models.catalog import CareAction, Catalog
from models.own_effects import Own, OwnEffects

GENERAL_MEAN, GENERAL_SD = log(0.88), 0.15
"""Care actions in general (SCIENCE 4: the prior for any care effect without an own experiment)."""

UNPROVEN_MEAN = log(0.93)
"""An action that no study has looked at: about half of that, and as wide."""

TRANSPORT_SD = {"rct": 0.15, "quasi_experiment": 0.20, "observational": 0.30}
"""How much the effect of the same action differs between organisations, added to the error of the study; assumed. A
randomised trial is then taken about halfway, as one draw of what may happen elsewhere."""

STUDY_SD = 0.12
"""The error of a study whose range was not reported; assumed."""

USELESS = log(0.99)
"""An action whose hazard ratio is expected above this prevents too little to be worth anybody's time."""

CAUTION = 0.25
"""Standard deviations that a plan of the organisation takes off. Among many uncertain effects the one that looks best
was overrated most (the optimizer's curse, Smith & Winkler 2006)."""

TOGETHER = 0.8
"""The share of an effect's variance that all actions of one organisation have in common: care as a whole does more or
less there than elsewhere, each action in proportion to its published effect. Chosen on invented companies, where a half
cost 2 % of what a plan prevents, and 9 % where care does least for those at the highest risk; this 0 and 2 %."""

DEPARTS, DEPARTS_SPREAD = 0.25, 1.0
"""The share of a prior's variance by which an organisation is expected to differ from published effects (the rest is
room for error), and how far from it, in logs, its own estimates may move that: one share for what all actions have in
common, one for what is each one's own. Chosen on invented companies: with 1,000
people tried per action the whole variance cost 9 to 20 % of what a plan prevents, a quarter of it 2 to 3 %."""
DEPARTS_TRIED = np.geomspace(0.05, 10.0, 17)

Z_95 = 1.96
MOSTLY = 0.8
"""From this share of the weight on, what is known comes from the organisation itself."""


@dataclass(frozen=True)
class Effect:
    """The log hazard ratio of one action, ``N(mean, sd²)``, negative when fewer leave.

    ``own_weight`` is the share of own cases in the mean, 0 to 1; ``moved`` says that other actions' own cases moved it.
    """

    action: str
    mean: float
    sd: float
    own_weight: float = 0.0
    own: Own | None = None
    studied: bool = True
    moved: bool = False

    @property
    def p_helps(self) -> float:
        """The probability that fewer leave with the action than without."""
        return 0.5 * (1 + erf(-self.mean / (self.sd * sqrt(2))))

    @property
    def useless(self) -> bool:
        """Whether it is expected to prevent next to nothing, or was seen to do harm here."""
        return self.mean > USELESS or (self.own is not None and self.own.verdict == "harms")

    def to_dict(self) -> dict[str, Any]:
        """Return the hazard ratio with its 95 % interval, the probability that it helps, and what may be said."""
        low, high = (exp(self.mean + z * self.sd) for z in (-Z_95, Z_95))
        facts = {"hazard_ratio": exp(self.mean), "low": low, "high": high, "p_helps": self.p_helps}
        facts |= {"own_cases": self.own.treated if self.own else 0, "own_weight": self.own_weight}
        return {**facts, "text_en": _sentence_en(self), "text_zh": _sentence_zh(self)}


def effects(catalog: Catalog, own: OwnEffects | None = None) -> dict[str, Effect]:
    """Return the effect of every action of the catalog; ``own`` is what ``own_effects.read_own`` found.

    A combined offer that no study looked at is believed to do what its parts do on average: a person takes some of it.
    """
    before = {action.id: prior(action) for action in catalog.actions}
    for offer in (action for action in catalog.actions if action.parts and action.evidence.effect_hr is None):
        parts = [before[part] for part in offer.parts]
        before[offer.id] = sum(mean for mean, _ in parts) / len(parts), sum(sd for _, sd in parts) / len(parts)
    return _pooled(catalog.actions, before, own.actions if own else {})


def effect(action: CareAction, own: Own | None = None) -> Effect:
    """Return the posterior of one action alone: the prior, moved by the organisation's own estimate if there is one."""
    return _pooled((action,), {action.id: prior(action)}, {} if own is None else {action.id: own})[action.id]


def _pooled(
    actions: Sequence[CareAction], before: Mapping[str, tuple[float, float]], own: Mapping[str, Own]
) -> dict[str, Effect]:
    """Return all effects after the own estimates that count have moved them.

    The weights are those of a prior whose variance is the learned share of the stated one; the standard deviation told
    is the share of its own that these weights leave of the whole, so that caution with the weights is no false
    certainty.
    """
    mean, sd = (np.array([before[a.id][i] for a in actions]) for i in (0, 1))
    seen = [i for i, a in enumerate(actions) if a.id in own and own[a.id].counts]
    gain = np.zeros((len(actions), len(seen)))
    after, variance = mean, sd**2
    if seen:
        found, errors = _estimates([own[actions[i].id] for i in seen], [actions[i].id for i in seen])
        common, single, noise = _common(mean, sd), (1 - TOGETHER) * np.diag(sd**2), np.diag(errors**2)
        gap, whole, at = found - mean[seen], common + single, np.ix_(seen, seen)
        shares = _departs(gap, common[at], single[at], noise)
        learned = shares[0] * common + shares[1] * single
        gain = learned[:, seen] @ np.linalg.inv(learned[at] + noise)
        after, among = mean + gain @ gap, whole[at]
        left = whole - gain @ whole[seen] - whole[:, seen] @ gain.T + gain @ (among + noise) @ gain.T
        variance = sd**2 * np.diag(left) / np.diag(whole)
    told = {}
    for i, a in enumerate(actions):
        weight = float(gain[i, seen.index(i)]) if i in seen else 0.0
        studied, moved = a.evidence.effect_hr is not None, bool(seen) and i not in seen
        told[a.id] = Effect(
            a.id, float(after[i]), float(np.sqrt(variance[i])), weight, own.get(a.id), studied=studied, moved=moved
        )
    return told


def _common(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return the covariance of what a place does differently with all care: a multiple of every published effect."""
    size = float(mean @ mean)
    return np.outer(mean, mean) * TOGETHER * float(sd @ sd) / size if size else TOGETHER * np.outer(sd, sd)


def _estimates(own: Sequence[Own], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    for name, one in zip(names, own, strict=True):
        if one.log_hazard_ratio is None or one.standard_error is None:
            raise ValueError(f"{name}: an estimate that counts has a value and an error")
    return np.array([one.log_hazard_ratio for one in own], float), np.array([one.standard_error for one in own], float)


def _departs(gap: np.ndarray, common: np.ndarray, single: np.ndarray, noise: np.ndarray) -> tuple[float, float]:
    """Return the shares of the prior's variance that the gaps to published effects speak for (marginal likelihood): of
    what all actions have in common, and of what is each one's own."""

    def fit(shares: tuple[float, float]) -> float:
        total = shares[0] * common + shares[1] * single + noise
        likely = -0.5 * (np.linalg.slogdet(total)[1] + gap @ np.linalg.solve(total, gap))
        return float(likely - 0.5 * (np.log(np.divide(shares, DEPARTS)) ** 2).sum() / DEPARTS_SPREAD**2)

    return max(product(DEPARTS_TRIED.tolist(), repeat=2), key=fit)


def prior(action: CareAction) -> tuple[float, float]:
    """Return mean and standard deviation of the log hazard ratio before anything was seen in the organisation.

    A study that found no effect, or harm, is taken at its word instead of being pulled towards the general experience:
    it is about this action, and hope is no evidence.
    """
    evidence = action.evidence
    if evidence.effect_hr is None:
        return UNPROVEN_MEAN, GENERAL_SD
    found, sd = log(evidence.effect_hr), STUDY_SD
    if evidence.low is not None and evidence.high is not None:
        sd = (log(evidence.high) - log(evidence.low)) / (2 * Z_95)
    if evidence.assumed:
        return found, max(sd, GENERAL_SD)
    sd = sqrt(sd**2 + TRANSPORT_SD[evidence.kind] ** 2)
    return (found, sd) if found >= 0 else _combined((GENERAL_MEAN, GENERAL_SD), (found, sd))


def _weight(sd: float, beside: float) -> float:
    """Return the share of the mean that an estimate with error ``sd`` has beside one with error ``beside``."""
    return beside**2 / (sd**2 + beside**2)


def _combined(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return the normal posterior of two independent normal pieces of evidence, each as ``(mean, sd)``."""
    weight = _weight(other[1], one[1])
    return (1 - weight) * one[0] + weight * other[0], one[1] * sqrt(1 - weight)


def _sentence_en(told: Effect) -> str:
    published = "prior from published studies" if told.studied else "no study found, a cautious assumption"
    n = told.own.treated if told.own else 0
    cases = "case" if n == 1 else "cases"
    if told.own is None:
        source = published[0].upper() + published[1:] + (", moved by what other care did here" if told.moved else "")
    elif not told.own.counts:
        source = f"{published[0].upper()}{published[1:]}; {_UNTOLD_EN[told.own.verdict]} from your own {n} {cases}"
    elif told.own_weight >= MOSTLY:
        source = f"From your own {n} {cases}"
    else:
        source = f"From your own {n} {cases} together with {_article(published)}"
    return f"{source}: {_size_en(told)}"


def _article(published: str) -> str:
    return f"the {published}" if published.startswith("prior") else published.replace("no study found, ", "")


_UNTOLD_EN = {
    "cannot_tell_yet": "nothing can be told yet",
    "not_identified": "no effect can be separated from who was chosen",
}
_UNTOLD_ZH = {"cannot_tell_yet": "目前还不足以判断", "not_identified": "无法把效果与“选了谁”分开"}


def _size_en(told: Effect) -> str:
    low, high = _changes(told)
    sure = round(100 * told.p_helps)
    return (
        f"exits {_change_en(exp(told.mean) - 1)} (range {_change_en(low)} to {_change_en(high)}); "
        f"it helps with a probability of {sure}%."
    )


def _changes(told: Effect) -> tuple[float, float]:
    return exp(told.mean - Z_95 * told.sd) - 1, exp(told.mean + Z_95 * told.sd) - 1


def _change_en(change: float) -> str:
    points = round(100 * change)
    return "unchanged" if points == 0 else f"{abs(points)}% {'fewer' if points < 0 else 'more'}"


def _sentence_zh(told: Effect) -> str:
    published = "依据已发表研究的先验" if told.studied else "未找到研究，按谨慎假设"
    n = told.own.treated if told.own else 0
    if told.own is None:
        source = published + ("，并参考贵单位其他关怀行动的效果" if told.moved else "")
    elif not told.own.counts:
        source = f"{published}；贵单位自己的 {n} 例{_UNTOLD_ZH[told.own.verdict]}"
    elif told.own_weight >= MOSTLY:
        source = f"依据贵单位自己的 {n} 例"
    else:
        source = f"依据贵单位自己的 {n} 例，并结合{'已发表的研究' if told.studied else '谨慎假设'}"
    low, high = _changes(told)
    sure = round(100 * told.p_helps)
    size = f"离职{_change_zh(exp(told.mean) - 1)}（范围：{_change_zh(low)}至{_change_zh(high)}）"
    return f"{source}：{size}；有效的可能性约 {sure}%。"


def _change_zh(change: float) -> str:
    points = round(100 * change)
    return "不变" if points == 0 else f"{'减少' if points < 0 else '增加'} {abs(points)}%"
