"""Effects as a person reads them, in English or Chinese: a table, a sentence per arm, what the estimate rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, floor, isfinite, log10
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from training.effect_actions import TOGETHER
from training.effect_checks import Test
from training.effect_event_study import EventStudy
from training.effect_file import Learned
from training.effect_verdict import why_told
from training.effect_words import texts, told
from training.effects import Answer, Arm
from training.programmes import Change
from training.side_effects import Jump, Stamps

TESTS = ("chosen_again", "old_care", "other_exits", "placebo_action")
POINTS = 100


@dataclass(frozen=True)
class Screen:
    """Where it is said, and in which language."""

    console: Console
    language: str = "en"

    def text(self, key: str, **values: Any) -> str:
        """Return a text with its values."""
        return told(key, **values).said(self.language)

    def say(self, key: str, **values: Any) -> None:
        """Print a text with its values, as they are."""
        self.console.print(self.text(key, **values), markup=False)

    def known(self, section: str, name: str) -> str:
        """Return the text of a code, or the code itself where it has none (an item of a survey)."""
        return texts(self.language).get(f"{section}.{name}", name)

    def table(self, title: str, columns: Sequence[str], *, words: Sequence[str] = ()) -> Table:
        """Return an empty table; ``words`` are the columns that stand to the left."""
        shown = Table(title=title, title_justify="left")
        for column in columns:
            shown.add_column(column, justify="left" if column in words or not column else "right", no_wrap=True)
        return shown

    def why(self, keys: Sequence[str]) -> str:
        """Return the reasons of a verdict."""
        return ("; " if self.language == "en" else "；").join(why_told(key).said(self.language) for key in keys)

    def list(self, names: Sequence[str]) -> str:
        """Return names one after the other."""
        return self.text("answer.and").join(names)

    def size(self, value: float, share: bool, *, sign: bool = True) -> str:
        """Return an effect: in percentage points where the outcome is a share."""
        if not isfinite(value):
            return "–"
        plus = "+" if sign else ""
        if share:
            return self.text("answer.points", size=f"{POINTS * value:{plus}.2f}")
        return number(value, sign=plus)

    def ends(self, low: float, high: float, share: bool = True) -> str:
        """Return an interval."""
        if not (share and isfinite(low) and isfinite(high)):
            return self.text("answer.to", low=self.size(low, share), high=self.size(high, share))
        both = self.text("answer.to", low=f"{POINTS * low:+.2f}", high=f"{POINTS * high:+.2f}")
        return self.text("answer.points", size=both)


def number(value: float, *, sign: str = "") -> str:
    """Return a number with three digits or all before the point.

    >>> number(1794.3), number(0.04567), number(-12.345, sign="+")
    ('1,794', '0.0457', '-12.3')
    """
    if not isfinite(value) or value == 0:
        return "0" if value == 0 else "–"
    return f"{value:{sign},.{max(0, min(6, 2 - floor(log10(abs(value)))))}f}"


def show_answer(screen: Screen, answer: Answer) -> None:
    """Print the effect of every arm, with what was held equal, what was refused, and how sure one may be."""
    question, text = answer.question, screen.text
    share = answer.arms[0].events is not None
    kind = text("answer.trial" if question.randomised else "answer.records")
    control = escape(_named(answer.arms[0].control, answer))
    heads = [text("answer.treated"), control, *(text(f"answer.{name}") for name in ("effect", "interval", "p"))]
    title = text("answer.title", treatment=question.treatment, outcome=question.outcome, kind=kind)
    shown = screen.table(escape(title), ["", *heads])
    for arm in answer.arms:
        for label, found in (("unadjusted", arm.unadjusted), ("adjusted", arm.adjusted)):
            name = text(f"answer.{label}", name=_named(arm.name, answer))
            means = [f"{m:.2%}" if share else number(m) for m in (found.mean_treated, found.mean_untreated)]
            ends = screen.ends(found.low, found.high, share)
            shown.add_row(escape(name), *means, screen.size(found.value, share), ends, _p(found.p_value))
    screen.console.print(shown)
    for arm in answer.arms:
        show_arm(screen, arm, answer)
    screen.say("answer.held", columns=screen.list(answer.used) or text("answer.nothing"))
    for column, why in answer.refused.items():
        screen.say("answer.refused", column=column, why=why.said(screen.language))
    for remark in answer.remarks:
        screen.console.print(remark.said(screen.language), markup=False)


def _named(arm: str, answer: Answer) -> str:
    """Return the name of an arm; a bare number or a yes says nothing without its column."""
    return f"{answer.question.treatment} = {arm}" if arm.isdigit() or arm in ("yes", "no") else arm


def show_arm(screen: Screen, arm: Arm, answer: Answer) -> None:
    """Print the verdict of one arm and what it rests on."""
    share = arm.events is not None
    verdict = {"verdict": screen.text(f"verdict.{arm.verdict}"), "why": screen.why(arm.why)}
    screen.console.print()
    screen.console.print(screen.text("answer.verdict", name=escape(_named(arm.name, answer)), **verdict))
    screen.say("answer.counts", treated=arm.n_treated, controls=arm.n_controls, ratio=_ratio(screen, arm))
    screen.say("answer.detectable", size=screen.size(arm.detectable, share, sign=False))
    if answer.question.cluster:
        freedom = min(arm.adjusted.freedom + 2, arm.n_clusters)
        screen.say("answer.clusters", n=arm.n_clusters, column=answer.question.cluster, freedom=freedom)
    if arm.hazard is not None:
        screen.say("answer.hazard", value=arm.hazard.value, low=arm.hazard.low, high=arm.hazard.high)
    apart = {when: max((abs(getattr(row, when)) for row in arm.balance), default=0.0) for when in ("before", "after")}
    if answer.question.randomised:
        screen.say("answer.difference", before=apart["after"])
    else:
        screen.say("answer.difference_weighted", **apart)
        _show_records(screen, arm)
    for test in arm.tests:
        _show_test(screen, test)


def _show_records(screen: Screen, arm: Arm) -> None:
    """Print what an estimate from records rests on."""
    share, h, o = arm.events is not None, arm.hidden, arm.overlap
    screen.say("answer.weights", size=screen.size(arm.weighted, share))
    screen.say("answer.worth", effective=o.effective_controls, n=o.n_controls, left_out=o.left_out)
    screen.say(
        "answer.undo",
        robustness=h.robustness,
        strong=h.as_strong_as,
        bias=screen.size(h.bias, share, sign=False),
        e=h.e_value,
        e_interval=h.e_value_of_interval,
    )


def _ratio(screen: Screen, arm: Arm) -> str:
    found = arm.adjusted
    r1, r0 = found.mean_treated, found.mean_untreated
    if arm.events is None or not (0 < r0 < 1 and 0 < r1 < 1):
        return screen.text("answer.means", treated=number(r1), control=number(r0))
    # The interval of the ratio of hazards, on the scale of the risks.
    ends = [found.log_ratio + side * 1.96 * found.log_ratio_error for side in (-1, 1)]
    low, high = ((1 - (1 - r0) ** exp(end)) / r0 - 1 for end in ends)
    return screen.text(
        "answer.ratio",
        events=arm.events,
        change=r1 / r0 - 1,
        low=low,
        high=high,
        hazards=exp(found.log_ratio),
        odds=r1 / (1 - r1) / (r0 / (1 - r0)),
    )


def show_learned_effects(screen: Screen, learned: Learned) -> None:
    """Print one table per horizon, and the checks that all actions share."""
    heads = {name: screen.text(f"care.{name}") for name in ("action", "given", "size", "interval", "hazard", "finds")}
    heads["verdict"] = screen.text("care.verdict")
    for horizon, judged in learned.judged.items():
        title = screen.text("care.title", days=horizon)
        shown = screen.table(title, list(heads.values()), words=(heads["action"], heads["verdict"]))
        for action, arm in [*((a, judged.best(a)) for a in judged.records), (TOGETHER, judged.together)]:
            shown.add_row(*_line(screen, action, arm))
        screen.console.print(shown)
        if judged.coin:
            screen.say("care.coin")
        for test in judged.tests:
            _show_test(screen, test)
    screen.say("care.legend")
    reasons = {w for judged in learned.judged.values() for a in judged.records for w in judged.best(a).why}
    for word in sorted(reasons):
        screen.console.print(why_told(word).said(screen.language), markup=False)
    few = [f"{action} {n}" for action, n in _not_estimated(learned).items()]
    if few:
        screen.say("care.few", actions=screen.list(few))


def _line(screen: Screen, action: str, arm: Arm) -> tuple[str, ...]:
    found = arm.adjusted
    ratio = f"{exp(found.log_ratio):.2f}" if isfinite(found.log_ratio) else "–"
    coin = "*" if arm.why[:1] == ("randomised",) else ""
    low, high = (f"{POINTS * end:+.1f}" for end in (found.low, found.high))
    ends = screen.text("answer.to", low=low, high=high) if isfinite(found.low) else "–"
    name = screen.text("care.together") if action == TOGETHER else action
    word = screen.text(f"verdict.{arm.verdict}").replace("：", ":").split(":")[0]
    size, finds = f"{POINTS * found.value:+.1f}", f"{POINTS * arm.detectable:.1f}"
    return name, f"{arm.n_treated:,}{coin}", size, ends, ratio, finds, word


def _not_estimated(learned: Learned) -> Mapping[str, int]:
    known = {action for judged in learned.judged.values() for action in judged.records}
    return {action: n for action, n in learned.counts.items() if action not in known}


def _show_test(screen: Screen, test: Test) -> None:
    if not isfinite(test.z):
        found = screen.text("test.few", n=test.n)
    else:
        found = f"z {test.z:+.1f}: {screen.text('test.seen' if test.flagged else 'test.not_seen')}"
    what = screen.text(f"test.{test.name}") if test.name in TESTS else screen.text("test.column", column=test.name)
    style = "red" if test.flagged else None
    screen.console.print(screen.text("test.line", what=what, found=found), markup=False, style=style)


def _p(value: float) -> str:
    return "–" if not isfinite(value) else "<.0001" if value < 1e-4 else f"{value:.4f}"


def show_event_study(screen: Screen, found: EventStudy) -> None:
    """Print a policy's effect on the monthly rate of exit, period by period, and whether the units had moved alike."""
    text = screen.text
    heads = [text(f"study.{name}") for name in ("months", "effect", "interval")]
    shown = screen.table(text("study.title"), heads)
    for point in found.points:
        shown.add_row(f"{point.period:+d}", screen.size(point.value, True), screen.ends(point.low, point.high))
    overall = found.overall
    ends = screen.ends(overall.low, overall.high)
    shown.add_row(text("study.all"), screen.size(overall.value, True), ends, style="bold")
    screen.console.print(shown)
    why = screen.why(found.why)
    screen.console.print(text("study.verdict", verdict=text(f"verdict.{found.verdict}"), why=why))
    trend = {"trend": screen.size(found.trend, True), "p": _p(found.trend_p)}
    screen.say("study.units", started=found.n_started, never=found.n_never, **trend)
    screen.say("study.detectable", size=screen.size(found.detectable, True, sign=False))


