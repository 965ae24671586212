"""Groups that can be shown beside teams without anybody being worked out by subtraction.

Teams of at least ``min_group`` people are shown elsewhere. A second division of the same people, by department and job,
would tell more than each alone: what a department has beyond its teams that are shown, or the one receptionist in a
team of nurses, are differences of sums. Draw teams and groups as the two sides of a graph, with an edge where they
share people: the sum over the people of an edge follows from the sums of both sides exactly when the edge lies on no
ring (a bridge). Groups with a bridge of too few people are merged until there is none.

Not covered: two or more edges that are only together determined; whole numbers in place of sums have to do for those.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

OTHER = "*"
"""Stands where a job or a department was too small to be shown alone; pages have a word for it."""

Cell = tuple[str, str]
"""Department and job; either may be ``OTHER``."""

REST: Cell = (OTHER, OTHER)
HIDDEN = "teams that are not shown"


@dataclass(frozen=True)
class Post:
    """Where one employee works; blank is unknown and counts as a place of its own."""

    department: str
    team: str
    job: str


def cells(posts: Sequence[Post], judged: Sequence[bool], *, min_group: int) -> list[Cell | None]:
    """Return each person's group, none with fewer than ``min_group`` people judged; ``None`` is shown nowhere.

    1. People of a team that is too small to be shown go to the remainder of the whole.
    2. In each department, jobs that are too small are merged; if that is still too small, with the smallest job that is
       not, and where there is none, with the remainder.
    3. A remainder that is too small takes in the smallest group there is.
    4. A group of which teams would tell a few people apart is merged further. When one group is left that still does,
       nothing is shown.
    """
    sizes = Counter((p.department, p.team) for p, counts in zip(posts, judged, strict=True) if counts)
    shown = {team for team, n in sizes.items() if n >= min_group}
    wanted = {p: (p.department, p.job) if (p.department, p.team) in shown else REST for p in set(posts)}
    size = Counter({cell: 0 for cell in wanted.values()})
    size.update(wanted[p] for p, counts in zip(posts, judged, strict=True) if counts)
    place = {cell: cell for cell in size}
    for department in sorted({cell[0] for cell in size} - {OTHER}):
        place |= _merged({cell: n for cell, n in size.items() if cell[0] == department}, department, min_group)
    people = Counter((p.department, p.team, wanted[p]) for p, counts in zip(posts, judged, strict=True) if counts)
    while True:
        merged = Counter({to: 0 for to in place.values()})
        for cell, n in size.items():
            merged[place[cell]] += n
        edges: Counter[tuple[Hashable, Cell]] = Counter()
        for (department, team, cell), n in people.items():
            edges[(department, team) if (department, team) in shown else HIDDEN, place[cell]] += n
        weak = {cell for cell, n in merged.items() if n < min_group} | _told_apart(edges, min_group)
        if not weak:
            return [place[wanted[p]] for p in posts]
        if len(merged) == 1:
            return [None] * len(posts)
        takes = _next(min(weak, key=lambda cell: (cell == REST, merged[cell], cell)), merged)
        place = {cell: takes.get(to, to) for cell, to in place.items()}


def _merged(size: Mapping[Cell, int], department: str, min_group: int) -> dict[Cell, Cell]:
    """Return what becomes of the groups of one department."""
    small = {cell for cell, n in size.items() if n < min_group}
    rest = (department, OTHER)
    if small and sum(size[cell] for cell in small) < min_group:
        large = sorted((cell for cell in size if cell not in small), key=lambda cell: (size[cell], cell))
        small |= set(large[:1])
        rest = rest if large else REST
    return {cell: rest if cell in small else cell for cell in size}


def _next(weak: Cell, merged: Mapping[Cell, int]) -> dict[Cell, Cell]:
    """Return which groups become which, so that there is one group less: within the department as long as there is one
    to merge with, then with the remainder, and the remainder with the smallest group there is."""
    if weak == REST:
        return {min((c for c in merged if c != REST), key=lambda cell: (merged[cell], cell)): REST}
    rest = (weak[0], OTHER)
    beside = sorted((c for c in merged if c[0] == weak[0] and c != weak), key=lambda cell: (merged[cell], cell))
    if not beside:
        return {weak: REST} if REST in merged or len(merged) > 1 else {}
    return {weak: rest, (rest if rest in beside else beside[0]): rest}


def _told_apart(edges: Mapping[tuple[Hashable, Cell], int], min_group: int) -> set[Cell]:
    """Return the groups of which the sums of teams and groups give away some people, but fewer than ``min_group``."""
    names = list(edges)
    return {names[i][1] for i in bridges([(("team", team), ("cell", cell)) for team, cell in names])
            if 0 < edges[names[i]] < min_group}  # fmt: skip


def bridges(edges: Sequence[tuple[Hashable, Hashable]]) -> set[int]:
    """Return the places of the edges that lie on no ring (Tarjan 1974, Inf Process Lett 2:160), without recursion."""
    near: dict[Hashable, list[tuple[Hashable, int]]] = {}
    for i, (a, b) in enumerate(edges):
        near.setdefault(a, []).append((b, i))
        near.setdefault(b, []).append((a, i))
    order: dict[Hashable, int] = {}
    low: dict[Hashable, int] = {}
    found: set[int] = set()
    for root in near:
        if root in order:
            continue
        order[root] = low[root] = len(order)
        path: list[tuple[Hashable, int, Iterator[tuple[Hashable, int]]]] = [(root, -1, iter(near[root]))]
        while path:
            at, came, rest = path[-1]
            step = next(((to, i) for to, i in rest if i != came), None)
            if step is None:
                path.pop()
                if path:
                    before = path[-1][0]
                    low[before] = min(low[before], low[at])
                    if low[at] > order[before]:
                        found.add(came)
            elif step[0] in order:
                low[at] = min(low[at], order[step[0]])
            else:
                order[step[0]] = low[step[0]] = len(order)
                path.append((*step, iter(near[step[0]])))
    return found
