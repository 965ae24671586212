"""The kinds of world that can be invented: each a frozen record of what holds there, by name in ``REGIMES``.

A regime says what is true; ``company.hazard`` says how large the published effects are. ``clinic`` is the world of
``make demo``; the others are for judging, so that no result stands on one world alone::

    difficulty      published · realistic · easy             how far drivers spread the hazards
    turnover        low_turnover · high_turnover             6 and 25 % a year
    contagion       no_contagion · strong_contagion          exits that make exits; the shared mood that only looks so
    decision        notice_lag                               two to four months between decision and notice
    calendar        bonus_cliff · bathtub                    quits wait for the bonus in March; a late rise
    surveys         quarterly_pulse                          asked four times a year instead of monthly
    care            care_measured … care_anti_targeting      who is given care, and whether records say why
    groups          groups                                   pay gap, proxies, biased labels
    records         faults                                   what goes wrong in real exports, and a world that drifts
    structure       accelerated · accelerated_lag            the second generator: no hazard is proportional there
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from features.errors import FixableError

FIRST_ACTIONS = ("stay_conversation", "manager_attention", "flexible_hours", "assigned_mentor", "specific_thanks")
ALL_ACTIONS = (
    "stay_conversation",
    "manager_attention",
    "hybrid_work",
    "pay_review",
    "voice_and_follow_up",
    "onboarding_checkin",
    "assigned_mentor",
    "chosen_mentor",
    "specific_thanks",
    "activity_monitoring",
)


@dataclass(frozen=True)
class CareRule:
    """Who is given care. All logits are monthly, for people at risk with no care in the last nine months.

    ``assignment``: *proxy* looks at the latent risk through noise, at performance and at the manager (SCIENCE: a noisy
    proxy is confounding); *measured* looks only at what stands in the records (pay against the market, months since
    promotion, new manager, tenure); *hidden* adds ``hidden`` × frailty to that, which nobody records; *random* looks
    at nothing. ``capacity``: most new care actions per manager and month. ``randomised``: share of eligible people for
    whom a coin decides, noted in the record. ``rollout``: an action that whole teams get at once, team after team.
    ``anti_targeting``: care goes to those whom it helps least.
    """

    actions: tuple[str, ...] = ALL_ACTIONS
    assignment: Literal["proxy", "measured", "hidden", "random"] = "proxy"
    level: float = -4.3
    hidden: float = 0.8
    capacity: int | None = None
    randomised: float = 0.0
    rollout: str | None = None
    anti_targeting: bool = False


@dataclass(frozen=True)
class Groups:
    """Protected groups A, B and C (5 %). ``rate_ratio``: how much more often B leaves, through lower pay alone.

    ``proxy_auc``: how well an own column tells B from the others. ``label_bias``: share of B's voluntary exits that
    are filed as dismissals.
    """

    share_b: float = 0.40
    share_c: float = 0.05
    rate_ratio: float = 1.3
    proxy_auc: float = 0.75
    label_bias: float = 0.10


@dataclass(frozen=True)
class Drift:
    """What changes while the records run; months are counted in recorded months, None for never.

    ``market_month``: quits rise by ``market_shock`` from then on. ``acquired_month``: ``acquired_share`` more people
    join at once, their former tenure on nobody's file. ``reorganised_month``: a fifth of the teams change manager.
    """

    market_month: int | None = None
    market_shock: float = 0.5
    acquired_month: int | None = None
    acquired_share: float = 0.12
    reorganised_month: int | None = None


@dataclass(frozen=True)
class Faults:
    """What goes wrong on the way into the files.

    ``dose``: share of rows that are late, corrected or doubled. ``survey_lag_days``: surveys reach the personnel
    system so many days after (least, most); None is the table's default. ``outage_month``: surveys are missing for
    three months from there and interactions for the two that follow. ``redefined_month``: from there overtime counts
    breaks (x 1.5) and a new tool counts messages (x .6). ``backdated``: share of exits entered only after the last
    day. ``rehired``: share of hires who had worked here before, under their old number.
    """

    dose: float = 0.001
    survey_lag_days: tuple[int, int] | None = None
    outage_month: int | None = None
    redefined_month: int | None = None
    backdated: float = 0.0
    rehired: float = 0.0


@dataclass(frozen=True)
class Regime:
    """One kind of world. Rates are shares of the headcount per year.

    ``generator``: *hazard* (proportional monthly hazards) or *accelerated* (a wandering fit that crosses a threshold).
    ``scale`` multiplies all driver effects and leaves the rate where it is: 1.0 is the published size (oracle AUC
    about .70), 1.6 stands for one employer, where drivers differ less by chance and more by cause than in pooled
    studies (about .77), 2.2 is an easy world (about .85). ``contagion``: off, as published (Visier), or strong (log
    1.5). ``shared_mood``: a multiple of the team mood that looks like contagion. ``lag``: shares of those who give
    notice 0, 1, 2 … months after they decided. ``late_rise``: log-hazard added from ten years of tenure on.
    ``network``: how central a person is counts, and ties decay before an exit. ``wide``: commute counts, managers
    move (1.5 % a month), and the records hold two columns of pure noise and one that gives groups away.
    ``survey_every``: months between pulses.
    """

    name: str = "clinic"
    generator: Literal["hazard", "accelerated"] = "hazard"
    scale: float = 1.6
    voluntary: float = 0.18
    involuntary: float = 0.04
    frailty: float = 0.35
    contagion: Literal["off", "visier", "strong"] = "visier"
    shared_mood: float = 1.0
    lag: tuple[float, ...] = (0.35, 0.40, 0.25)
    bonus_cliff: bool = False
    late_rise: float = 0.0
    network: bool = False
    wide: bool = False
    survey_every: int = 1
    care: CareRule = field(default_factory=lambda: CareRule(actions=FIRST_ACTIONS))
    groups: Groups | None = None
    drift: Drift = field(default_factory=Drift)
    faults: Faults = field(default_factory=Faults)

    def __post_init__(self) -> None:
        """Refuse a world that cannot be."""
        problems = []
        if abs(sum(self.lag) - 1) > 1e-9 or min(self.lag) < 0:
            problems.append(f"lag: shares that sum to 1, got {self.lag}")
        if not 0 < self.voluntary < 0.6:
            problems.append(f"voluntary: a share per year between 0 and .6, got {self.voluntary}")
        if self.scale <= 0:
            problems.append(f"scale: above 0, got {self.scale}")
        if self.survey_every < 1:
            problems.append(f"survey_every: at least 1, got {self.survey_every}")
        if problems:
            raise FixableError(f"The regime {self.name} makes no sense:", problems)


CLINIC = Regime()
SLOW_SURVEYS = Faults(survey_lag_days=(30, 60))
TWO_TO_FOUR_MONTHS = (0.0, 0.0, 1 / 3, 1 / 3, 1 / 3)


def _realistic(name: str, **changes: object) -> Regime:
    """The world of SCIENCE §8 with some of its switches turned."""
    usual: dict[str, object] = {"voluntary": 0.12, "network": True, "wide": True, "care": CareRule(level=-4.6)}
    return Regime(name, **{**usual, "faults": SLOW_SURVEYS, **changes})  # type: ignore[arg-type]


REGIMES: dict[str, Regime] = {
    regime.name: regime
    for regime in (
        CLINIC,
        _realistic("published", scale=1.0),
        _realistic("realistic"),
        _realistic("easy", scale=2.2),
        _realistic("low_turnover", voluntary=0.06),
        _realistic("high_turnover", voluntary=0.25),
        _realistic("no_contagion", contagion="off"),
        _realistic("strong_contagion", contagion="strong"),
        # .078 a year: 3.9 % give notice within 180 days, the base rate of the published comparison (SCIENCE N8).
        _realistic("notice_lag", voluntary=0.078, lag=TWO_TO_FOUR_MONTHS),
        _realistic("bonus_cliff", bonus_cliff=True),
        _realistic("bathtub", late_rise=0.45),
        _realistic("quarterly_pulse", survey_every=3),
        _realistic("care_measured", care=CareRule(assignment="measured")),
        _realistic("care_hidden", care=CareRule(assignment="hidden")),
        _realistic("care_proxy", care=CareRule(assignment="proxy")),
        _realistic("care_random", care=CareRule(assignment="random", level=-4.0)),
        _realistic("care_rollout", care=CareRule(assignment="measured", level=-5.0, rollout="manager_attention")),
        _realistic("care_randomised", care=CareRule(assignment="hidden", randomised=0.10, capacity=2)),
        _realistic("care_anti_targeting", care=CareRule(assignment="measured", anti_targeting=True)),
        _realistic("groups", groups=Groups()),
        _realistic("groups_alike", groups=Groups(rate_ratio=1.0, label_bias=0.0)),
        _realistic("drift", drift=Drift(market_month=40, acquired_month=24, reorganised_month=30)),
        _realistic(
            "faults",
            drift=Drift(market_month=40, acquired_month=24, reorganised_month=30),
            faults=Faults(0.01, (30, 60), outage_month=20, redefined_month=32, backdated=0.15, rehired=0.06),
        ),
        _realistic("accelerated", generator="accelerated"),
        _realistic("accelerated_lag", generator="accelerated", voluntary=0.078, lag=TWO_TO_FOUR_MONTHS),
    )
}


def regime_named(name: str) -> Regime:
    """The regime of that name. Raises ``FixableError`` with the names there are."""
    if name not in REGIMES:
        raise FixableError(f"There is no regime {name!r}.", [f"Choose one of: {', '.join(REGIMES)}"])
    return REGIMES[name]
