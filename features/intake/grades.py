"""Grades in words as numbers, for a proposal that a person corrects; an import never turns a word into a number itself.

What an A is worth depends on whether there is an S above it, so a scale is taken as a whole: the first one that has a
value for every grade in the file. Five is always the best, as ``reviews.scale_max`` says unless told otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping

SCALES: tuple[Mapping[str, float], ...] = (
    {"a": 5, "b": 4, "c": 3, "d": 2, "e": 1},
    {"s": 5, "a": 4, "b": 3, "c": 2, "d": 1},
    {"s": 5, "a+": 4.5, "a": 4, "a-": 3.7, "b+": 3.3, "b": 3, "b-": 2.7, "c+": 2.3, "c": 2, "c-": 1.7, "d": 1},
    {"优秀": 5, "良好": 4, "良": 4, "优": 5, "合格": 3, "称职": 3, "中": 3, "达标": 3, "一般": 3, "待改进": 2,
     "需改进": 2, "基本合格": 2, "基本称职": 2, "不合格": 1, "不称职": 1, "差": 1, "较差": 1},
    {"卓越": 5, "杰出": 5, "优秀": 4, "良好": 3, "合格": 2, "称职": 2, "待改进": 1.5, "不合格": 1, "不称职": 1},
    {"远超预期": 5, "远超期望": 5, "超出预期": 4, "超出期望": 4, "符合预期": 3, "符合期望": 3, "低于预期": 2,
     "低于期望": 2, "远低于预期": 1, "远低于期望": 1},
    {"outstanding": 5, "exceeds expectations": 4, "meets expectations": 3, "below expectations": 2,
     "needs improvement": 2, "unsatisfactory": 1},
)  # fmt: skip


def grades(texts: Collection[str]) -> dict[str, float]:
    """Text → number by the first scale that knows every text; empty when none does."""
    for scale in SCALES:
        found = {text: scale.get(_bare(text)) for text in texts}
        if found and None not in found.values():
            return {text: float(value) for text, value in found.items() if value is not None}
    return {}


def rungs(texts: Collection[str]) -> dict[str, float]:
    """Text → the number in it where every text is a letter or a word and a number: ``P6`` → 6, ``8级`` → 8."""
    found = {text: re.fullmatch(r"(?:[a-z]{1,8}[-. ]?)?(\d{1,2})级?", _bare(text)) for text in texts}
    if not found or None in found.values():
        return {}
    return {text: float(match.group(1)) for text, match in found.items() if match}


def _bare(text: str) -> str:
    return re.sub(r"[级等]$", "", unicodedata.normalize("NFKC", text).strip().casefold()) or text
