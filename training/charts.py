"""Pictures for the report as SVG in the page itself: no script, no font, no file from elsewhere.

Each function takes numbers and returns one ``<svg>``; names are escaped. Colours are told apart in grey as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 340, 74, 46, 14, 24
COLOURS = ("#1e5a52", "#b5652b", "#5f6a72", "#8a6fb0", "#a8a29a")
DASHES = ("", "7 4", "2 4", "9 3 2 3", "1 3")


@dataclass(frozen=True)
class Dot:
    """A point with the ends of its interval."""

    x: float
    y: float
    low: float
    high: float


Line = Sequence[tuple[float, float]]


def dots(points: Sequence[Dot], *, x: str, y: str, line: Line = ()) -> Markup:
    """Return points with intervals against the diagonal, and a curve if there is one: does the forecast come true?"""
    top = max([p.x for p in points] + [p.high for p in points] + [0.01]) * 1.05
    across, up = _scale(0, top, LEFT, WIDTH - RIGHT), _scale(0, top, HEIGHT - BOTTOM, TOP)
    parts = [_axes((0, top), (0, top), x=x, y=y)]
    parts.append(_path([(0, 0), (top, top)], across, up, colour="#a8a29a", dash="2 4"))
    if line:
        inside = [(a, b) for a, b in line if a <= top and b <= top]
        parts.append(_path(inside, across, up, colour=COLOURS[1], dash=""))
    for p in points:
        cx, low, high = across(p.x), up(p.low), up(p.high)
        parts.append(f'<path d="M{cx:.1f} {low:.1f}V{high:.1f}" stroke="{COLOURS[0]}" stroke-width="1.5"/>')
        parts.append(f'<circle cx="{cx:.1f}" cy="{up(p.y):.1f}" r="4" fill="{COLOURS[0]}"/>')
    return _svg(parts, f"{y} / {x}")


def lines(
    series: Mapping[str, Line], *, x: str, y: str, low: float | None = None, legend: Literal["top", "bottom"] = "top"
) -> Markup:
    """Return named lines, the first one solid, with a legend in the upper or lower right corner."""
    xs = [a for line in series.values() for a, _ in line]
    ys = [b for line in series.values() for _, b in line]
    if not xs:
        return Markup("")
    bottom = min(ys) if low is None else low
    span = (bottom, max(max(ys), bottom + 1e-6))
    across, up = _scale(min(xs), max(xs), LEFT, WIDTH - RIGHT), _scale(*span, HEIGHT - BOTTOM, TOP)
    parts = [_axes((min(xs), max(xs)), span, x=x, y=y)]
    for i, (name, line) in enumerate(series.items()):
        kept = [(a, max(b, bottom)) for a, b in line]
        parts.append(_path(kept, across, up, colour=COLOURS[i % 5], dash=DASHES[i % 5]))
        at = TOP + 12 + 17 * i if legend == "top" else HEIGHT - BOTTOM - 12 - 17 * (len(series) - 1 - i)
        parts.append(
            f'<path d="M{WIDTH - 190} {at - 4}h26" stroke="{COLOURS[i % 5]}" stroke-width="2" '
            f'stroke-dasharray="{DASHES[i % 5]}"/><text x="{WIDTH - 158}" y="{at}">{escape(name)}</text>'
        )
    return _svg(parts, f"{y} / {x}")


def bars(rows: Sequence[tuple[str, float]], *, unit: str = "%") -> Markup:
    """Return one bar per name, longest first as given; values are shares."""
    height = 26 * len(rows) + 6
    most = max([value for _, value in rows] + [1e-9])
    parts = []
    for i, (name, value) in enumerate(rows):
        top, width = 26 * i + 4, 270 * value / most
        parts.append(f'<text x="0" y="{top + 14}">{escape(name)}</text>')
        parts.append(f'<rect x="200" y="{top}" width="{width:.1f}" height="18" rx="3" fill="{COLOURS[0]}"/>')
        parts.append(f'<text x="{208 + width:.1f}" y="{top + 14}">{100 * value:.0f} {unit}</text>')
    return _svg(parts, "shares", height=height)


def pairs(rows: Sequence[tuple[str, float, float, float, float]], *, expected: str, real: str) -> Markup:
    """Return per name a bar for what was expected and one for what came true, with the interval of the latter.

    ``rows``: name, expected, real, low, high.
    """
    height, most = 54 * len(rows) + 34, max([max(r[1], r[4]) for r in rows] + [1e-9])
    scale = 300 / most
    parts = [
        f'<rect x="{x}" y="2" width="14" height="12" fill="{colour}"/><text x="{x + 20}" y="13">{escape(name)}</text>'
        for x, colour, name in ((200, COLOURS[4], expected), (360, COLOURS[0], real))
    ]
    for i, (name, told, left, low, high) in enumerate(rows):
        top = 54 * i + 30
        parts.append(f'<text x="0" y="{top + 24}">{escape(name)}</text>')
        for value, at, colour in ((told, top, COLOURS[4]), (left, top + 20, COLOURS[0])):
            parts.append(f'<rect x="200" y="{at}" width="{value * scale:.1f}" height="17" rx="3" fill="{colour}"/>')
        ends = f"M{200 + low * scale:.1f} {top + 28.5}H{200 + high * scale:.1f}"
        parts.append(f'<path d="{ends}" stroke="#111" stroke-width="1.5"/>')
        parts.append(f'<text x="{206 + told * scale:.1f}" y="{top + 13}">{told:,.1f}</text>')
        parts.append(f'<text x="{206 + max(high, left) * scale:.1f}" y="{top + 33}">{left:,.0f}</text>')
    return _svg(parts, f"{expected}, {real}", height=height)


def _svg(parts: Sequence[str], title: str, *, height: int = HEIGHT) -> Markup:
    body = "".join(parts)
    return Markup(f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{body}</svg>')


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + (value - low) / ((high - low) or 1.0) * (end - start)


def _path(line: Line, across: Callable[[float], float], up: Callable[[float], float], *, colour: str, dash: str) -> str:
    at = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in line)
    return f'<polyline points="{at}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'


def _axes(xs: tuple[float, float], ys: tuple[float, float], *, x: str, y: str) -> str:
    across, up = _scale(*xs, LEFT, WIDTH - RIGHT), _scale(*ys, HEIGHT - BOTTOM, TOP)
    parts = [f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" stroke="#8d968f"/>']
    for i in range(5):
        a, b = xs[0] + (xs[1] - xs[0]) * i / 4, ys[0] + (ys[1] - ys[0]) * i / 4
        parts.append(f'<text x="{across(a):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_short(a)}</text>')
        parts.append(f'<text x="{LEFT - 6}" y="{up(b) + 4:.1f}" text-anchor="end">{_short(b)}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x)}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{escape(y)}</text>'
    )
    return "".join(parts)


def _short(value: float) -> str:
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"
