"""Effects as a person reads them: a table, a sentence per arm, and what the estimate rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, isfinite

from rich.console import Console
from rich.table import Table

from training.effect_actions import TOGETHER
from training.effect_checks import Test
from training.effect_event_study import EventStudy
from training.effect_file import Learned
from training.effect_verdict import VERDICTS, WHY
from training.effects import Answer, Arm
from training.programmes import Change
from training.side_effects import OUTCOMES, Jump, Stamps

TESTS = {
    "chosen_again": "those chosen once are chosen again, beyond what is recorded",
    "old_care": "exits follow care that ceased to work long ago",
    "other_exits": "dismissals and retirements differ",
    "placebo_action": "an action that should do nothing 'works'",
}
SHORT = {key: words.split(":")[0] for key, words in VERDICTS.items()}
MOST_SHOWN = 12


def show_answer(console: Console, answer: Answer) -> None:
    """Print the effect of every arm, with what was held equal, what was refused, and how sure one may be."""
    question = answer.question
    share = answer.arms[0].events is not None
    kind = "randomised trial" if question.randomised else "records: who was given it was not decided by chance"
    shown = Table(title=f"{question.treatment} → {question.outcome} ({kind})", title_justify="left")
    for column in ("", "treated", "not", "effect", "95 % interval", "p"):
        shown.add_column(column, justify="right" if column else "left", no_wrap=True)
    for arm in answer.arms:
        name = f"{arm.name} against {arm.control}"
        for label, found in (("unadjusted", arm.unadjusted), ("adjusted", arm.adjusted)):
            ends = f"{_size(found.low, share)} to {_size(found.high, share)}"
            means = (_level(found.mean_treated, share), _level(found.mean_untreated, share))
            shown.add_row(f"{name}, {label}", *means, _size(found.value, share), ends, _p(found.p_value))
    console.print(shown)
    for arm in answer.arms:
        show_arm(console, arm, answer)
    console.print(f"Held equal: {', '.join(answer.used) or 'nothing'}", markup=False)
    for column, why in answer.refused.items():
        console.print(f"Refused as a confounder: {column} ({why})", markup=False)
    for remark in answer.remarks:
        console.print(remark, markup=False)


def show_arm(console: Console, arm: Arm, answer: Answer) -> None:
    """Print the verdict of one arm and what it rests on."""
    share = arm.events is not None
    console.print(f"\n[bold]{arm.name}: {VERDICTS[arm.verdict]}.[/bold] {'; '.join(WHY[w] for w in arm.why)}")
    console.print(f"{arm.n_treated:,} treated, {arm.n_controls:,} not; {_ratio(arm)}", markup=False)
    console.print(
        f"Smallest effect that these rows find with 80 % power: {_size(arm.detectable, share).lstrip('+')}",
        markup=False,
    )
    if arm.hazard is not None:
        h = arm.hazard
        console.print(f"Hazard ratio over the whole time: {h.value:.2f} ({h.low:.2f} to {h.high:.2f})")
    worst = max((abs(row.after) for row in arm.balance), default=0.0)
    before = max((abs(row.before) for row in arm.balance), default=0.0)
    weighted = "" if answer.question.randomised else f", {worst:.2f} after weighting"
    console.print(f"Largest difference between the arms in a baseline: {before:.2f} SD{weighted}")
    if not answer.question.randomised:
        h2, o = arm.hidden, arm.overlap
        console.print(f"By weights alone, without a model of the outcome: {_size(arm.weighted, share)}")
        console.print(
            f"The controls are worth {o.effective_controls:,.0f} of {o.n_controls:,}; left out {o.left_out:,}"
        )
        console.print(
            f"To undo it, something unrecorded would have to explain {h2.robustness:.1%} of what is left of treatment "
            f"and outcome; one as strong as {h2.as_strong_as} could move it by {_size(h2.bias, share).lstrip('+')}; "
            f"E-value {h2.e_value:.2f} (of the interval {h2.e_value_of_interval:.2f})",
            markup=False,
        )
    for test in arm.tests:
        _show_test(console, test)


def show_learned_effects(console: Console, learned: Learned) -> None:
    """Print one table per horizon, and the checks that all actions share."""
    for horizon, judged in learned.judged.items():
        shown = Table(title=f"What care did: voluntary exits within {horizon} days", title_justify="left")
        for column in ("action", "given", "points", "95 %", "hazard", "finds", "verdict"):
            shown.add_column(column, justify="left" if column in ("action", "verdict") else "right", no_wrap=True)
        for action, arm in [*((a, judged.best(a)) for a in judged.records), (TOGETHER, judged.together)]:
            shown.add_row(*_line(action, arm))
        console.print(shown)
        if judged.coin:
            console.print("* from the cases alone in which a coin decided")
        for test in judged.tests:
            _show_test(console, test)
    console.print("points: change in the chance to leave; finds: the smallest change that would be found (80 % power)")
    reasons = {w for judged in learned.judged.values() for a in judged.records for w in judged.best(a).why}
    for word in sorted(reasons):
        console.print(f"{word}: {WHY[word]}", markup=False)
    few = [f"{action} {n}" for action, n in _not_estimated(learned).items()]
    if few:
        console.print(f"Too few to estimate: {', '.join(few)}", markup=False)


def _line(action: str, arm: Arm) -> tuple[str, ...]:
    found = arm.adjusted
    ratio = f"{exp(found.log_ratio):.2f}" if isfinite(found.log_ratio) else "–"
    coin = "*" if arm.why[:1] == ("randomised",) else ""
    ends = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}" if isfinite(found.low) else "–"
    size = f"{100 * found.value:+.1f}"
    return action, f"{arm.n_treated:,}{coin}", size, ends, ratio, f"{100 * arm.detectable:.1f}", SHORT[arm.verdict]


def _not_estimated(learned: Learned) -> Mapping[str, int]:
    told = {action for judged in learned.judged.values() for action in judged.records}
    return {action: n for action, n in learned.counts.items() if action not in told}


def _show_test(console: Console, test: Test) -> None:
    if not isfinite(test.z):
        words = f"not enough cases to look ({test.n})"
    else:
        words = f"z {test.z:+.1f}: {'[red]it does[/red]' if test.flagged else 'no sign of it'}"
    console.print(f"Check, must show nothing: {TESTS.get(test.name, f'{test.name} differs')}: {words}")


def _ratio(arm: Arm) -> str:
    found = arm.adjusted
    if arm.events is None or not (0 < found.mean_untreated < 1 and 0 < found.mean_treated < 1):
        return f"mean {found.mean_treated:,.2f} against {found.mean_untreated:,.2f}"
    relative = found.mean_treated / found.mean_untreated - 1
    return f"{arm.events:,} outcomes; relative change {relative:+.0%}, ratio of hazards {exp(found.log_ratio):.2f}"


def _size(value: float, share: bool) -> str:
    if not isfinite(value):
        return "–"
    return f"{100 * value:+.2f} pts" if share else f"{value:+,.3g}"


def _level(value: float, share: bool) -> str:
    return f"{value:.2%}" if share else f"{value:,.3g}"


def _p(value: float) -> str:
    return "–" if not isfinite(value) else "<.0001" if value < 1e-4 else f"{value:.4f}"


def show_event_study(console: Console, found: EventStudy) -> None:
    """Print a policy's effect on the monthly rate of exit, period by period, and whether the units had moved alike."""
    shown = Table(title="Voluntary exits a month, against units that had not started", title_justify="left")
    for column in ("months after the start", "effect", "95 % interval"):
        shown.add_column(column, justify="right")
    for point in found.points:
        shown.add_row(f"{point.period:+d}", _size(point.value, True), _ends(point.low, point.high))
    overall = found.overall
    shown.add_row("all after", _size(overall.value, True), _ends(overall.low, overall.high), style="bold")
    console.print(shown)
    why = "; ".join(WHY[w] for w in found.why)
    console.print(f"[bold]{VERDICTS[found.verdict]}.[/bold] {why}")
    console.print(f"{found.n_started} units started, {found.n_never} never did; before the start the gap changed by "
                  f"{_size(found.trend, True)} a month (p {_p(found.trend_p)})", markup=False)  # fmt: skip
    console.print(f"Smallest effect that could be found: {_size(found.detectable, True).lstrip('+')}", markup=False)


