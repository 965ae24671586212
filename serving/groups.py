"""The one rule for figures about many people: which groups are told to whom, and how coarsely.

    fixed      a group is the same for every reader, and its figure the same number: told to who sees all of it, or not
               at all. No filter is free, so no two readers, roles or questions can be subtracted.
    large      nothing about fewer than the smallest group, and nothing that leaves so few over: small ones are put
               together, with the next smallest where that is still too few
    coarse     whole people. Of two figures that differ by one person the difference says nothing about that person
    kept back  who has objected stays in the figure; it is withheld from readers who see all the others one by one, to
               whom it would tell the one they do not see
    alike      a group in which everybody has the same band is put together with others

What a reader chooses freely is the money and hours of a plan: what it prevents is told for round amounts alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, frexp, isfinite, log10, sqrt
from typing import Any

from models.small_groups import OTHER
from serving.access import Viewer
from serving.settings import Settings

Z_80 = 1.2816
"""Half-width, in standard deviations, of the range in which four of five outcomes fall."""

SHARE_STEP = 0.05
ROUND = (1, 2, 5)
LEAST_MORE = 0.1
"""Exits. Less than so many more are told as none: a single person could add them."""


def smallest(viewer: Viewer, settings: Settings) -> int:
    """Return how many people a group must have for this reader.

    Managers' dashboards ask for more people. A manager who opens the band of each person by name learns nothing from a
    small sum, so that holds for a manager's reader without that right: a key made for figures alone.
    """
    if viewer.role == "manager" and "band.read" not in viewer.scopes:
        return max(settings.min_group, settings.min_group_managers)
    return settings.min_group


def sees_singly(viewer: Viewer) -> bool:
    """Whether the reader can look at assessments one by one."""
    return bool({"band.read", "risk.read"} & viewer.scopes)


def self_of(viewer: Viewer) -> str | None:
    """Return the manager who reads: they are not below themselves, yet stand in the team they lead."""
    if viewer.role != "manager":
        return None
    return viewer.person_id or (viewer.sight.value if viewer.sight.kind == "manager" else None)


@dataclass(frozen=True)
class Members:
    """Who is in a group: people, those with an assessment, those whom the reader does not see, and those kept back
    from everybody (an objection, or set aside where the reader sees numbers)."""

    n_people: int
    n_judged: int
    n_unseen: int
    n_kept_back: int


def may_tell(members: Members, viewer: Viewer, *, min_group: int) -> bool:
    """Whether figures about this group are told to this reader.

    >>> from serving.access import ANONYMOUS
    >>> [may_tell(Members(9, n, unseen, 0), ANONYMOUS, min_group=5) for n, unseen in ((9, 0), (4, 0), (8, 1))]
    [True, False, False]
    """
    if members.n_judged < min_group or members.n_unseen:
        return False
    return not (sees_singly(viewer) and 0 < members.n_kept_back < min_group)


def whole(expected: float) -> int:
    """Return an expected number of people as it is told: halves up, so that one person more is one more at most.

    >>> [whole(one) for one in (0.5, 1.5, 2.49)]
    [1, 2, 2]
    """
    return floor(expected + 0.5)


def likely(expected: int, n_people: int) -> tuple[int, int]:
    """Return the range told around a whole expected number: a function of it alone, so that it adds nothing.

    As if all had the same chance, which is a little wider than the truth.

    >>> likely(2, 9), likely(0, 6)
    ((0, 4), (0, 1))
    """
    share = min(max(expected, 0.5), n_people) / n_people
    half = Z_80 * sqrt(n_people * share * (1 - share))
    return max(0, round(expected - half)), min(n_people, max(1, round(expected + half)))


def share(part: float) -> float:
    """Return a share in steps of a twentieth.

    >>> share(0.4286)
    0.45
    """
    return round(round(part / SHARE_STEP) * SHARE_STEP, 2)


def together(names: Sequence[str], *, min_group: int) -> list[str]:
    """Return the group to be told for each person: small ones, and one more where it must be, are ``*``.

    >>> together(["a"] * 9 + ["b"] * 3 + ["c"] * 6, min_group=5)[8:]
    ['a', '*', '*', '*', '*', '*', '*', '*', '*', '*']
    """
    merged, total = set(), 0
    for name, size in sorted(Counter(names).items(), key=lambda pair: (pair[1], pair[0])):
        if size < min_group or 0 < total < min_group:
            merged.add(name)
            total += size
    return [OTHER if name in merged else name for name in names]


def parts(sizes: Mapping[str, int], *, min_group: int) -> tuple[tuple[str, int], ...]:
    """Return counts per part, the largest first, with small parts put together at the end.

    >>> parts({"a": 9, "b": 2, "c": 1, "d": 6}, min_group=5)
    (('a', 9), ('*', 9))
    """
    names = [name for name, n in sorted(sizes.items()) for _ in range(n)]
    counted = Counter(together(names, min_group=min_group))
    return tuple(sorted(counted.items(), key=lambda pair: (pair[0] == OTHER, -pair[1], pair[0])))


def may_hold(line: Mapping[str, Any], places: Collection[tuple[str, str]]) -> bool:
    """Whether somebody who works at one of these places (department, job) may be counted in this line of a ledger."""
    return any(line["department"] in (department, OTHER) and line["job"] in (job, OTHER) for department, job in places)


def unnamed(bands: Mapping[str, Mapping[str, int]], *, min_group: int) -> set[str] | None:
    """Return the departments that are not named beside bands of people; ``None`` when no band may be told at all.

    ``bands``: department to band to people, of everybody, whoever asks. A department is named when it is large enough
    and not all of one band; those that are not named must be so together.

    >>> unnamed({"a": {"calm": 9, "act": 1}, "b": {"calm": 7}, "c": {"calm": 8, "act": 2}}, min_group=5) == {"a", "b"}
    True
    """

    def plain(names: Collection[str]) -> bool:
        found = sum((Counter(bands[name]) for name in names), Counter[str]())
        return found.total() < min_group or len(found) == 1

    hidden = {name for name in bands if plain([name])}
    for name in sorted(bands.keys() - hidden, key=lambda name: (sum(bands[name].values()), name)):
        if not hidden or not plain(hidden):
            break
        hidden.add(name)
    return None if not bands or (hidden and plain(hidden)) else hidden


def withheld(sizes: Mapping[str, int], *, min_group: int) -> set[str]:
    """Return the parts of a told total whose figure is not told: small ones, and the next smallest where they are few.

    >>> sorted(withheld({"a": 9, "b": 2, "c": 7, "d": 0}, min_group=5))
    ['b', 'c', 'd']
    """
    hidden = {name for name, n in sizes.items() if n < min_group}
    over = sum(sizes[name] for name in hidden)
    if 0 < over < min_group:
        hidden |= set(sorted(sizes.keys() - hidden, key=lambda name: (sizes[name], name))[:1])
    return hidden


def leaves_few(sizes: Mapping[str, int], hidden: set[str], *, min_group: int) -> bool:
    """Whether total less told parts would be about a few people, so that the total cannot be told either."""
    return 0 < sum(sizes[name] for name in hidden) < min_group


def round_amount(amount: float) -> bool:
    """Whether an amount is 0, or 1, 2 or 5 with zeros; less than a hundredth is no amount of money.

    >>> [round_amount(one) for one in (0, 50_000, 0.2, 30_000, 50_001, 5e-324)]
    [True, True, True, False, False, False]
    """
    if amount < 0.01:
        return amount == 0
    scaled = amount / 10 ** floor(log10(amount))
    return any(abs(scaled - one) < 1e-9 for one in (*ROUND, 10))


def told_for(budget: float, hours: float) -> bool:
    """Whether what a plan prevents is told for these limits: round money; 0, or 1, 2, 4, 8 … hours.

    Two plans that differ by one person would tell what care does for that person, which tells their risk.

    >>> told_for(50_000, 4), told_for(50_000, 3), told_for(49_000, 4)
    (True, False, False)
    """
    even = hours == 0 or (hours >= 1 and frexp(hours)[0] == 0.5)
    return round_amount(budget) and even


def coarse(value: float, *, least: float = LEAST_MORE) -> float:
    """Return a value on the scale 1, 2, 5, 10, …; less than ``least`` is 0.

    >>> [coarse(one) for one in (0.04, 0.16, 0.36, 4.0)]
    [0.0, 0.2, 0.5, 5.0]
    """
    if not isfinite(value) or value < least:
        return 0.0
    tens = 10.0 ** floor(log10(value))
    steps = [round(step * tens, 9) for step in (*ROUND, 10)]
    return min(steps, key=lambda step: abs(log10(value / step)))


def whole_range(value: float, half: float) -> tuple[int, int, int]:
    """Return a sum with its range in whole people; the range follows from the whole number and a coarse ratio.

    >>> whole_range(3.4, 1.6), whole_range(0.3, 0.1)
    ((3, 1, 5), (0, 0, 1))
    """
    expected = whole(value)
    ratio = round(half / value, 1) if value > 0 else 0.0
    wide = max(expected, 0.5) * ratio
    return expected, max(0, floor(expected - wide)), max(1, ceil(expected + wide))