def show_changes(screen: Screen, changes: Sequence[Change]) -> None:
    """Print what was said and what was seen, before and after."""
    heads = [screen.text(f"programme.{name}") for name in ("n", "before", "after", "change", "interval")]
    shown = screen.table(screen.text("programme.title"), ["", "", *heads, ""])
    for c in changes:
        side, name = screen.known("side", c.side), screen.known("figure", c.name)
        unit = screen.known("unit", c.unit)
        if c.change is None or c.low is None or c.high is None:
            shown.add_row(side, name, str(c.n), "–", "–", screen.text("programme.few"), "–", unit)
            continue
        better = (c.change > 0) == c.higher_is_better
        sure = c.low > 0 or c.high < 0
        word = [screen.text("programme.better" if better else "programme.worse")] if sure else []
        ends = screen.text("answer.to", low=f"{c.low:+.3f}", high=f"{c.high:+.3f}")
        numbers = (f"{c.before:.3f}", f"{c.after:.3f}", f"{c.change:+.3f}", ends)
        shown.add_row(side, name, f"{c.n:,}", *numbers, screen.list([unit, *word]))
    screen.console.print(shown)


def show_jumps(screen: Screen, jumps: Sequence[Jump], threshold: float) -> None:
    """Print what happens next to people on both sides of the line."""
    names = ("afterwards", "below", "above", "difference", "interval", "earlier", "finds")
    heads = [screen.text(f"flag.{name}") for name in names]
    shown = screen.table(screen.text("flag.title", threshold=threshold), [*heads, ""], words=heads[:1])
    for j in jumps:
        past = "–" if j.before is None or j.before_p is None else f"{j.before:+.3f} (p {_p(j.before_p)})"
        ends = screen.text("answer.to", low=f"{j.low:+.3f}", high=f"{j.high:+.3f}")
        cells = (f"{j.n_below:,}", f"{j.n_above:,}", f"{j.value:+.3f}", ends, past, f"{j.detectable:.3f}")
        shown.add_row(screen.text(f"flag.{j.outcome}"), *cells, screen.text(f"flag.{j.verdict}"))
    screen.console.print(shown)


def show_stamps(screen: Screen, stamps: Sequence[Stamps]) -> None:
    """Print who takes over suggestions without a change."""
    heads = [screen.text(f"flag.{name}") for name in ("by", "n", "unchanged", "fast")]
    shown = screen.table(screen.text("flag.stamps"), [*heads, ""], words=heads[:1])
    for s in stamps:
        fast = "–" if s.fast is None else f"{s.fast:.0%}"
        ask = f"[red]{screen.text('flag.ask')}[/red]" if s.flagged else ""
        shown.add_row(s.decided_by, str(s.n), f"{s.unchanged:.0%}", fast, ask)
    screen.console.print(shown)