def show_changes(console: Console, changes: Sequence[Change]) -> None:
    """Print what was said and what was seen, before and after."""
    shown = Table(title="Before and after: not yet a proof of why", title_justify="left")
    for column in ("", "", "n", "before", "after", "change", "95 % interval", ""):
        shown.add_column(column, justify="right" if column else "left")
    for c in changes:
        if c.change is None or c.low is None or c.high is None:
            shown.add_row(c.side, c.name, str(c.n), "–", "–", "too few", "–", c.unit)
            continue
        sure = c.low > 0 or c.high < 0
        word = ("better" if (c.change > 0) == c.higher_is_better else "worse") if sure else ""
        numbers = (f"{c.before:.3f}", f"{c.after:.3f}", f"{c.change:+.3f}", f"{c.low:+.3f} to {c.high:+.3f}")
        shown.add_row(c.side, c.name, f"{c.n:,}", *numbers, f"{c.unit}{', ' if word else ''}{word}")
    console.print(shown)


def show_jumps(console: Console, jumps: Sequence[Jump], threshold: float) -> None:
    """Print what happens next to people on both sides of the line."""
    shown = Table(title=f"Just above a risk of {threshold:.1%} against just below", title_justify="left")
    for column in (
        "afterwards",
        "below",
        "above",
        "difference",
        "95 % interval",
        "before (must be 0)",
        "could find",
        "",
    ):
        shown.add_column(column, justify="left" if column in ("afterwards", "") else "right")
    for j in jumps:
        past = "–" if j.before is None or j.before_p is None else f"{j.before:+.3f} (p {_p(j.before_p)})"
        ends = f"{j.low:+.3f} to {j.high:+.3f}"
        cells = (f"{j.n_below:,}", f"{j.n_above:,}", f"{j.value:+.3f}", ends, past, f"{j.detectable:.3f}")
        shown.add_row(OUTCOMES[j.outcome], *cells, j.verdict.replace("_", " "))
    console.print(shown)


def show_stamps(console: Console, stamps: Sequence[Stamps]) -> None:
    """Print who takes over suggestions without a change."""
    shown = Table(title="Suggestions answered", title_justify="left")
    for column in ("by", "n", "accepted unchanged", "within two minutes", ""):
        shown.add_column(column, justify="left" if column in ("by", "") else "right")
    for s in stamps:
        fast = "–" if s.fast is None else f"{s.fast:.0%}"
        shown.add_row(s.decided_by, str(s.n), f"{s.unchanged:.0%}", fast, "[red]ask[/red]" if s.flagged else "")
    console.print(shown)


def _ends(low: float, high: float) -> str:
    return f"{_size(low, True)} to {_size(high, True)}"
